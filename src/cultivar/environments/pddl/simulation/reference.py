"""A second, independent executor: PDDL's semantics written down on sets of atoms, without grounding and bit masks.

It is slow and short; the simulator is held against it. Source: McDermott et al., PDDL, 1998; for derived predicates
Edelkamp and Hoffmann, PDDL 2.2, 2004 (stratified: a negated derived predicate belongs to a lower stratum).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from cultivar.environments.pddl.model import (
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
    Not,
    Or,
    Problem,
    Variable,
    When,
    objects_of,
)

State = frozenset[Atom]
Binding = Mapping[str, str]


class Reference:
    """Executes plans of one problem."""

    def __init__(self, domain: Domain, problem: Problem) -> None:
        self.domain = domain
        self.problem = problem
        self.objects = objects_of(domain, problem)
        self._strata = _strata(domain)

    def reaches_goal(self, plan: Sequence[tuple[str, tuple[str, ...]]]) -> bool:
        """Whether every step can be done in turn and the goal holds at the end."""
        state = self._closed(frozenset(self.problem.init))
        for name, args in plan:
            following = self._step(state, name, args)
            if following is None:
                return False
            state = following
        return self._holds(state, self.problem.goal, {})

    def _step(self, state: State, name: str, args: tuple[str, ...]) -> State | None:
        action = self.domain.action.get(name)
        if action is None or len(args) != len(action.parameters):
            return None
        for parameter, arg in zip(action.parameters, args):
            if arg not in self.objects or not self.domain.is_a(self.objects[arg], parameter.types):
                return None
        binding = {p.name: arg for p, arg in zip(action.parameters, args)}
        if not self._holds(state, action.precondition, binding):
            return None
        changes = list(self._effects(state, action.effect, binding))
        deleted = {atom for atom, added in changes if not added}
        added = {atom for atom, added in changes if added}
        return self._closed((state - deleted) | added)

    def _effects(self, state: State, effect: Effect | Formula, binding: Binding) -> Iterator[tuple[Atom, bool]]:
        match effect:
            case Atom():
                yield _ground(effect, binding), True
            case Not(Atom() as atom):
                yield _ground(atom, binding), False
            case And(parts):
                for part in parts:
                    yield from self._effects(state, part, binding)
            case Forall(variables, body):
                for inner in self._bindings(variables, binding):
                    yield from self._effects(state, body, inner)
            case When(condition, body):
                if self._holds(state, condition, binding):
                    yield from self._effects(state, body, binding)

    def _holds(self, state: State, formula: Formula | Effect, binding: Binding) -> bool:
        match formula:
            case Atom():
                return _ground(formula, binding) in state
            case Equals(left, right):
                return binding.get(left, left) == binding.get(right, right)
            case Not(body):
                return not self._holds(state, body, binding)
            case And(parts):
                return all(self._holds(state, part, binding) for part in parts)
            case Or(parts):
                return any(self._holds(state, part, binding) for part in parts)
            case Imply(left, right):
                return not self._holds(state, left, binding) or self._holds(state, right, binding)
            case Forall(variables, body):
                return all(self._holds(state, body, inner) for inner in self._bindings(variables, binding))
            case Exists(variables, body):
                return any(self._holds(state, body, inner) for inner in self._bindings(variables, binding))
        raise TypeError(f"no condition: {formula!r}")

    def _bindings(self, variables: tuple[Variable, ...], outer: Binding) -> Iterator[Binding]:
        is_a = self.domain.is_a
        ranges = [[name for name, types in self.objects.items() if is_a(types, v.types)] for v in variables]
        for row in product(*ranges):
            yield {**outer, **{v.name: name for v, name in zip(variables, row)}}

    def _closed(self, state: State) -> State:
        """The state with its derived atoms, stratum by stratum to the least fixed point."""
        derived = {rule.head.name for stratum in self._strata for rule in stratum}
        now = {atom for atom in state if atom.predicate not in derived} if derived else set(state)
        for stratum in self._strata:
            grown = True
            while grown:
                seen = frozenset(now)
                for rule in stratum:
                    for binding in self._bindings(rule.head.parameters, {}):
                        if self._holds(seen, rule.condition, binding):
                            now.add(Atom(rule.head.name, tuple(binding[p.name] for p in rule.head.parameters)))
                grown = len(now) > len(seen)
        return frozenset(now)


def _ground(atom: Atom, binding: Binding) -> Atom:
    return Atom(atom.predicate, tuple(binding.get(a, a) for a in atom.args))


def _strata(domain: Domain) -> list[list[Derived]]:
    level = {rule.head.name: 0 for rule in domain.derived}
    for _ in range(len(level) + 1):
        for rule in domain.derived:
            for name, negated in _mentioned(rule.condition, False):
                if name in level:
                    level[rule.head.name] = max(level[rule.head.name], level[name] + negated)
    return [[r for r in domain.derived if level[r.head.name] == k] for k in sorted(set(level.values()))]


def _mentioned(formula: Formula | Effect, negated: bool) -> Iterator[tuple[str, bool]]:
    match formula:
        case Atom(predicate):
            yield predicate, negated
        case Not(body):
            yield from _mentioned(body, not negated)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _mentioned(part, negated)
        case Imply(left, right):
            yield from _mentioned(left, not negated)
            yield from _mentioned(right, negated)
        case Forall(_, body) | Exists(_, body):
            yield from _mentioned(body, negated)
