"""Planning tasks in synthesised worlds as a Gymnasium environment: observations and actions are texts."""

from pathlib import Path
from typing import Any

import gymnasium
from cultivar.environments.pddl.taskset import TaskSet

WORLDS = TaskSet(Path(__file__).parent / "data")
MAX_CHARACTERS = 1_000_000


class AnyText(gymnasium.spaces.Text):
    """Texts in any script: a space with a fixed alphabet would refuse the words of some world, or of some model."""

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= self.max_length


class Worlds(gymnasium.Env[str, str]):
    """``reset(options={"task": ID_OR_NUMBER})`` begins that task; without it one is drawn, by the seed.

    ``terminated`` is that the goal holds (reward 1), ``truncated`` that the limit of steps is reached. ``info`` has the
    task's id, ``valid`` (whether the action was done) and ``progress``; after a reset also ``instruction``, which tells
    an agent how to reply.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own declaration)

    def __init__(self) -> None:
        self.observation_space = AnyText(MAX_CHARACTERS)
        self.action_space = AnyText(MAX_CHARACTERS)
        self.task = ""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        task = (options or {}).get("task")
        self.task = WORLDS.choose(int(self.np_random.integers(len(WORLDS.ids))) if task is None else task)
        self.environment, first = WORLDS.begin(self.task)
        instruction = self.environment.instruction()
        return first.text, {"task": self.task, "valid": True, "progress": first.progress, "instruction": instruction}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        step = self.environment.act(action)
        solved = step.reward == 1.0
        info = {"task": self.task, "valid": step.valid, "progress": step.progress}
        return step.observation, step.reward, solved, step.done and not solved, info

    def hints(self) -> list[str]:
        """The texts of all actions that can be done now."""
        return self.environment.hints()
