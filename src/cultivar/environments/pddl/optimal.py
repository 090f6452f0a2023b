"""Cost-optimal search: uniform-cost while the task is tiny, A* with LM-cut where it is not.

Sources: Hart, Nilsson and Raphael, A Formal Basis for the Heuristic Determination of Minimum Cost Paths, 1968.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from cultivar.environments.pddl.effort import Effort
from cultivar.environments.pddl.greedy import Parents, trace
from cultivar.environments.pddl.lmcut import LandmarkCut
from cultivar.environments.pddl.normal import Move, NormalTask
from cultivar.environments.pddl.successors import Successors


def blind(state: int) -> int:
    return 0


def astar(
    task: NormalTask, successors: Successors, effort: Effort, bound: Callable[[int], int | None] = blind
) -> list[Move] | None:
    """A cheapest plan, or None if there is none. ``bound`` never overestimates; it is asked when a state is taken.

    A state goes back into the queue if its own bound is higher than the one it inherited, so that most states of the
    last layer are never evaluated. States are reopened when a cheaper way to them is found.
    """
    goal = task.goal
    parents: Parents = {task.initial: None}
    cheapest = {task.initial: 0}
    bounds: dict[int, int | None] = {}
    closed: dict[int, int] = {}
    queue: list[tuple[int, int, int, int]] = [(0, 0, 0, task.initial)]  # f, -g, order, state
    order = 0
    while queue:
        f, depth, _, state = heapq.heappop(queue)
        g = cheapest[state]
        if g != -depth or closed.get(state) == g:
            continue
        if bound is not blind:
            if state not in bounds:
                effort.evaluated += 1
                bounds[state] = bound(state)
            rest = bounds[state]
            if rest is None:
                continue
            if g + rest > f:
                order += 1
                heapq.heappush(queue, (g + rest, depth, order, state))
                continue
        if state & goal == goal:
            return trace(parents, state)
        effort.expand()
        closed[state] = g
        for move in successors.moves(state):
            after = task.apply(state, move)
            cost = g + move.cost
            if cost < cheapest.get(after, cost + 1):
                cheapest[after] = cost
                parents[after] = (state, move)
                order += 1
                heapq.heappush(queue, (max(f, cost), -cost, order, after))
    return None


def solve_optimally(task: NormalTask, successors: Successors, effort: Effort) -> list[Move] | None:
    return astar(task, successors, effort, LandmarkCut(task).value)
