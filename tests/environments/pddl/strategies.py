"""Random checked domains and problems for property-based tests.

``domains()`` draws a `Domain` that the checker accepts: names are declared, arguments fit their types, derived
predicates depend only on earlier ones. ``problems(domain)`` draws a problem of it, ``worlds()`` both together. What is
drawn makes no sense as a world (effects are random); it exercises every construct of the language.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

from cultivar.environments.pddl.model import (
    OBJECT,
    Action,
    And,
    Atom,
    Derived,
    Domain,
    Effect,
    Equals,
    Exists,
    Forall,
    Formula,
    Imply,
    Increase,
    Not,
    Or,
    Predicate,
    Problem,
    Variable,
    When,
)

_REQUIREMENTS = (":strips", ":typing", ":adl", ":equality", ":action-costs", ":derived-predicates", ":fluents")
_WORDS = (
    "a b c d e f g h i j k l m n o p q r s t u v w x y z at on in over always sometime preference unknown action define"
    " domain number goal on-top is_clear r2d2 x-1 x_ a--b minimize assign type predicate location-of 7 3rd _hidden"
)

names = st.sampled_from(_WORDS.split())
"""Names: short, odd, and some that other places of PDDL give a meaning."""


def _distinct(draw: st.DrawFn, low: int, high: int, avoid: frozenset[str] = frozenset()) -> list[str]:
    fresh = names.filter(lambda n: n not in avoid)
    return draw(st.lists(fresh, min_size=low, max_size=high, unique=True))


def _types(draw: st.DrawFn, known: list[str]) -> tuple[str, ...]:
    """``object``, one type, or sometimes ``(either ...)``."""
    if not known:
        return (OBJECT,)
    return tuple(draw(st.lists(st.sampled_from([OBJECT, *known]), min_size=1, max_size=2, unique=True)))


def _variables(draw: st.DrawFn, known: list[str], low: int, high: int, avoid: frozenset[str]) -> tuple[Variable, ...]:
    plain = frozenset(name.removeprefix("?") for name in avoid)
    return tuple(Variable(f"?{name}", _types(draw, known)) for name in _distinct(draw, low, high, plain))


@dataclass
class _Maker:
    """Draws formulas over what a domain declares; ``scope`` holds the variables in reach."""

    draw: st.DrawFn
    hierarchy: Domain
    predicates: list[Predicate]
    terms: dict[str, tuple[str, ...]]
    types: list[str]

    def fitting(self, wanted: tuple[str, ...], scope: dict[str, tuple[str, ...]]) -> list[str]:
        return [t for t, types in {**self.terms, **scope}.items() if self.hierarchy.is_a(types, wanted)]

    def atom(self, scope: dict[str, tuple[str, ...]], predicates: list[Predicate]) -> Atom | None:
        if not predicates:
            return None
        predicate = self.draw(st.sampled_from(predicates))
        args = []
        for parameter in predicate.parameters:
            choices = self.fitting(parameter.types, scope)
            if not choices:
                return None
            args.append(self.draw(st.sampled_from(choices)))
        return Atom(predicate.name, tuple(args))

    def condition(self, scope: dict[str, tuple[str, ...]], depth: int = 3) -> Formula:
        kinds = ["atom", "equals", "not", "and", "or"] + (["imply", "forall", "exists"] if depth else [])
        kind = self.draw(st.sampled_from(kinds if depth else ["atom", "equals"]))
        if kind == "equals":
            terms = [*self.terms, *scope]
            return Equals(*(self.draw(st.sampled_from(terms)) for _ in range(2))) if terms else And(())
        if kind == "not":
            return Not(self.condition(scope, depth - 1))
        if kind == "imply":
            return Imply(self.condition(scope, depth - 1), self.condition(scope, depth - 1))
        if kind in ("and", "or"):
            count = self.draw(st.integers(0, 2))
            parts = tuple(self.condition(scope, depth - 1) for _ in range(count))
            return And(parts) if kind == "and" else Or(parts)
        if kind in ("forall", "exists"):
            variables = _variables(self.draw, self.types, 1, 2, frozenset(scope))
            body = self.condition({**scope, **{v.name: v.types for v in variables}}, depth - 1)
            return Forall(variables, body) if kind == "forall" else Exists(variables, body)
        return self.atom(scope, self.predicates) or And(())

    def effect(self, scope: dict[str, tuple[str, ...]], changeable: list[Predicate], depth: int = 3) -> Effect:
        kind = self.draw(st.sampled_from(["add", "delete", "and", "forall", "when"] if depth else ["add", "delete"]))
        if kind == "and":
            return And(tuple(self.effect(scope, changeable, depth - 1) for _ in range(self.draw(st.integers(0, 2)))))
        if kind == "forall":
            variables = _variables(self.draw, self.types, 1, 2, frozenset(scope))
            inner = {**scope, **{v.name: v.types for v in variables}}
            return Forall(variables, self.effect(inner, changeable, depth - 1))
        if kind == "when":
            return When(self.condition(scope, depth - 1), self.effect(scope, changeable, depth - 1))
        atom = self.atom(scope, changeable)
        if atom is None:
            return And(())
        return atom if kind == "add" else Not(atom)

    def cost(self, scope: dict[str, tuple[str, ...]], functions: list[Predicate]) -> Increase:
        static = [f for f in functions if f.name != "total-cost"]
        atom = self.atom(scope, static) if self.draw(st.booleans()) else None
        return Increase(atom if atom is not None else self.draw(amounts))


amounts = st.integers(0, 10**6) | st.integers(1, 10**6).map(lambda n: n / 64)
"""Costs: numbers from 0 up, whole or not."""


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """A checked domain with up to 4 types, 5 predicates, 2 rules and 3 actions."""
    types = _distinct(draw, 0, 4)
    parents: list[tuple[str, tuple[str, ...]]] = []
    for place, name in enumerate(types):
        above = draw(st.lists(st.sampled_from(types[:place]), max_size=2, unique=True)) if place else []
        parents.append((name, tuple(above)))
    if draw(st.booleans()):
        parents.reverse()
    constants = tuple(Variable(n, _types(draw, types)) for n in _distinct(draw, 0, 3))
    taken = _distinct(draw, 2, 8)
    split = draw(st.integers(1, max(1, len(taken) - 1)))
    predicates = [Predicate(n, _variables(draw, types, 0, 3, frozenset())) for n in taken[:split]]
    functions = [Predicate(n, _variables(draw, types, 0, 2, frozenset())) for n in taken[split:][:2]]
    costs = draw(st.booleans())
    functions = [Predicate("total-cost"), *functions] if costs else []
    hierarchy = Domain("", types=tuple(parents))
    terms = {c.name: c.types for c in constants}
    derived: list[Derived] = []
    heads = draw(st.integers(0, min(2, len(predicates) - 1)))
    basic = predicates[heads:]
    for place in range(heads):
        head = predicates[place]
        scope = {p.name: p.types for p in head.parameters}
        maker = _Maker(draw, hierarchy, basic + predicates[:place], terms, types)
        derived.append(Derived(head, maker.condition(scope)))
    actions: list[Action] = []
    maker = _Maker(draw, hierarchy, predicates, terms, types)
    for name in _distinct(draw, 1, 3):
        parameters = _variables(draw, types, 0, 3, frozenset())
        scope = {p.name: p.types for p in parameters}
        effect = maker.effect(scope, basic)
        if costs and draw(st.booleans()):
            effect = And((effect, maker.cost(scope, functions)))
        actions.append(Action(name, parameters, maker.condition(scope), effect))
    requirements = tuple(draw(st.lists(st.sampled_from(_REQUIREMENTS), unique=True)))
    return Domain(
        draw(names),
        requirements,
        tuple(parents),
        constants,
        tuple(predicates),
        tuple(functions),
        tuple(derived),
        tuple(actions),
    )


@st.composite
def problems(draw: st.DrawFn, domain: Domain) -> Problem:
    """A checked problem of the domain with up to 4 objects."""
    types = [name for name, _ in domain.types]
    taken = frozenset(c.name for c in domain.constants)
    objects = tuple(Variable(n, _types(draw, types)) for n in _distinct(draw, 0, 4, taken))
    terms = {o.name: o.types for o in (*domain.constants, *objects)}
    derived = {rule.head.name for rule in domain.derived}
    facts = _ground(domain, [p for p in domain.predicates if p.name not in derived], terms)
    init = tuple(draw(st.lists(st.sampled_from(facts), unique=True, max_size=8))) if facts else ()
    costs = _ground(domain, [f for f in domain.functions if f.name != "total-cost"], terms)
    valued = draw(st.lists(st.sampled_from(costs), unique=True, max_size=4)) if costs else []
    values = tuple((atom, draw(amounts)) for atom in valued)
    goal = _Maker(draw, domain, list(domain.predicates), terms, types).condition({})
    minimize = bool(domain.functions) and draw(st.booleans())
    return Problem(draw(names), domain.name, objects, init, goal, values, minimize)


def _ground(domain: Domain, schemas: list[Predicate], terms: dict[str, tuple[str, ...]]) -> list[Atom]:
    """Every well-typed ground atom of the schemas, the first hundred of each."""
    found: list[Atom] = []
    for schema in schemas:
        choices = [[t for t, types in terms.items() if domain.is_a(types, p.types)] for p in schema.parameters]
        found += [Atom(schema.name, args) for args, _ in zip(product(*choices), range(100), strict=False)]
    return found


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Domain, Problem]:
    """A checked domain and a checked problem of it."""
    domain = draw(domains())
    return domain, draw(problems(domain))
