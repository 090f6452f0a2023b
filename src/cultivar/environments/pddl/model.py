"""What a PDDL domain and a PDDL problem are: immutable trees, lower-cased, without positions.

Formulas and effects share their nodes. A term is a plain string: it starts with ``?`` if it is a variable and is the
name of an object or constant otherwise. Types are tuples of names, because ``(either a b)`` is allowed wherever a type
is; the top type is ``object``.

    Formula  Atom | Not | And | Or | Imply | Forall | Exists | Equals
    Effect   Atom (add) | Not(Atom) (delete) | And | Forall | When | Increase

Source: McDermott et al., PDDL - The Planning Domain Definition Language, 1998; Fox and Long, PDDL 2.1, 2003;
Edelkamp and Hoffmann, PDDL 2.2 (derived predicates), 2004.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Variable:
    """A typed name: a parameter (with its ``?``), an object or a constant (without)."""

    name: str
    types: tuple[str, ...] = (OBJECT,)


@dataclass(frozen=True, slots=True)
class Atom:
    """``(predicate term ...)``; ground if no term is a variable."""

    predicate: str
    args: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"({' '.join((self.predicate, *self.args))})"


@dataclass(frozen=True, slots=True)
class Equals:
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Not:
    body: Formula


@dataclass(frozen=True, slots=True)
class And:
    """A conjunction; ``And(())`` is truth, and as an effect it does nothing."""

    parts: tuple[Formula | Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """A disjunction; ``Or(())`` is falsehood."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Imply:
    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Forall:
    variables: tuple[Variable, ...]
    body: Formula | Effect


@dataclass(frozen=True, slots=True)
class Exists:
    variables: tuple[Variable, ...]
    body: Formula


@dataclass(frozen=True, slots=True)
class When:
    """A conditional effect."""

    condition: Formula
    effect: Effect


@dataclass(frozen=True, slots=True)
class Increase:
    """``(increase (total-cost) amount)``: a number, or a static function of the action's parameters."""

    amount: int | float | Atom


Formula: TypeAlias = Atom | Not | And | Or | Imply | Forall | Exists | Equals
Effect: TypeAlias = Atom | Not | And | Forall | When | Increase

TRUE = And(())
FALSE = Or(())


@dataclass(frozen=True, slots=True)
class Predicate:
    name: str
    parameters: tuple[Variable, ...] = ()

    @property
    def arity(self) -> int:
        return len(self.parameters)


@dataclass(frozen=True, slots=True)
class Action:
    """An action schema."""

    name: str
    parameters: tuple[Variable, ...] = ()
    precondition: Formula = TRUE
    effect: Effect = TRUE


@dataclass(frozen=True, slots=True)
class Derived:
    """``(:derived (predicate ?x ...) condition)``: the head holds exactly where some rule's condition does."""

    head: Predicate
    condition: Formula


@dataclass(frozen=True)
class Domain:
    """A checked domain. ``types`` are (type, its parents) pairs in the order of declaration, without ``object``."""

    name: str
    requirements: tuple[str, ...] = ()
    types: tuple[tuple[str, tuple[str, ...]], ...] = ()
    constants: tuple[Variable, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    functions: tuple[Predicate, ...] = ()
    derived: tuple[Derived, ...] = ()
    actions: tuple[Action, ...] = ()

    @cached_property
    def predicate(self) -> Mapping[str, Predicate]:
        return {p.name: p for p in self.predicates}

    @cached_property
    def action(self) -> Mapping[str, Action]:
        return {a.name: a for a in self.actions}

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """Every type -> itself and all types above it (``object`` included)."""
        parents = dict(self.types)
        found: dict[str, frozenset[str]] = {OBJECT: frozenset((OBJECT,))}
        for name in parents:
            seen, todo = {name, OBJECT}, list(parents[name])
            while todo:
                parent = todo.pop()
                if parent not in seen:
                    seen.add(parent)
                    todo.extend(parents.get(parent, ()))
            found[name] = frozenset(seen)
        return found

    def is_a(self, types: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
        """Whether something declared with ``types`` may stand where one of ``wanted`` is asked for."""
        return any(w in self.ancestors.get(t, ()) for t in types for w in wanted)

    @cached_property
    def fluents(self) -> frozenset[str]:
        """The predicates that some action's effect mentions; every other one is static (or derived)."""
        return frozenset(
            (e.body if isinstance(e, Not) else e).predicate  # type: ignore[union-attr]
            for a in self.actions
            for e in literals(a.effect)
        )


@dataclass(frozen=True)
class Problem:
    """A checked problem. ``init`` is in the order of the file, without repeats; ``values`` are static functions."""

    name: str
    domain: str
    objects: tuple[Variable, ...] = ()
    init: tuple[Atom, ...] = ()
    goal: Formula = TRUE
    values: tuple[tuple[Atom, int | float], ...] = ()
    minimize_cost: bool = False


def literals(effect: Effect | Formula) -> Iterator[Atom | Not]:
    """Every atom that an effect adds and every ``Not(atom)`` that it deletes, conditional ones included."""
    stack: list[Effect | Formula] = [effect]
    while stack:
        node = stack.pop()
        match node:
            case Atom() | Not():
                yield node
            case And(parts):
                stack.extend(reversed(parts))
            case Forall(_, body):
                stack.append(body)
            case When(_, inner):
                stack.append(inner)
            case _:
                pass


def objects_of(domain: Domain, problem: Problem) -> dict[str, tuple[str, ...]]:
    """Every constant and object of the problem -> its types; an object declared as a constant too is the constant."""
    found = {o.name: o.types for o in problem.objects}
    found.update((c.name, c.types) for c in domain.constants)
    return found
