"""Making a plan cheaper without searching for a new one.

First, moves that the rest of the plan can do without are struck; then the states around the plan are opened, layer by
layer, and the cheapest path through what has been opened replaces the plan.

Sources: Nakhost and Müller, Action Elimination and Plan Neighborhood Graph Search, 2010.
"""

from __future__ import annotations

import heapq

from cultivar.environments.pddl.planner.effort import Effort, OutOfBudget
from cultivar.environments.pddl.planner.normal import Move, NormalTask
from cultivar.environments.pddl.planner.successors import Successors


def improve(task: NormalTask, successors: Successors, effort: Effort, plan: list[Move], work: int) -> list[Move]:
    """A plan that costs no more, for about ``work`` microseconds; never raises for want of budget."""
    try:
        plan = strike(task, effort, plan)
        return shortcut(task, successors, effort, plan, work)
    except OutOfBudget:
        return plan


def trajectory(task: NormalTask, plan: list[Move]) -> list[int]:
    states = [task.initial]
    for move in plan:
        states.append(task.apply(states[-1], move))
    return states


def strike(task: NormalTask, effort: Effort, plan: list[Move]) -> list[Move]:
    """Greedy action elimination: a move goes, with all that depend on it, if the goal is still reached."""
    i, state = 0, task.initial
    while i < len(plan):
        effort.check_clock()
        after, kept = state, []
        for move in plan[i + 1 :]:
            if after & move.need == move.need:
                kept.append(move)
                after = task.apply(after, move)
        if after & task.goal == task.goal:
            plan = [*plan[:i], *kept]
        else:
            state = task.apply(state, plan[i])
            i += 1
    return plan


def shortcut(task: NormalTask, successors: Successors, effort: Effort, plan: list[Move], work: int) -> list[Move]:
    """The cheapest path through the neighbourhood of the plan; among equally cheap ones, the shortest."""
    edges: dict[int, list[tuple[Move, int]]] = {}
    layer = trajectory(task, plan)
    known = set(layer)
    while layer and work > 0:
        following = []
        for state in layer:
            effort.expand()
            opened = edges[state] = [(move, task.apply(state, move)) for move in successors.moves(state)]
            work -= 10 + len(opened)
            for _, after in opened:
                if after not in known:
                    known.add(after)
                    following.append(after)
            if work <= 0:
                break
        layer = following
    return _cheapest(task, edges) or plan


def _cheapest(task: NormalTask, edges: dict[int, list[tuple[Move, int]]]) -> list[Move] | None:
    goal = task.goal
    best = {task.initial: (0, 0)}
    parents: dict[int, tuple[int, Move]] = {}
    queue = [(0, 0, 0, task.initial)]
    order = 0
    while queue:
        cost, length, _, state = heapq.heappop(queue)
        if best[state] != (cost, length):
            continue
        if state & goal == goal:
            found = []
            while state in parents:
                state, move = parents[state]
                found.append(move)
            return found[::-1]
        for move, after in edges.get(state, ()):
            price = cost + move.cost, length + 1
            if after not in best or price < best[after]:
                best[after] = price
                parents[after] = state, move
                order += 1
                heapq.heappush(queue, (*price, order, after))
    return None
