"""Lazy greedy best-first search on the FF heuristic, with a queue of helpful moves beside the queue of all.

A state is evaluated when it is taken, not when it is made; all moves of a state enter a queue in one piece.

Source: Richter and Westphal, The LAMA Planner, 2010.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Generator, Iterator

from cultivar.environments.pddl.planner.effort import Effort
from cultivar.environments.pddl.planner.heuristics import RelaxedPlans
from cultivar.environments.pddl.planner.normal import Move, NormalTask
from cultivar.environments.pddl.planner.successors import Successors

# A search yields the work done since it last did (about microseconds, but counted, not measured), and returns a plan,
# or None once the whole space has been seen.
Search = Generator[int, None, list[Move] | None]
Parents = dict[int, tuple[int, Move] | None]

# By how many turns the helpful moves go ahead whenever the search has come nearer to the goal than ever.
BOOST = 1000


class Queue:
    """States and their moves by the state's value; first in, first out within a value."""

    def __init__(self) -> None:
        self.priority = 0
        self._keys: list[int] = []
        self._buckets: dict[int, deque[tuple[int, Iterator[Move]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def push(self, key: int, state: int, moves: list[Move]) -> None:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = deque()
            heapq.heappush(self._keys, key)
        bucket.append((state, iter(moves)))

    def pop(self) -> tuple[int, Move] | None:
        """The next state and move; None if what lay on top was used up."""
        key = self._keys[0]
        bucket = self._buckets[key]
        state, moves = bucket[0]
        move = next(moves, None)
        if move is not None:
            return state, move
        bucket.popleft()
        if not bucket:
            del self._buckets[key]
            heapq.heappop(self._keys)
        return None


def trace(parents: Parents, state: int) -> list[Move]:
    """The moves that led to a state."""
    plan: list[Move] = []
    step = parents[state]
    while step is not None:
        state, move = step
        plan.append(move)
        step = parents[state]
    return plan[::-1]


def greedy(task: NormalTask, successors: Successors, effort: Effort) -> Search:
    relaxed = RelaxedPlans(task)
    goal = task.goal
    state = task.initial
    parents: Parents = {state: None}
    anything, preferred = Queue(), Queue()
    best: int | None = None
    while True:
        effort.evaluated += 1
        estimate = relaxed.estimate(state)
        if estimate is not None:
            effort.expand()
            value, helpful = estimate.length, estimate.helpful
            if best is None or value < best:
                best = value
                preferred.priority -= BOOST
            moves = successors.moves(state)
            anything.push(value, state, moves)
            preferred.push(value, state, [m for m in moves if helpful >> m.number & 1])
        yield relaxed.work
        while True:
            waiting = [q for q in (anything, preferred) if q]
            if not waiting:
                return None
            queue = min(waiting, key=lambda q: q.priority)
            taken = queue.pop()
            if taken is None:
                continue
            queue.priority += 1
            state = task.apply(*taken)
            if state not in parents:
                break
        parents[state] = taken
        if state & goal == goal:
            return trace(parents, state)
