"""Cost-optimal search: uniform-cost, which is very fast a state, and A* with a lower bound, which needs few states.

Source: Hart, Nilsson and Raphael, A Formal Basis for the Heuristic Determination of Minimum Cost Paths, 1968.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from cultivar.environments.pddl.planner.effort import Effort
from cultivar.environments.pddl.planner.greedy import Parents, Search, trace
from cultivar.environments.pddl.planner.normal import Move, NormalTask
from cultivar.environments.pddl.planner.successors import Successors

# A lower bound on the cost from a state that was reached from another by a move; None for a dead end.
Bound = Callable[[int, tuple[int, Move] | None], int | None]

# What one call of the LM-cut bound costs, in the counted microseconds that searches yield, for each fact.
BOUND_WORK = 2


def uniform_cost(task: NormalTask, successors: Successors, effort: Effort) -> Search:
    """A cheapest plan. A goal state counts when it is made; the search ends when nothing cheaper can follow."""
    goal, plain = task.goal, task.plain
    least = min((m.cost for m in task.moves), default=0)
    parents: Parents = {task.initial: None}
    cheapest = {task.initial: 0}
    buckets: dict[int, list[int]] = {0: [task.initial]}
    costs = [0]
    best: int | None = None
    while costs:
        g = costs[0]
        if best is not None and g + least >= cheapest[best]:
            break
        bucket = buckets[g]
        if not bucket:
            del buckets[heapq.heappop(costs)]
            continue
        # A bucket is a layer: taken whole and in order, so that plans do not depend on how a stack unwinds.
        buckets[g] = []
        for state in bucket:
            if cheapest[state] != g:
                continue
            effort.expand()
            moves = successors.moves(state)
            for move in moves:
                after = state & move.keep | move.add if plain else task.apply(state, move)
                cost = g + move.cost
                if after in cheapest and cheapest[after] <= cost:
                    continue
                cheapest[after] = cost
                parents[after] = (state, move)
                if after & goal == goal and (best is None or cost < cheapest[best] or best == after):
                    best = after
                    if g + least >= cost:
                        return trace(parents, best)
                if cost not in buckets:
                    buckets[cost] = []
                    heapq.heappush(costs, cost)
                buckets[cost].append(after)
            yield 5 + len(moves)
    return None if best is None else trace(parents, best)


def astar(task: NormalTask, successors: Successors, effort: Effort, bound: Bound) -> Search:
    """A cheapest plan. ``bound`` never overestimates and is None for dead ends; it is asked when a state is taken.

    A state goes back into the queue if its own bound is higher than the one it inherited, so that most states of the
    last layer are never evaluated. States are reopened when a cheaper way to them is found.
    """
    goal = task.goal
    work = 30 + BOUND_WORK * task.relevant.bit_count() * (8000 + len(task.relaxed)) // 8000
    parents: Parents = {task.initial: None}
    cheapest = {task.initial: 0}
    bounds: dict[int, int | None] = {}
    order = 0
    queue: list[tuple[int, int, int, int]] = [(0, 0, 0, task.initial)]  # f, -g, order, state
    while queue:
        f, minus_g, _, state = heapq.heappop(queue)
        g = cheapest[state]
        if g != -minus_g:
            continue
        if state & goal == goal:
            return trace(parents, state)
        if state not in bounds:
            effort.evaluated += 1
            bounds[state] = bound(state, parents[state])
            yield work
        rest = bounds[state]
        if rest is None:
            continue
        if g + rest > f:
            order += 1
            heapq.heappush(queue, (g + rest, minus_g, order, state))
            continue
        effort.expand()
        for move in successors.moves(state):
            after = task.apply(state, move)
            cost = g + move.cost
            if after not in cheapest or cost < cheapest[after]:
                cheapest[after] = cost
                parents[after] = (state, move)
                order += 1
                heapq.heappush(queue, (max(f, cost), -cost, order, after))
    return None
