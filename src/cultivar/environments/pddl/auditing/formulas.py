"""Formulas in negation normal form, and what they mention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

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
    Increase,
    Not,
    Or,
    Variable,
)

Meaning: TypeAlias = dict[str, tuple[str, bool]]
"""predicate -> (the predicate that says the same, whether it says it by being true)."""


def nnf(node: Formula | Effect, yes: bool = True) -> Formula:
    """``node``, or its negation: negations before atoms and equalities alone, parts flat, sorted and said once."""
    match node:
        case Atom():
            return node if yes else Not(node)
        case Equals(left, right):
            if left == right or not (left.startswith("?") or right.startswith("?")):
                return TRUE if (left == right) == yes else FALSE
            return node if yes else Not(node)
        case Not(body):
            return nnf(body, not yes)
        case Imply(left, right):
            return joined(Or, [nnf(left, False), nnf(right)]) if yes else joined(And, [nnf(left), nnf(right, False)])
        case And(parts) | Or(parts):
            kind = And if isinstance(node, And) == yes else Or
            return joined(kind, [nnf(part, yes) for part in parts])
        case Forall(variables, body) | Exists(variables, body):
            return quantified(Forall if isinstance(node, Forall) == yes else Exists, variables, nnf(body, yes))
        case _:
            raise AssertionError(node)


def joined(kind: type[And] | type[Or], parts: list[Formula]) -> Formula:
    flat: set[Formula] = set()
    for part in parts:
        flat.update(part.parts if isinstance(part, kind) else (part,))  # type: ignore[arg-type]
    zero = FALSE if kind is And else TRUE
    if zero in flat:
        return zero
    if len(flat) == 1:
        return flat.pop()
    return kind(tuple(sorted(flat, key=_order)))


def _order(node: Formula | Effect) -> str:
    """Any order will do; ``repr`` alone costs ten times as much."""
    if isinstance(node, Atom):
        return str(node)
    return f"~{node.body}" if isinstance(node, Not) and isinstance(node.body, Atom) else repr(node)


def quantified(kind: type[Forall] | type[Exists], variables: tuple[Variable, ...], body: Formula) -> Formula:
    met = terms_of(body)
    kept = tuple(v for v in variables if v.name in met)
    if not kept:
        return body
    if isinstance(body, kind) and not {v.name for v in kept} & {v.name for v in body.variables}:
        return kind((*kept, *body.variables), body.body)  # type: ignore[arg-type]
    return kind(kept, body)


def terms_of(node: Formula | Effect) -> set[str]:
    """The terms of a formula that no quantifier in it binds."""
    match node:
        case Atom(_, args):
            return set(args)
        case Equals(left, right):
            return {left, right}
        case And(parts) | Or(parts):
            return set().union(*map(terms_of, parts))
        case Not(body):
            return terms_of(body)
        case Forall(variables, body) | Exists(variables, body):
            return terms_of(body) - {v.name for v in variables}
        case Increase(amount):
            return set(amount.args) if isinstance(amount, Atom) else set()
        case _:
            raise AssertionError(node)


def put(node: Formula, names: Mapping[str, str]) -> Formula:
    """A formula in negation normal form with other terms for its free ones."""
    match node:
        case Atom(predicate, args):
            return Atom(predicate, tuple(names.get(a, a) for a in args))
        case Equals(left, right):
            return Equals(names.get(left, left), names.get(right, right))
        case Not(body):
            return Not(put(body, names))
        case And(parts) | Or(parts):
            return type(node)(tuple(put(p, names) for p in parts))  # type: ignore[arg-type]
        case Forall(variables, body) | Exists(variables, body):
            bound = {v.name for v in variables}
            return type(node)(variables, put(body, {a: b for a, b in names.items() if a not in bound}))  # type: ignore[arg-type]
        case _:
            raise AssertionError(node)


def conjuncts(node: Formula) -> tuple[Formula, ...]:
    return node.parts if isinstance(node, And) else (node,)  # type: ignore[return-value]


def predicates_of(node: Formula) -> Iterator[str]:
    stack: list[Formula | Effect] = [node]
    while stack:
        match stack.pop():
            case Atom(predicate):
                yield predicate
            case And(parts) | Or(parts):
                stack.extend(parts)
            case Not(body) | Forall(_, body) | Exists(_, body):
                stack.append(body)
            case _:
                pass


def read_as(node: Formula, meaning: Meaning) -> Formula:
    match node:
        case Atom(predicate, args):
            name, same = meaning.get(predicate, (predicate, True))
            return Atom(name, args) if same else Not(Atom(name, args))
        case Not(body):
            return Not(read_as(body, meaning))
        case And(parts) | Or(parts):
            return type(node)(tuple(read_as(p, meaning) for p in parts))  # type: ignore[arg-type]
        case Forall(variables, body) | Exists(variables, body):
            return type(node)(variables, read_as(body, meaning))  # type: ignore[arg-type]
        case _:
            return node
