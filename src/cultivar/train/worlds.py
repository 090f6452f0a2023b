"""Environments for GRPO: what TRL's ``environment_factory`` makes for each attempt, over any environment of ours.

The model acts by calling the tool ``act``; an attempt ends when it calls no tool any more, or at its limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from cultivar.core.protocols import Observation, Step
from cultivar.train.rows import Rows

SYSTEM = (
    "Solve the task by acting in the environment. To act, call the tool `act` with one action, in the words given for "
    "actions and with names of objects in place of brackets; you are told what you observe, and act again. Stop when "
    "you are told that the goal is satisfied or that the episode is over."
)
MAX_ACTION = 2_000
"""Characters of an action that are read."""


class Acting(Protocol):
    """An environment in the middle of an episode, without ``await``."""

    def act(self, text: str) -> Step: ...


Begin: TypeAlias = Callable[[str], tuple[Acting, Observation]]
"""Begins the task of an id in an environment of its own."""


def task_rows(ids: Sequence[str]) -> Rows:
    """One row for a task; what is seen at first is put into the user's message when the task begins."""
    prompt = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ""}]
    names = hashlib.sha256("".join(f"{task}\n" for task in ids).encode()).hexdigest()[:16]
    return Rows([{"prompt": prompt, "task": task} for task in ids], ("prompt", "task"), names)


def worlds(begin: Begin, progress: float) -> type:
    """The class of which TRL makes one instance for each attempt that runs at a time.

    The reward is 1 for a solved task, and ``progress`` times the best share of the goal that was reached for any other.
    An environment that fails ends the training: TRL would take the failure for an observation, and score the attempt.
    """

    class World:
        def __init__(self) -> None:
            self._task = ""
            self._acting: Acting | None = None
            self._reward = self._best = 0.0
            self._failure: Exception | None = None

        def reset(self, task: str, **_: Any) -> str:
            self._task, (self._acting, first) = task, begin(task)
            self._reward, self._best, self._failure = 0.0, first.progress, None
            return first.text

        def act(self, action: str) -> str:
            """
            Does one action in the environment.

            Args:
                action: The action, in the words given for it.

            Returns:
                What is observed after it, or why it could not be done.
            """
            assert self._acting is not None
            try:
                step = self._acting.act(str(action)[:MAX_ACTION])
            except Exception as error:
                self._failure = error
                raise
            self._reward, self._best = step.reward, max(self._best, step.progress)
            return step.observation

        def get_reward(self) -> float:
            if self._failure is not None:
                raise RuntimeError(f"the environment of task {self._task} failed: {self._failure}") from self._failure
            return self._reward if self._reward >= 1.0 else progress * self._best

    return World
