"""Planning tasks in synthesised worlds behind OpenEnv's interface; ``cultivar`` plays them."""

import random
from pathlib import Path
from typing import Any
from uuid import uuid4

from cultivar.environments.pddl.taskset import TaskSet
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import State

try:
    from ..models import WorldsAction, WorldsObservation
except ImportError:  # run from this folder, as openenv.yaml says
    from models import WorldsAction, WorldsObservation

WORLDS = TaskSet(Path(__file__).parents[1] / "data")
SPLIT = "train"


class Worlds(Environment[WorldsAction, WorldsObservation, State]):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state = State(episode_id=str(uuid4()))

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        task: str | int | None = None,
        split: str = SPLIT,
        index: int | None = None,
        **_: Any,
    ) -> WorldsObservation:
        """Begins the task named by its id, by its index in the split, or drawn by the seed."""
        self._known(split)
        chosen = WORLDS.choose(index if task is None else task, random.Random(seed))
        self._environment, first = WORLDS.begin(chosen)
        self._state = State(episode_id=episode_id or str(uuid4()), task=chosen)
        told = {"task": chosen, "instruction": self._environment.instruction()}
        return WorldsObservation(text=first.text, progress=first.progress, reward=0.0, metadata=told)

    def step(self, action: WorldsAction, timeout_s: float | None = None, **_: Any) -> WorldsObservation:
        step = self._environment.act(action.text)
        self._state.step_count += 1
        return WorldsObservation(
            text=step.observation,
            valid=step.valid,
            progress=step.progress,
            reward=step.reward,
            done=step.done,
            metadata={"task": self._state.task},
        )

    @property
    def state(self) -> State:
        return self._state

    # OpenEnv's task API.

    def list_splits(self) -> list[str]:
        return [SPLIT]

    def num_tasks(self, split: str) -> int:
        self._known(split)
        return len(WORLDS.ids)

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        self._known(split)
        task_id = WORLDS.ids[index]
        return {"id": task_id, "index": index, "goal": WORLDS.tasks[task_id].goal}

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        return [self.get_task(split, index) for index in range(self.num_tasks(split))]

    def get_task_range(self, split: str, start: int | None = None, stop: int | None = None) -> list[dict[str, Any]]:
        return [self.get_task(split, index) for index in range(self.num_tasks(split))[start:stop]]

    def _known(self, split: str) -> None:
        if split != SPLIT:
            raise ValueError(f"there is no split {split!r}; all tasks are in {SPLIT!r}")
