"""Lazy greedy best-first search with two heuristics and queues of preferred moves.

A state is evaluated when it is taken, not when it is made; all moves of a state enter a queue in one piece.

Source: Richter and Westphal, The LAMA Planner, 2010.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Generator, Iterator

from cultivar.environments.pddl.effort import Effort
from cultivar.environments.pddl.heuristics import RelaxedPlans
from cultivar.environments.pddl.landmarks import Landmarks
from cultivar.environments.pddl.normal import Move, NormalTask
from cultivar.environments.pddl.successors import Successors

# A search yields the work done since it last did (about microseconds, but counted, not measured), and returns a plan,
# or None once the whole space has been seen.
Search = Generator[int, None, list[Move] | None]
Parents = dict[int, tuple[int, Move] | None]

BOOST = 1000


class Queue:
    """States and their moves by the state's value; first in, first out within a value."""

    def __init__(self, preferred: bool) -> None:
        self.preferred = preferred
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


def greedy(task: NormalTask, successors: Successors, effort: Effort, landmarks: Landmarks | None) -> Search:
    relaxed = RelaxedPlans(task)
    work = relaxed.work
    goal = task.goal
    state = task.initial
    parents: Parents = {state: None}
    accepted = {state: state & landmarks.facts} if landmarks else {}
    queues = [Queue(False), Queue(True)] + ([Queue(False), Queue(True)] if landmarks else [])
    best = [1 << 60] * 2
    while True:
        effort.evaluated += 1
        estimate = relaxed.estimate(state)
        if estimate is not None:
            effort.expand()
            moves = successors.moves(state)
            helpful = estimate.helpful
            values = [estimate.length]
            if landmarks:
                reached = accepted[state]
                values.append(landmarks.count(reached, state))
                wanted = landmarks.facts & ~reached
                preferred = [m for m in moves if m.add & wanted or helpful >> m.number & 1]
            else:
                preferred = [m for m in moves if helpful >> m.number & 1]
            for i, value in enumerate(values):
                if value < best[i]:
                    best[i] = value
                    for queue in queues:
                        queue.priority -= BOOST * queue.preferred
                queues[2 * i].push(value, state, moves)
                if preferred:
                    queues[2 * i + 1].push(value, state, preferred)
        yield work
        while True:
            waiting = [q for q in queues if q]
            if not waiting:
                return None
            queue = min(waiting, key=lambda q: q.priority)
            queue.priority += 1
            taken = queue.pop()
            if taken is None:
                queue.priority -= 1
                continue
            parent, move = taken
            state = task.apply(parent, move)
            if state not in parents:
                break
        parents[state] = taken
        if state & goal == goal:
            return trace(parents, state)
        if landmarks:
            accepted[state] = landmarks.accept(accepted[parent], state)
