"""What a search may spend and what it has spent."""

from __future__ import annotations

import time


class OutOfBudget(Exception):
    """A limit was reached before the search ended."""


class Effort:
    """Counts expansions and evaluations; raises OutOfBudget at the limit of expansions or of CPU seconds."""

    def __init__(self, max_expansions: int | None = None, max_seconds: float | None = None) -> None:
        self.expanded = 0
        self.evaluated = 0
        self.started = time.process_time()
        self._most = max_expansions
        self._deadline = None if max_seconds is None else self.started + max_seconds

    @property
    def seconds(self) -> float:
        return time.process_time() - self.started

    def expand(self) -> None:
        if self._most is not None and self.expanded >= self._most:
            raise OutOfBudget
        self.expanded += 1
        if self._deadline is not None and time.process_time() > self._deadline:
            raise OutOfBudget

    def check_clock(self) -> None:
        """For loops that expand nothing."""
        if self._deadline is not None and time.process_time() > self._deadline:
            raise OutOfBudget
