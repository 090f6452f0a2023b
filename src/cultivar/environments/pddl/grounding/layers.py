"""Derived facts: axioms put in layers, and the closure of a state under them.

Each layer is one strongly connected component of derived facts, or several that do not depend on each other, so that
a layer without recursion is closed by one pass. A fact that depends on its own negation has no meaning (Edelkamp and
Hoffmann, PDDL 2.2, 2004, section 2) and is an InputError.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cultivar.core.errors import InputError
from cultivar.environments.pddl.grounded import Axiom
from cultivar.environments.pddl.model import Atom


class Closure:
    """Recomputes the derived facts of a state: layer by layer, each to its least fixed point."""

    def __init__(self, layers: Iterable[Sequence[Axiom]]) -> None:
        self.derived = 0
        self._layers: list[tuple[bool, list[tuple[int, int, int]]]] = []
        for layer in layers:
            heads = 0
            for axiom in layer:
                heads |= axiom.head
            recursive = any(axiom.need & heads for axiom in layer)
            self._layers.append((recursive, [(a.head, a.need, a.forbid) for a in layer]))
            self.derived |= heads

    def __call__(self, state: int) -> int:
        state = (state | self.derived) ^ self.derived
        for recursive, rules in self._layers:
            if not recursive:
                for head, need, forbid in rules:
                    if state & need == need and not state & forbid:
                        state |= head
                continue
            before = -1
            while before != state:
                before = state
                for head, need, forbid in rules:
                    if not state & head and state & need == need and not state & forbid:
                        state |= head
        return state


def layered(axioms: Sequence[Axiom], facts: Sequence[Atom]) -> tuple[tuple[Axiom, ...], ...]:
    """The axioms in layers such that each depends on its own and earlier ones, negatively on earlier ones only."""
    if not axioms:
        return ()
    rules: dict[int, list[Axiom]] = {}
    for axiom in axioms:
        rules.setdefault(axiom.head, []).append(axiom)
    derived = 0
    for head in rules:
        derived |= head
    needs = {h: list(_bits(derived & _union(a.need for a in found))) for h, found in rules.items()}
    forbids = {h: list(_bits(derived & _union(a.forbid for a in found))) for h, found in rules.items()}
    component: dict[int, int] = {}
    level: list[int] = []
    for members in _components({h: needs[h] + forbids[h] for h in rules}):
        for head in members:
            component[head] = len(level)
        below = [component[d] for h in members for d in needs[h] + forbids[h]]
        level.append(1 + max((level[c] for c in below if c < len(level)), default=-1))
        for head in members:
            for other in forbids[head]:
                if component[other] == component[head]:
                    one, two = (facts[h.bit_length() - 1] for h in (head, other))
                    raise InputError(f"the derived fact {one} depends on its own negation, by way of (not {two})")
    layers: list[list[Axiom]] = [[] for _ in range(max(level) + 1)]
    for head, found in rules.items():
        layers[level[component[head]]].extend(found)
    return tuple(map(tuple, layers))


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _bits(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


def _components(edges: dict[int, list[int]]) -> Iterable[list[int]]:
    """Strongly connected components, each after all that it points to (Tarjan 1972, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in order:
                    order[target] = low[target] = len(order)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], order[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    members: list[int] = []
                    while not members or members[-1] != node:
                        members.append(stack.pop())
                        on_stack.discard(members[-1])
                    yield members
