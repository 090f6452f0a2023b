"""Best-first width search: states that show something new come first.

A state is as novel as the smallest set of its facts (one fact, two facts, more) that no state before it had, among the
states with the same number of goals to go and of relaxed-plan facts achieved. With facts as bits, the test of one fact
is one operation on integers and the test of pairs is one a fact, so that tens of thousands of states a second pass.

Source: Lipovetzky and Geffner, Best-First Width Search: Exploration and Exploitation in Classical Planning, 2017,
BFWS(f5).
"""

from __future__ import annotations

import heapq
from collections import deque

from cultivar.environments.pddl.planner.effort import Effort
from cultivar.environments.pddl.planner.greedy import Parents, Search, trace
from cultivar.environments.pddl.planner.heuristics import RelaxedPlans
from cultivar.environments.pddl.planner.normal import NormalTask, bits
from cultivar.environments.pddl.planner.successors import Successors

# What the tables of pairs may hold, in bytes; past this only single facts are tested.
PAIR_BYTES = 400_000_000

# A state, its goals to go, the facts that its relaxed plan aims at, and those of them met since.
Node = tuple[int, int, int, int]
# Goals to go, facts met.
Cell = tuple[int, int]


class Novelty:
    """The facts, and the pairs of facts, that the states of each cell have shown so far."""

    def __init__(self, width: int) -> None:
        self._facts: dict[Cell, int] = {}
        self._pairs: dict[Cell, dict[int, int]] = {}
        self._room = PAIR_BYTES // (100 + width // 8)

    def measure(self, cell: Cell, state: int, added: int) -> int:
        """1, 2 or 3 (more); of the pairs only those with a fact just added are looked at."""
        seen = self._facts.get(cell, 0)
        novelty = 3
        if state & ~seen:
            self._facts[cell] = seen | state
            novelty = 1
        if self._room > 0:
            table = self._pairs.get(cell)
            if table is None:
                table = self._pairs[cell] = {}
            for fact in bits(added):
                beside = table.get(fact)
                if beside is None:
                    beside = 0
                    self._room -= 1
                if state & ~beside:
                    table[fact] = beside | state
                    novelty = min(novelty, 2)
        return novelty


def width_search(task: NormalTask, successors: Successors, effort: Effort) -> Search:
    """Every state gets in, so that the search is complete; the novel ones first, then those with few goals to go."""
    relaxed = RelaxedPlans(task)
    novelty = Novelty(task.full.bit_length())
    goal, plain = task.goal, task.plain
    parents: Parents = {task.initial: None}
    first = relaxed.estimate(task.initial)
    if first is None:
        return None
    togo = (goal & ~task.initial).bit_count()
    buckets: dict[tuple[int, int], deque[Node]] = {(1, togo): deque([(task.initial, togo, first.adds, 0)])}
    keys = [(1, togo)]
    while keys:
        bucket = buckets[keys[0]]
        if not bucket:
            del buckets[heapq.heappop(keys)]
            continue
        state, togo, aims, met = bucket.popleft()
        effort.expand()
        work = 10
        for move in successors.moves(state):
            after = state & move.keep | move.add if plain else task.apply(state, move)
            if after in parents:
                continue
            parents[after] = (state, move)
            work += 5
            left = (goal & ~after).bit_count()
            node = (after, left, aims, met | after & aims)
            if left < togo:
                if not left:
                    return trace(parents, after)
                effort.evaluated += 1
                effort.check_clock()
                work += relaxed.work
                estimate = relaxed.estimate(after)
                if estimate is None:
                    continue
                node = (after, left, estimate.adds & ~after, 0)
            key = (novelty.measure((left, node[3].bit_count()), after, after & ~state), left)
            if key not in buckets:
                buckets[key] = deque()
                heapq.heappush(keys, key)
            buckets[key].append(node)
        yield work
    return None
