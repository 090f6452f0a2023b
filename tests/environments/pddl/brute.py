"""PDDL read off its definition, as slowly as it likes: what the grounder and the simulator are compared with.

States are sets of atoms, actions are tried with every tuple of objects, derived predicates are recomputed from nothing.
Shares only the syntax tree with the package. ``random_task`` makes small tasks that use every construct.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product

from cultivar.environments.pddl.model import (
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
    objects_of,
)

State = frozenset[Atom]
Call = tuple[str, tuple[str, ...]]


class Brute:
    def __init__(self, domain: Domain, problem: Problem) -> None:
        self.domain = domain
        self.problem = problem
        self.objects = objects_of(domain, problem)
        self.values = dict(problem.values)
        self.initial: State = self.close(frozenset(problem.init))

    def bindings(self, variables: tuple[Variable, ...], outer: Mapping[str, str]) -> Iterator[dict[str, str]]:
        fits = [[o for o, kind in self.objects.items() if self.domain.is_a(kind, v.types)] for v in variables]
        for values in product(*fits):
            yield {**outer, **{v.name: value for v, value in zip(variables, values)}}

    def holds(self, state: State, formula: Formula | Effect, binding: Mapping[str, str]) -> bool:
        match formula:
            case Atom(predicate, args):
                return Atom(predicate, tuple(binding.get(a, a) for a in args)) in state
            case Equals(left, right):
                return binding.get(left, left) == binding.get(right, right)
            case Not(body):
                return not self.holds(state, body, binding)
            case And(parts):
                return all(self.holds(state, p, binding) for p in parts)
            case Or(parts):
                return any(self.holds(state, p, binding) for p in parts)
            case Imply(left, right):
                return self.holds(state, right, binding) or not self.holds(state, left, binding)
            case Forall(variables, body):
                return all(self.holds(state, body, b) for b in self.bindings(variables, binding))
            case Exists(variables, body):
                return any(self.holds(state, body, b) for b in self.bindings(variables, binding))
        raise AssertionError(formula)

    def close(self, state: State) -> State:
        """Rules are in the order of their strata."""
        order = list(dict.fromkeys(rule.head.name for rule in self.domain.derived))
        current = {atom for atom in state if atom.predicate not in order}
        for name in order:
            before = -1
            while before != len(current):
                before = len(current)
                for rule in self.domain.derived:
                    if rule.head.name == name:
                        for b in self.bindings(rule.head.parameters, {}):
                            if self.holds(frozenset(current), rule.condition, b):
                                current.add(Atom(name, tuple(b[p.name] for p in rule.head.parameters)))
        return frozenset(current)

    def applicable(self, state: State) -> list[Call]:
        return [
            (action.name, tuple(b[p.name] for p in action.parameters))
            for action in self.domain.actions
            for b in self.bindings(action.parameters, {})
            if self.holds(state, action.precondition, b)
        ]

    def apply(self, state: State, call: Call) -> State:
        action = self.domain.action[call[0]]
        binding = {p.name: arg for p, arg in zip(action.parameters, call[1])}
        adds: set[Atom] = set()
        deletes: set[Atom] = set()
        self._effect(state, action.effect, binding, adds, deletes)
        return self.close((state - deletes) | adds)

    def cost(self, call: Call) -> int | float:
        action = self.domain.action[call[0]]
        binding = {p.name: arg for p, arg in zip(action.parameters, call[1])}
        total: int | float = 0
        for part in action.effect.parts if isinstance(action.effect, And) else (action.effect,):
            if isinstance(part, Increase):
                amount = part.amount
                if isinstance(amount, Atom):
                    amount = self.values[Atom(amount.predicate, tuple(binding[a] for a in amount.args))]
                total += amount
        return total

    def _effect(
        self, state: State, effect: Effect | Formula, binding: Mapping[str, str], adds: set[Atom], deletes: set[Atom]
    ) -> None:
        match effect:
            case Atom(predicate, args):
                adds.add(Atom(predicate, tuple(binding.get(a, a) for a in args)))
            case Not(Atom(predicate, args)):
                deletes.add(Atom(predicate, tuple(binding.get(a, a) for a in args)))
            case And(parts):
                for part in parts:
                    self._effect(state, part, binding, adds, deletes)
            case Forall(variables, body):
                for b in self.bindings(variables, binding):
                    self._effect(state, body, b, adds, deletes)
            case When(condition, body):
                if self.holds(state, condition, binding):
                    self._effect(state, body, binding, adds, deletes)
            case Increase():
                pass
            case _:
                raise AssertionError(effect)


TYPES = (("thing", ()), ("box", ("thing",)), ("bag", ("thing",)), ("place", ()))
KINDS = ("object", "thing", "box", "bag", "place")
CONSTANTS = (Variable("c0", ("box",)), Variable("c1", ("place",)))


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.fluents = [self._predicate(f"f{i}", rng.choice((0, 1, 1, 2, 2))) for i in range(rng.randint(2, 4))]
        self.statics = [self._predicate(f"s{i}", rng.choice((0, 1, 2, 2))) for i in range(rng.randint(0, 2))]
        self.derived = [self._predicate(f"d{i}", rng.choice((0, 1, 2))) for i in range(rng.choice((0, 0, 1, 2)))]
        self._names = 0

    def _types(self) -> tuple[str, ...]:
        return ("box", "place") if self.rng.random() < 0.1 else (self.rng.choice(KINDS),)

    def _predicate(self, name: str, arity: int) -> Predicate:
        return Predicate(name, tuple(Variable(f"?p{i}", self._types()) for i in range(arity)))

    def variables(self, count: int) -> tuple[Variable, ...]:
        """Sometimes a name that an outer scope uses too."""
        found: list[Variable] = []
        for _ in range(count):
            self._names += 1
            name = f"?v{self._names if self.rng.random() < 0.8 else self.rng.randint(0, 3)}"
            if name not in {v.name for v in found}:
                found.append(Variable(name, self._types()))
        return tuple(found)

    def atom(self, scope: list[str], among: list[Predicate]) -> Atom:
        predicate = self.rng.choice(among)
        terms = scope * 3 + [c.name for c in CONSTANTS]
        return Atom(predicate.name, tuple(self.rng.choice(terms) for _ in predicate.parameters))

    def formula(self, scope: list[str], depth: int, among: list[Predicate]) -> Formula:
        roll = self.rng.random()
        if depth == 0 or roll < 0.35:
            if self.rng.random() < 0.15 and scope:
                body: Formula = Equals(self.rng.choice(scope), self.rng.choice([*scope, "c0"]))
            else:
                body = self.atom(scope, among)
            return Not(body) if self.rng.random() < 0.3 else body
        if roll < 0.75:
            parts = tuple(self.formula(scope, depth - 1, among) for _ in range(self.rng.randint(0, 3)))
            return And(parts) if roll < 0.6 else Or(parts)
        if roll < 0.8:
            return Not(self.formula(scope, depth - 1, among))
        if roll < 0.86:
            return Imply(self.formula(scope, depth - 1, among), self.formula(scope, depth - 1, among))
        inner = self.variables(self.rng.randint(1, 2))
        body = self.formula(scope + [v.name for v in inner], depth - 1, among)
        return Forall(inner, body) if roll < 0.93 else Exists(inner, body)

    def effect(self, scope: list[str], depth: int) -> Effect:
        roll = self.rng.random()
        if depth == 0 or roll < 0.3:
            atom = self.atom(scope, self.fluents)
            return Not(atom) if self.rng.random() < 0.45 else atom
        if roll < 0.5:
            return And(tuple(self.effect(scope, depth - 1) for _ in range(self.rng.randint(1, 3))))
        if roll < 0.8:
            everything = self.fluents + self.statics + self.derived
            return When(self.formula(scope, 2, everything), self.effect(scope, depth - 1))
        inner = self.variables(1)
        return Forall(inner, self.effect(scope + [v.name for v in inner], depth - 1))

    def action(self, index: int) -> Action:
        everything = self.fluents + self.statics + self.derived
        parameters = self.variables(self.rng.randint(0, 3))
        scope = [p.name for p in parameters]
        condition = And(
            tuple(self.formula(scope, self.rng.choice((0, 0, 1, 3)), everything) for _ in range(self.rng.randint(0, 2)))
        )
        effects = [self.effect(scope, 3) for _ in range(self.rng.randint(1, 4))]
        return Action(f"a{index}", parameters, condition, And((*effects, Increase(self.rng.randint(0, 5)))))

    def rules(self) -> Iterator[Derived]:
        """Each derived predicate may use itself, positively, and those before it in any way."""
        for i, predicate in enumerate(self.derived):
            scope = [p.name for p in predicate.parameters]
            for _ in range(self.rng.randint(1, 2)):
                below = self.fluents + self.statics + self.derived[:i]
                condition = self.formula(scope, 2, below)
                if self.rng.random() < 0.5:
                    step = Variable("?z")
                    again = self.atom([*scope, "?z"], [predicate])
                    condition = Or((condition, Exists((step,), And((again, self.atom([*scope, "?z"], below))))))
                yield Derived(predicate, condition)


def random_task(rng: random.Random) -> tuple[Domain, Problem]:
    make = _Maker(rng)
    objects = tuple(Variable(f"o{i}", (rng.choice(KINDS[1:]),)) for i in range(rng.randint(1, 4)))
    derived = tuple(make.rules())
    domain = Domain(
        name="random",
        types=TYPES,
        constants=CONSTANTS,
        predicates=tuple(make.fluents + make.statics + make.derived),
        derived=derived,
        actions=tuple(make.action(i) for i in range(rng.randint(1, 4))),
    )
    names = [o.name for o in objects]
    base = make.fluents + make.statics
    init = tuple(dict.fromkeys(make.atom(names, base) for _ in range(rng.randint(0, 16))))
    goal = make.formula([], 3, base + make.derived)
    return domain, Problem("random", "random", objects, init, goal, (), rng.random() < 0.5)
