"""The LM-cut heuristic: admissible, on sets of rules held as integers.

While the goal still costs something in the relaxed task, cut the rules that every relaxed plan must cross, count the
cheapest of them and make all of them cheaper by that much. Rules of one move (its conditional effects) are cut
together, so that a move is never counted twice; axioms cost nothing.

Sources: Helmert and Domshlak, Landmarks, Critical Paths and Abstractions: What's the Difference Anyway?, 2009;
Pommerening and Helmert, Incremental LM-cut, 2013.
"""

from __future__ import annotations

import heapq
from functools import reduce
from operator import or_

from cultivar.environments.pddl.planner.normal import Move, NormalTask, bits

# For each fact that chooses rules: the rules whose dearest need it is.
Choice = list[tuple[int, int]]


def cheapen(costs: dict[int, int], rules: int, price: int) -> dict[int, int]:
    """The rules by their cost after some of them have become cheaper by ``price``."""
    after: dict[int, int] = {}
    for cost, part in costs.items():
        less, same = part & rules, part & ~rules
        if less:
            after[cost - price] = after.get(cost - price, 0) | less
        if same:
            after[cost] = after.get(cost, 0) | same
    return after


class LandmarkCut:
    def __init__(self, task: NormalTask) -> None:
        self.task = task
        rules = task.relaxed
        width = task.full.bit_length()
        self._users, self._adders = [0] * width, [0] * width
        self._costs: dict[int, int] = {}
        self._siblings: dict[int, int] = {}
        self._watched = task.goal
        self._cuts: dict[int, list[tuple[int, int]]] = {}
        for i, rule in enumerate(rules):
            one = 1 << i
            for fact in bits(rule.need):
                self._users[fact] |= one
            for fact in bits(rule.add):
                self._adders[fact] |= one
            self._costs[rule.cost] = self._costs.get(rule.cost, 0) | one
            self._siblings[rule.move] = self._siblings.get(rule.move, 0) | one
            self._watched |= rule.need
        self._all = (1 << len(rules)) - 1

    def value(self, state: int, came: tuple[int, Move] | None = None) -> int | None:
        """A lower bound on the cost of a plan from the state; None if there is none even without deletes.

        ``came`` is a state that was valued before and the move that led from it. Its cuts without that move are cuts
        of this state too, so that only what they leave is worked out.
        """
        costs = self._costs
        cuts: list[tuple[int, int]] = []
        if came:
            done = self._siblings.get(came[1].number, 0)
            cuts = [cut for cut in self._cuts[came[0]] if not cut[0] & done]
            for rules, price in cuts:
                costs = cheapen(costs, rules, price)
        while True:
            found = self._levels(state, costs)
            if found is None:
                return None
            dearest, start, choice = found
            if dearest < 0:
                self._cuts[state] = cuts
                return sum(price for _, price in cuts)
            rules = self._cut(dearest, start, choice, costs.get(0, 0))
            price = min(cost for cost, part in costs.items() if part & rules)
            cuts.append((rules, price))
            costs = cheapen(costs, rules, price)

    def _levels(self, state: int, costs: dict[int, int]) -> tuple[int, int, Choice] | None:
        """(the dearest goal fact, or -1 if the goal is free; the rules that need nothing more; who chose what).

        A Dijkstra search over h-max values whose steps are whole sets of rules.
        """
        users, adders = self._users, self._adders
        missing = self._watched & ~state
        absent = list(bits(missing))
        start = done = self._all & ~reduce(or_, [users[f] for f in absent], 0)
        choice: Choice = []
        level: dict[int, int] = {}
        pending: dict[int, int] = {}
        queue: list[int] = []
        value, new = 0, start
        while absent:
            for cost, rules in costs.items():
                part = new & rules
                if part:
                    if value + cost not in pending:
                        heapq.heappush(queue, value + cost)
                        pending[value + cost] = 0
                    pending[value + cost] |= part
            if not queue:
                break
            value = heapq.heappop(queue)
            ready = pending.pop(value)
            fresh = [f for f in absent if adders[f] & ready]
            new = 0
            if not fresh:
                continue
            for f in fresh:
                level[f] = value
            absent = [f for f in absent if f not in level]
            new = self._all & ~reduce(or_, [users[f] for f in absent], done)
            done |= new
            left = new
            for f in fresh:
                mine = users[f] & left
                if mine:
                    choice.append((f, mine))
                    left ^= mine
        dearest, most = -1, 0
        for f in bits(self.task.goal & ~state):
            if f not in level:
                return None
            if level[f] > most:
                dearest, most = f, level[f]
        return dearest, start, choice

    def _cut(self, dearest: int, start: int, choice: Choice, free: int) -> int:
        """The rules that lead from what the state reaches into what reaches the goal for nothing."""
        adders = self._adders
        zone, into = {dearest}, adders[dearest]
        seen = 0
        while True:
            fresh = into & free & ~seen
            if not fresh:
                break
            seen |= fresh
            for f, mine in choice:
                if mine & fresh and f not in zone:
                    zone.add(f)
                    into |= adders[f]
        cut = 0
        reached: set[int] = set()
        ready = start
        while ready:
            cut |= ready & into
            following = 0
            for f, mine in choice:
                if adders[f] & ready and f not in zone and f not in reached:
                    reached.add(f)
                    following |= mine
            ready = following
        if self.task.plain:
            return cut
        whole = 0
        for i in bits(cut):
            whole |= self._siblings[self.task.relaxed[i].move]
        return whole
