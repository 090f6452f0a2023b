"""The planner: ``plan(task)`` answers with a plan, a proof that there is none, or the limit that was reached.

Without ``optimal`` a plan is found by greedy search; with it, by A*. Equal tasks and equal ``max_expansions`` give
equal plans in every process on every machine: nothing depends on hashes of strings, and the clock is read only where
``max_seconds`` asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cultivar.environments.pddl.effort import Effort, OutOfBudget
from cultivar.environments.pddl.greedy import Search, greedy
from cultivar.environments.pddl.grounded import GroundTask, Operator
from cultivar.environments.pddl.landmarks import Landmarks
from cultivar.environments.pddl.normal import Move, NormalTask
from cultivar.environments.pddl.optimal import solve_optimally
from cultivar.environments.pddl.successors import Successors

Status = Literal["solved", "unsolvable", "limit"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search found. ``unsolvable`` is only said where it is proved; ``seconds`` are CPU seconds."""

    status: Status
    operators: tuple[Operator, ...] = ()
    cost: int = 0
    optimal: bool = False
    expanded: int = 0
    evaluated: int = 0
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.operators)

    def steps(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(op.name, op.args) for op in self.operators]


def plan(
    task: GroundTask,
    *,
    optimal: bool = False,
    max_expansions: int | None = None,
    max_seconds: float | None = None,
) -> Plan:
    """A plan for the task. ``max_seconds`` are CPU seconds; without limits the search runs until it has an answer."""
    effort = Effort(max_expansions, max_seconds)
    if task.unreachable_goal:
        return _plan("unsolvable", None, effort)
    try:
        found = _solve(task, optimal, effort)
    except OutOfBudget:
        return _plan("limit", None, effort)
    return _plan("solved" if found is not None else "unsolvable", found, effort, optimal)


def _plan(status: Status, moves: Sequence[Move] | None, effort: Effort, optimal: bool = False) -> Plan:
    operators = tuple(m.operator for m in moves or ())
    cost = sum(op.cost for op in operators)
    proved = status == "solved" and (optimal or not operators)
    return Plan(status, operators, cost, proved, effort.expanded, effort.evaluated, effort.seconds)


def _solve(task: GroundTask, optimal: bool, effort: Effort) -> list[Move] | None:
    normal = NormalTask(task)
    if normal.initial & normal.goal == normal.goal:
        return []
    successors = Successors(normal)
    if optimal:
        return solve_optimally(normal, successors, effort)
    return _run(greedy(normal, successors, effort, Landmarks(normal, effort)))


def _run(search: Search) -> list[Move] | None:
    while True:
        try:
            next(search)
        except StopIteration as done:
            found: list[Move] | None = done.value
            return found
