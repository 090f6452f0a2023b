"""Lifted conditions against a ground state: does a formula hold, and if not, which part of it fails.

This is the definition of PDDL's conditions written down directly, independent of the grounder's masks; it answers for
any formula and any object, reached or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.model import (
    FALSE,
    TRUE,
    And,
    Atom,
    Effect,
    Equals,
    Exists,
    Forall,
    Formula,
    Imply,
    Not,
    Or,
    Variable,
)
from cultivar.environments.pddl.parsing.write import write_formula

Binding = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an action cannot be done: a ground condition that does not hold, or a sentence about the call itself.

    ``atom`` and ``wanted`` name the literal where the condition is one: it should be ``wanted`` and is not.
    """

    text: str
    atom: Atom | None = None
    wanted: bool = True


class Evaluator:
    """Conditions over the states of one task."""

    def __init__(self, task: GroundTask) -> None:
        self._task = task
        self._bit = task.bit
        self._members: dict[tuple[str, ...], tuple[str, ...]] = {}
        derived = {rule.head.name for rule in task.domain.derived}
        self._changing = task.domain.fluents | derived

    def members(self, types: tuple[str, ...]) -> tuple[str, ...]:
        """The objects that may stand where one of ``types`` is asked for, in the order of declaration."""
        found = self._members.get(types)
        if found is None:
            is_a = self._task.domain.is_a
            found = tuple(name for name, kind in self._task.objects.items() if is_a(kind, types))
            self._members[types] = found
        return found

    def true(self, state: int, atom: Atom) -> bool:
        bit = self._bit.get(atom)
        return bool(state & bit) if bit is not None else atom in self._task.static

    def holds(self, state: int, formula: Formula | Effect, binding: Binding) -> bool:
        match formula:
            case Atom():
                return self.true(state, bound_atom(formula, binding))
            case Not(body):
                return not self.holds(state, body, binding)
            case And(parts):
                return all(self.holds(state, part, binding) for part in parts)
            case Or(parts):
                return any(self.holds(state, part, binding) for part in parts)
            case Imply(left, right):
                return not self.holds(state, left, binding) or self.holds(state, right, binding)
            case Equals(left, right):
                return binding.get(left, left) == binding.get(right, right)
            case Forall(variables, body):
                return all(self.holds(state, body, inner) for inner in self.bindings(variables, binding))
            case Exists(variables, body):
                return any(self.holds(state, body, inner) for inner in self.bindings(variables, binding))
            case _:
                raise TypeError(f"{type(formula).__name__} is an effect, not a condition")

    def bindings(self, variables: tuple[Variable, ...], outer: Binding) -> Iterator[Binding]:
        names = [v.name for v in variables]
        for values in product(*(self.members(v.types) for v in variables)):
            yield {**outer, **dict(zip(names, values))}

    def failures(self, state: int, formula: Formula | Effect, binding: Binding, wanted: bool = True) -> list[Reason]:
        """The smallest parts of a condition that keep it from being ``wanted``; empty if it is.

        Every failing conjunct is named, and every failing instance of a universal one; a disjunction or an
        existential condition that fails is named as a whole.
        """
        if self.holds(state, formula, binding) == wanted:
            return []
        match formula:
            case Atom():
                atom = bound_atom(formula, binding)
                return [Reason(str(atom) if wanted else f"(not {atom})", atom, wanted)]
            case Not(body):
                return self.failures(state, body, binding, not wanted)
            case And(parts) if wanted:
                return [r for part in parts for r in self.failures(state, part, binding)]
            case Or(parts) if not wanted:
                return [r for part in parts for r in self.failures(state, part, binding, False)]
            case Imply(left, right) if not wanted:
                return self.failures(state, left, binding) + self.failures(state, right, binding, False)
            case Forall(variables, body) if wanted:
                return [r for b in self.bindings(variables, binding) for r in self.failures(state, body, b)]
            case Exists(variables, body) if not wanted:
                return [r for b in self.bindings(variables, binding) for r in self.failures(state, body, b, False)]
            case _:
                text = write_formula(bound_formula(formula, binding))
                return [Reason(text if wanted else f"(not {text})", None, wanted)]

    def expand(self, formula: Formula | Effect, binding: Binding) -> Formula:
        """The ground formula: quantifiers replaced by conjunctions and disjunctions, what never changes decided."""
        match formula:
            case Atom():
                atom = bound_atom(formula, binding)
                if atom.predicate in self._changing:
                    return atom
                return TRUE if atom in self._task.static else FALSE
            case Equals(left, right):
                return TRUE if binding.get(left, left) == binding.get(right, right) else FALSE
            case Not(body):
                inner = self.expand(body, binding)
                return FALSE if inner == TRUE else TRUE if inner == FALSE else Not(inner)
            case And(parts):
                return _all([self.expand(part, binding) for part in parts])
            case Or(parts):
                return _any([self.expand(part, binding) for part in parts])
            case Imply(left, right):
                condition, then = self.expand(left, binding), self.expand(right, binding)
                if condition == FALSE or then == TRUE:
                    return TRUE
                return then if condition == TRUE else Not(condition) if then == FALSE else Imply(condition, then)
            case Forall(variables, body):
                return _all([self.expand(body, inner) for inner in self.bindings(variables, binding)])
            case Exists(variables, body):
                return _any([self.expand(body, inner) for inner in self.bindings(variables, binding)])
            case _:
                raise TypeError(f"{type(formula).__name__} is an effect, not a condition")


def bound_atom(atom: Atom, binding: Binding) -> Atom:
    return Atom(atom.predicate, tuple([binding.get(a, a) for a in atom.args]))


def bound_formula(formula: Formula | Effect, binding: Binding) -> Formula:
    """The formula with free variables replaced; bound variables keep their names."""
    match formula:
        case Atom():
            return bound_atom(formula, binding)
        case Equals(left, right):
            return Equals(binding.get(left, left), binding.get(right, right))
        case Not(body):
            return Not(bound_formula(body, binding))
        case And(parts):
            return And(tuple(bound_formula(part, binding) for part in parts))
        case Or(parts):
            return Or(tuple(bound_formula(part, binding) for part in parts))
        case Imply(left, right):
            return Imply(bound_formula(left, binding), bound_formula(right, binding))
        case Forall(variables, body):
            return Forall(variables, bound_formula(body, _without(binding, variables)))
        case Exists(variables, body):
            return Exists(variables, bound_formula(body, _without(binding, variables)))
        case _:
            raise TypeError(f"{type(formula).__name__} is an effect, not a condition")


def _without(binding: Binding, variables: tuple[Variable, ...]) -> Binding:
    hidden = {v.name for v in variables}
    return {name: value for name, value in binding.items() if name not in hidden}


def _all(parts: list[Formula]) -> Formula:
    flat = dict.fromkeys(p for part in parts for p in (part.parts if isinstance(part, And) else (part,)))
    if FALSE in flat:
        return FALSE
    return next(iter(flat)) if len(flat) == 1 else And(tuple(flat))  # type: ignore[return-value]


def _any(parts: list[Formula]) -> Formula:
    flat = dict.fromkeys(p for part in parts for p in (part.parts if isinstance(part, Or) else (part,)))
    if TRUE in flat:
        return TRUE
    return next(iter(flat)) if len(flat) == 1 else Or(tuple(flat))
