"""Which operators a state allows, in a number of lookups that does not grow with the number of operators.

The facts that preconditions read are cut into small groups. For each group, the part of the state inside it is looked
up in a table that says which operators it does not rule out (one bit an operator); the intersection over all groups
is the answer. Facts that share their first argument are put together, because they are mostly mutually exclusive
("at package1 ..."), so that a group takes few different values. Tables are filled as values turn up and are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable

from cultivar.environments.pddl.grounded import GroundTask, Operator

_ALONE = 8  # facts with one first argument that make a group of their own
_WIDEST = 64  # facts in a group of facts that share the first argument
_MIXED = 16  # facts in a group of others: at most 2**16 values
_MEMORY = 64 << 20  # bytes of all tables together


class Applicability:
    """The applicable operators of the states of one task."""

    def __init__(self, task: GroundTask) -> None:
        self._operators = task.operators
        needed_by: dict[int, list[int]] = {}
        forbidden_by: dict[int, list[int]] = {}
        for op in task.operators:
            for bit in _bits(op.need):
                needed_by.setdefault(bit, []).append(op.index)
            for bit in _bits(op.forbid):
                forbidden_by.setdefault(bit, []).append(op.index)
        size = len(task.operators)
        self._all = (1 << size) - 1
        self._groups: list[tuple[int, dict[int, int], list[tuple[int, int, int]]]] = []
        for group in _groups(task, sorted({*needed_by, *forbidden_by})):
            blocks = [(b, _mask(needed_by.get(b, ()), size), _mask(forbidden_by.get(b, ()), size)) for b in group]
            self._groups.append((sum(group), {}, blocks))
        self._room = self._most = max(1000, _MEMORY // (100 + size // 8))

    def __call__(self, state: int) -> list[Operator]:
        """In the order of the task's operators."""
        left = self._all
        for read, table, blocks in self._groups:
            value = state & read
            allowed = table.get(value)
            if allowed is None:
                allowed = table[value] = self._allowed(value, blocks)
            left &= allowed
        found, operators = [], self._operators
        while left:
            last = left.bit_length() - 1
            left ^= 1 << last
            found.append(operators[last])
        found.reverse()
        return found

    def _allowed(self, value: int, blocks: list[tuple[int, int, int]]) -> int:
        self._room -= 1
        if self._room < 0:
            self._room = self._most
            for _, table, _ in self._groups:
                table.clear()
        blocked = 0
        for bit, if_false, if_true in blocks:
            blocked |= if_true if value & bit else if_false
        return self._all & ~blocked


def _groups(task: GroundTask, bits: list[int]) -> list[list[int]]:
    by_subject: dict[tuple[str, ...], list[int]] = {}
    for bit in bits:
        by_subject.setdefault(task.facts[bit.bit_length() - 1].args[:1], []).append(bit)
    found: list[list[int]] = []
    mixed: list[int] = []
    for group in by_subject.values():
        if len(group) < _ALONE:
            mixed += group
        else:
            found += [group[i : i + _WIDEST] for i in range(0, len(group), _WIDEST)]
    mixed.sort()
    return found + [mixed[i : i + _MIXED] for i in range(0, len(mixed), _MIXED)]


def _mask(indices: Iterable[int], size: int) -> int:
    packed = bytearray(size // 8 + 1)
    for i in indices:
        packed[i >> 3] |= 1 << (i & 7)
    return int.from_bytes(packed, "little")


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low)
        mask ^= low
    return found
