"""Best-first width search: states that show something new come first.

A state is as novel as the smallest set of its facts (one fact, two facts, more) that no state before it had, among the
states with the same number of goals to go and of relaxed-plan facts achieved. With facts as bits, the test of one fact
is one operation on integers and the test of pairs is one a fact, so that a hundred thousand states a second pass.

Source: Lipovetzky and Geffner, Best-First Width Search: Exploration and Exploitation in Classical Planning, 2017,
BFWS(f5).
"""

from __future__ import annotations

import heapq
from collections import deque

from cultivar.environments.pddl.effort import Effort
from cultivar.environments.pddl.greedy import Parents, Search, trace
from cultivar.environments.pddl.heuristics import RelaxedPlans
from cultivar.environments.pddl.landmarks import Landmarks
from cultivar.environments.pddl.normal import NormalTask, bits
from cultivar.environments.pddl.successors import Successors


def width_search(
    task: NormalTask, successors: Successors, effort: Effort, landmarks: Landmarks | None, pairs: bool = True
) -> Search:
    relaxed = RelaxedPlans(task)
    goal = task.goal
    plain = task.plain
    parents: Parents = {task.initial: None}
    ones: dict[tuple[int, int], int] = {}
    twos: dict[tuple[int, int], dict[int, int]] = {}
    first = relaxed.estimate(task.initial)
    if first is None:
        return None
    togo = (goal & ~task.initial).bit_count()
    accepted = 0
    if landmarks:
        accepted = task.initial & landmarks.facts
        togo = landmarks.count(accepted, task.initial)
    # state, goals to go, facts of its relaxed plan, those achieved since, landmarks accepted
    Node = tuple[int, int, int, int, int]
    buckets: dict[tuple[int, int], deque[Node]] = {(1, togo): deque([(task.initial, togo, first.adds, 0, accepted)])}
    keys = [(1, togo)]
    while keys:
        bucket = buckets[keys[0]]
        if not bucket:
            del buckets[heapq.heappop(keys)]
            continue
        state, togo, aims, met, accepted = bucket.popleft()
        effort.expand()
        work = 10
        for move in successors.moves(state):
            after = state & move.keep | move.add if plain else task.apply(state, move)
            if after in parents:
                continue
            parents[after] = (state, move)
            work += 3
            now = accepted
            if landmarks:
                now |= after & landmarks.facts
                left = landmarks.count(now, after)
            else:
                left = (goal & ~after).bit_count()
            if after & goal == goal:
                return trace(parents, after)
            if left < togo:
                effort.evaluated += 1
                work += relaxed.work
                estimate = relaxed.estimate(after)
                if estimate is None:
                    continue
                node = (after, left, estimate.adds & ~after, 0, now)
            else:
                node = (after, left, aims, met | after & aims, now)
            cell = (left, node[3].bit_count())
            seen = ones.get(cell, 0)
            new = after & ~seen
            width = 3
            if new:
                ones[cell] = seen | new
                width = 1
            if pairs:
                table = twos.get(cell)
                if table is None:
                    table = twos[cell] = {}
                for f in bits(move.add):
                    with_f = table.get(f, 0)
                    if after & ~with_f:
                        table[f] = with_f | after
                        if width > 2:
                            width = 2
            key = (width, left)
            if key not in buckets:
                buckets[key] = deque()
                heapq.heappush(keys, key)
            buckets[key].append(node)
        yield work
    return None
