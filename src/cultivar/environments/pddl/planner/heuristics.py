"""The FF heuristic on sets of operators held as integers.

The relaxed planning graph is built layer by layer. A layer asks "which operators still miss a fact?" with one
bit-wise *or* a missing fact, and "which missing facts does a new operator add?" with one bit-wise *and*; where only
few operators can be new, they are looked at one by one instead. That is ten times as fast in Python as counters.

Source: Hoffmann and Nebel, The FF Planning System, 2001 (relaxed plan, helpful actions).
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import NamedTuple

from cultivar.environments.pddl.planner.normal import NormalTask, bits


class Estimate(NamedTuple):
    """A relaxed plan: its length, the helpful moves (their numbers as bits), the facts that it adds."""

    length: int
    helpful: int
    adds: int


class RelaxedPlans:
    """``estimate(state)`` for one task; None where even the relaxed task cannot be solved."""

    def __init__(self, task: NormalTask) -> None:
        self.task = task
        self.goal = task.goal
        self._rules = task.relaxed
        width = task.full.bit_length()
        users, adders = [0] * width, [0] * width
        for i, rule in enumerate(self._rules):
            one = 1 << i
            for fact in bits(rule.need):
                users[fact] |= one
            for fact in bits(rule.add):
                adders[fact] |= one
        self._users, self._adders = users, adders
        self._all = (1 << len(self._rules)) - 1
        # Only facts that a rule reads, or the goal, can matter.
        self._watched = self.goal | reduce(or_, (r.need for r in self._rules), 0)
        # What one evaluation costs, in about microseconds.
        self.work = 10 + self._watched.bit_count() * (8000 + len(self._rules)) // 8000

    def levels(self, state: int, goal: int) -> tuple[dict[int, int], dict[int, int]] | None:
        """For each watched fact reached after the state: its layer, and the rules that reach it there first."""
        users, adders, rules = self._users, self._adders, self._rules
        missing = self._watched & ~state
        absent = list(bits(missing))
        level: dict[int, int] = {}
        supporters: dict[int, int] = {}
        done = 0
        layer = 0
        fresh: list[int] | None = None
        while goal & missing:
            layer += 1
            candidates = 0
            if fresh is not None:
                candidates = reduce(or_, [users[f] for f in fresh]) & ~done
            if fresh is not None and candidates.bit_count() * 3 < len(absent):
                new = 0
                gained = 0
                for i in bits(candidates):
                    if not rules[i].need & missing:
                        new |= 1 << i
                        gained |= rules[i].add
                fresh = list(bits(gained & missing))
            else:
                absent = [f for f in absent if f not in level]
                new = self._all & ~reduce(or_, [users[f] for f in absent], done)
                fresh = [f for f in absent if adders[f] & new]
            if not fresh:
                return None
            done |= new
            for f in fresh:
                level[f] = layer
                supporters[f] = adders[f] & new
                missing ^= 1 << f
        return level, supporters

    def estimate(self, state: int, goal: int | None = None) -> Estimate | None:
        """A relaxed plan from the state, built backwards from the goal; None if there is none.

        Another ``goal`` than the task's may hold only facts that the task's goal or a precondition holds.
        """
        goal = self.goal if goal is None else goal
        found = self.levels(state, goal)
        if found is None:
            return None
        level, supporters = found
        rules = self._rules
        layers: list[list[int]] = [[] for _ in range(max(level.values(), default=0) + 1)]
        for f in bits(goal & ~state):
            layers[level[f]].append(f)
        marked = state | goal
        length = helpful = adds = chosen = 0
        for depth in range(len(layers) - 1, 0, -1):
            for f in layers[depth]:
                options = supporters[f]
                if options & chosen:
                    continue
                best = self._easiest(options, level)
                chosen |= 1 << best
                need, add, _, move = rules[best]
                length += move >= 0
                adds |= add
                if depth == 1:
                    helpful |= options
                for p in bits(need & ~marked):
                    layers[level[p]].append(p)
                marked |= need
        return Estimate(length, self._moves(helpful), adds)

    def _easiest(self, options: int, level: dict[int, int]) -> int:
        """The supporter whose conditions are reached soonest in sum; the lowest number where several are."""
        if not options & (options - 1):
            return options.bit_length() - 1
        rules = self._rules
        best, least = -1, -1
        for i in bits(options):
            effort = 0
            for p in bits(rules[i].need):
                effort += level.get(p, 0)
            if best < 0 or effort < least:
                best, least = i, effort
                if not effort:
                    break
        return best

    def _moves(self, chosen: int) -> int:
        """A set of rules -> the set of their moves."""
        if self.task.plain:  # one rule a move, in the same order
            return chosen
        found = 0
        for i in bits(chosen):
            move = self._rules[i].move
            if move >= 0:
                found |= 1 << move
        return found
