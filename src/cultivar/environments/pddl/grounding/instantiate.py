"""From lifted conditions and effects to ground ones, for one row of parameter values at a time.

Static conditions and equalities are decided at once and vanish; quantifiers are expanded by a join over the static
atoms that guard them, so that ``forall ?y (imply (road ?x ?y) ...)`` looks at the roads from ?x and at nothing else.
The result of a quantifier depends on few parameters and is kept for each value of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from cultivar.environments.pddl.grounding.normalize import EffectGroup, Literal, conjuncts, is_literal
from cultivar.environments.pddl.grounding.relations import Join, Pick, Planner, Row, World, pick
from cultivar.environments.pddl.model import And, Atom, Effect, Equals, Exists, Forall, Formula, Not, Or, Variable


class Fact(NamedTuple):
    """A ground literal over a predicate that changes or is derived."""

    predicate: str
    row: Row
    positive: bool = True


@dataclass(frozen=True, slots=True)
class Conj:
    parts: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class Disj:
    parts: tuple[Ground, ...]


Ground: TypeAlias = Fact | Conj | Disj
"""A ground condition, static parts decided: ``Conj(())`` is true, ``Disj(())`` is false."""

YES, NO = Conj(()), Disj(())


class GroundEffect(NamedTuple):
    condition: Ground
    adds: tuple[Fact, ...]
    deletes: tuple[Fact, ...]


Grounded: TypeAlias = Callable[[Row], Ground]


def all_of(parts: list[Ground]) -> Ground:
    flat: dict[Ground, None] = {}
    for part in parts:
        if part == NO:
            return NO
        if isinstance(part, Conj):
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else Conj(tuple(flat))


def any_of(parts: list[Ground]) -> Ground:
    flat: dict[Ground, None] = {}
    for part in parts:
        if part == YES:
            return YES
        if isinstance(part, Disj):
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else Disj(tuple(flat))


class Grounder:
    """Compiles lifted conditions to functions of a row; ``slots`` says where in the row each variable stands."""

    def __init__(self, world: World) -> None:
        self._world = world

    def condition(self, formula: Formula | Effect, slots: Mapping[str, int]) -> Grounded:
        match formula:
            case Atom() | Equals():
                return self._literal(formula, True, slots)
            case Not(body):
                return self._literal(body, False, slots)  # type: ignore[arg-type]
            case And(parts):
                inner = [self.condition(part, slots) for part in parts]
                return lambda row: all_of([part(row) for part in inner])
            case Or(parts):
                inner = [self.condition(part, slots) for part in parts]
                return lambda row: any_of([part(row) for part in inner])
            case Forall(variables, body):
                return self._quantified(variables, body, slots, universal=True)  # type: ignore[arg-type]
            case Exists(variables, body):
                return self._quantified(variables, body, slots, universal=False)
            case _:
                raise TypeError(f"{type(formula).__name__} is not in negation normal form")

    def effects(self, group: EffectGroup, slots: Mapping[str, int]) -> Callable[[Row], tuple[GroundEffect, ...]]:
        """The instances of a group for a row: those whose condition is not statically false."""
        kept, project = _restrict(slots, free_variables(group.condition) | _terms(*group.adds, *group.deletes))
        join, rest = self._expansion(group.variables, group.condition, kept)
        condition = self.condition(And(rest), join.slots)
        adds = [self._fact(atom, True, join.slots) for atom in group.adds]
        deletes = [self._fact(atom, True, join.slots) for atom in group.deletes]
        cache: dict[Row, tuple[GroundEffect, ...]] = {}

        def instances(row: Row) -> tuple[GroundEffect, ...]:
            key = project(row)
            found = cache.get(key)
            if found is None:
                found = tuple(
                    GroundEffect(when, tuple([a(r) for a in adds]), tuple([d(r) for d in deletes]))
                    for r in self._rows(join, key)
                    if (when := condition(r)) != NO
                )
                cache[key] = found
            return found

        return instances

    def _quantified(
        self, variables: tuple[Variable, ...], body: Formula, slots: Mapping[str, int], *, universal: bool
    ) -> Grounded:
        kept, project = _restrict(slots, free_variables(body) - {v.name for v in variables})
        if universal:
            # forall y: (not guard) or rest  ==  for the y that satisfy the guard: rest
            parts = body.parts if isinstance(body, Or) else (body,)
            static = [p for p in parts if self._is_static(p)]
            rest: Formula = Or(tuple(p for p in parts if not self._is_static(p)))
            guards = And(tuple(p.body if isinstance(p, Not) else Not(p) for p in static))
            join, _ = self._expansion(variables, guards, kept)
        else:
            join, remaining = self._expansion(variables, body, kept)
            rest = And(remaining)
        inner = self.condition(rest, join.slots)
        combine = all_of if universal else any_of
        cache: dict[Row, Ground] = {}

        def ground(row: Row) -> Ground:
            key = project(row)
            found = cache.get(key)
            if found is None:
                found = cache[key] = combine([inner(r) for r in self._rows(join, key)])
            return found

        return ground

    def _rows(self, join: Join, key: Row) -> Iterator[Row]:
        for rows in join.run([key]):
            self._world.budget.expand(len(rows))
            yield from rows

    def _is_static(self, formula: Formula | Effect) -> bool:
        body = formula.body if isinstance(formula, Not) else formula
        return isinstance(body, Equals) or (isinstance(body, Atom) and body.predicate in self._world.static)

    def _expansion(
        self, variables: tuple[Variable, ...], condition: Formula, slots: Mapping[str, int]
    ) -> tuple[Join, tuple[Formula, ...]]:
        """A join that finds the values of ``variables`` allowed by the static conjuncts; the other conjuncts."""
        atoms: list[Atom] = []
        tests: list[Literal] = []
        rest: list[Formula] = []
        for part in conjuncts(condition):
            if isinstance(part, Atom) and part.predicate in self._world.static:
                atoms.append(part)
            elif is_literal(part) and self._is_static(part):
                tests.append(part)  # type: ignore[arg-type]
            else:
                rest.append(part)
        domains = {v.name: self._world.members(v.types) for v in variables}
        return Planner(self._world, slots, domains).plan(atoms, tests), tuple(rest)

    def _literal(self, body: Atom | Equals, positive: bool, slots: Mapping[str, int]) -> Grounded:
        world = self._world
        if isinstance(body, Equals):
            both = self._terms((body.left, body.right), slots)
            return lambda row: YES if (len(set(both(row))) == 1) == positive else NO
        if body.predicate not in world.static:
            return self._fact(body, positive, slots)
        rows, terms = world.relation(body.predicate, len(body.args)).rows, self._terms(body.args, slots)
        return lambda row: YES if (terms(row) in rows) == positive else NO

    def _fact(self, atom: Atom, positive: bool, slots: Mapping[str, int]) -> Callable[[Row], Fact]:
        terms, predicate = self._terms(atom.args, slots), atom.predicate
        return lambda row: Fact(predicate, terms(row), positive)

    def _terms(self, terms: tuple[str, ...], slots: Mapping[str, int]) -> Pick:
        if all(term in slots for term in terms):
            return pick([slots[term] for term in terms])
        number = self._world.number
        read = [(slots[t], 0) if t in slots else (-1, number[t]) for t in terms]
        return lambda row: tuple([row[slot] if slot >= 0 else constant for slot, constant in read])


def free_variables(formula: Formula | Effect) -> set[str]:
    """The variables that a formula in negation normal form does not bind itself."""
    match formula:
        case Atom() | Equals():
            return _terms(formula)
        case Not(body):
            return free_variables(body)
        case And(parts) | Or(parts):
            return set().union(*map(free_variables, parts))
        case Forall(variables, body) | Exists(variables, body):
            return free_variables(body) - {v.name for v in variables}
        case _:
            raise TypeError(f"{type(formula).__name__} is not in negation normal form")


def _terms(*atoms: Atom | Equals) -> set[str]:
    terms = [t for a in atoms for t in ((a.left, a.right) if isinstance(a, Equals) else a.args)]
    return {t for t in terms if t.startswith("?")}


def _restrict(slots: Mapping[str, int], wanted: set[str]) -> tuple[dict[str, int], Pick]:
    """The slots of the wanted variables alone, renumbered, and the projection of a row onto them."""
    kept = [v for v in slots if v in wanted]
    return {v: i for i, v in enumerate(kept)}, pick([slots[v] for v in kept])
