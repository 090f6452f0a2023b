"""A grounded planning task: what the grounder makes, and what simulator, search and narrator read.

A state is one ``int``; bit ``i`` stands for ``facts[i]``. Facts that no action changes do not get a bit: the true ones
are in ``static``. Derived facts have bits too; they are closed by ``axioms`` after every step and at the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cultivar.environments.pddl.model import Atom, Domain, Problem


@dataclass(frozen=True, slots=True)
class Conditional:
    """Fires if, in the state *before* the action, all of ``need`` and none of ``forbid`` hold."""

    need: int
    forbid: int
    add: int
    delete: int


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One ground action, or one disjunct of it: operators that share ``name`` and ``args`` are the same action.

    Applying: ``state & ~delete | add`` with the conditionals that fire merged in (deletes first, then adds).
    """

    index: int
    name: str
    args: tuple[str, ...]
    need: int
    forbid: int
    add: int
    delete: int
    cost: int = 1
    conditional: tuple[Conditional, ...] = ()

    def __str__(self) -> str:
        return f"({' '.join((self.name, *self.args))})"


@dataclass(frozen=True, slots=True)
class Axiom:
    """``head`` (one bit) holds if all of ``need`` and none of ``forbid`` do."""

    head: int
    need: int
    forbid: int


@dataclass(frozen=True)
class GroundTask:
    """Only facts and operators that are relaxed-reachable from the initial state are kept.

    ``axioms`` are layered: each layer is closed to a fixed point before the next is looked at.
    A goal or precondition with a disjunction too wide to split is compiled to a derived fact whose predicate starts
    with ``-`` (no PDDL name can); such facts are never shown.
    ``unreachable_goal`` says that the goal cannot be reached even without deletes: the problem is proved unsolvable.
    """

    domain: Domain
    problem: Problem
    facts: tuple[Atom, ...]
    initial: int
    need: int
    forbid: int
    operators: tuple[Operator, ...]
    static: frozenset[Atom] = frozenset()
    axioms: tuple[tuple[Axiom, ...], ...] = ()
    unreachable_goal: bool = False
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def bit(self) -> dict[Atom, int]:
        """fact -> its bit, as a mask with that bit alone set."""
        return {fact: 1 << i for i, fact in enumerate(self.facts)}

    @cached_property
    def by_action(self) -> dict[tuple[str, tuple[str, ...]], tuple[Operator, ...]]:
        found: dict[tuple[str, tuple[str, ...]], list[Operator]] = {}
        for op in self.operators:
            found.setdefault((op.name, op.args), []).append(op)
        return {key: tuple(ops) for key, ops in found.items()}

    def atoms(self, state: int) -> list[Atom]:
        """The facts of a state in the order of their bits, compiled ones left out; static facts are not in it."""
        found = []
        while state:
            low = state & -state
            fact = self.facts[low.bit_length() - 1]
            if not fact.predicate.startswith("-"):
                found.append(fact)
            state ^= low
        return found
