"""Fact landmarks of the delete relaxation, and the landmark count kept on bit masks.

A landmark is a fact that every plan makes true at some time. ``label[f]`` holds the facts that must come before ``f``:
the intersection over the rules that add ``f`` of the union of the labels of what the rule needs.

Sources: Zhu and Givan, Landmark Extraction via Planning Graph Propagation, 2003 (labels); Richter and Westphal, The
LAMA Planner, 2010 (count, required again).
"""

from __future__ import annotations

from collections import deque

from cultivar.environments.pddl.effort import Effort
from cultivar.environments.pddl.normal import NormalTask, bits


class Landmarks:
    """``facts`` are the landmarks; ``accept`` and ``count`` follow them along a path."""

    def __init__(self, task: NormalTask, effort: Effort) -> None:
        self.task = task
        label = _labels(task, effort)
        self.facts = task.goal
        for fact in bits(task.goal & ~task.initial):
            self.facts |= label.get(fact, 0)
        self._just_before = self._orders(label)
        self._needed: dict[int, int] = {}

    def _orders(self, label: dict[int, int]) -> dict[int, int]:
        """Landmark -> what holds just before it is first made true (greedy-necessary orders)."""
        fresh = self.facts & ~self.task.initial
        before: dict[int, int] = {}
        for need, add, _, _ in self.task.relaxed:
            for fact in bits(add & fresh):
                if any(label.get(p, 0) >> fact & 1 for p in bits(need)):
                    continue  # the rule needs something that comes after this landmark: it is not what makes it first
                before[fact] = before.get(fact, -1) & need
        return {fact: need for fact, need in before.items() if need > 0}

    def accept(self, accepted: int, state: int) -> int:
        return accepted | state & self.facts

    def count(self, accepted: int, state: int) -> int:
        """Landmarks still to come, and accepted ones that must be made true again."""
        needed = self._needed.get(accepted)
        if needed is None:
            needed = self.task.goal
            for fact, before in self._just_before.items():
                if not accepted >> fact & 1:
                    needed |= before
            self._needed[accepted] = needed
        return (self.facts & ~accepted).bit_count() + (accepted & ~state & needed).bit_count()


def _labels(task: NormalTask, effort: Effort) -> dict[int, int]:
    rules = task.relaxed
    users: dict[int, list[int]] = {}
    needs: list[tuple[int, ...]] = []
    for i, rule in enumerate(rules):
        need = tuple(bits(rule.need))
        needs.append(need)
        for fact in need:
            users.setdefault(fact, []).append(i)
    adds = [tuple(bits(rule.add & ~task.initial)) for rule in rules]
    label = {fact: 1 << fact for fact in bits(task.initial)}
    waiting = [(rule.need & ~task.initial).bit_count() for rule in rules]
    todo = deque(i for i, n in enumerate(waiting) if not n)
    queued = bytearray(len(rules))
    steps = 0
    while todo:
        steps += 1
        if steps & 255 == 0:
            effort.check_clock()
        i = todo.popleft()
        queued[i] = 0
        before = 0
        for fact in needs[i]:
            before |= label[fact]
        for fact in adds[i]:
            old = label.get(fact)
            new = before | 1 << fact
            if old is None:
                label[fact] = new
                for j in users.get(fact, ()):
                    waiting[j] -= 1
                    if not waiting[j]:
                        queued[j] = 1
                        todo.append(j)
            elif old & ~new:
                label[fact] = old & new
                for j in users.get(fact, ()):
                    if not waiting[j] and not queued[j]:
                        queued[j] = 1
                        todo.append(j)
    return label
