"""What can be said against a domain by reading it: no task, no search.

A domain is judged by what its actions *do*. A delete does something only if the same action does not add the same fact
again, the precondition does not say that the fact is false anyway, and the predicate matters: something reads it or
something adds it. Two gates stand on that:

- ``delete-free``: no delete does anything. Facts only ever accumulate, every applicable action may be done at once and
  in any order, and the plan is a checklist. A negative precondition does not change that verdict.
- ``nothing-undone``: something is deleted, but no fact that an action can add is one that an action can delete (typed
  arguments are compared). Each fact then changes at most once in a life: things are used up or ticked off, and nothing
  that was achieved is ever lost again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cultivar.core.records import JSON
from cultivar.environments.pddl.auditing.gates import Finding
from cultivar.environments.pddl.model import (
    Action,
    And,
    Atom,
    Domain,
    Effect,
    Equals,
    Exists,
    Forall,
    Formula,
    Imply,
    Not,
    Or,
    When,
)

Types = dict[str, tuple[str, ...]]


def audit_domain(domain: Domain) -> list[Finding]:
    """Every static finding, notes included, the ones that drop the domain first. Costs well under a millisecond."""
    if not domain.actions:
        return [Finding("no-actions", "The domain declares no action.", {"predicates": len(domain.predicates)})]
    reads = {atom.predicate for node in _conditions(domain) for atom in _atoms(node)}
    changes = [change for action in domain.actions for change in _changes(domain, action)]
    writes = {change.atom.predicate for change in changes}
    found = [*_nullary(domain, reads | writes), *_contradictions(domain), *_inert(domain, changes)]
    found += _undone(domain, changes, reads)
    idle = [p.name for p in domain.predicates if p.name not in reads | writes | {r.head.name for r in domain.derived}]
    if idle:
        found.append(Finding("unused-predicate", f"No action mentions {_list(idle)}.", {"predicates": idle}))
    return found


@dataclass(frozen=True, slots=True)
class _Change:
    """One literal of an effect, with the types of the terms that are in scope there."""

    action: str
    atom: Atom
    add: bool
    types: tuple[tuple[str, ...], ...]
    void: bool  # changes nothing, whatever the state


def _changes(domain: Domain, action: Action) -> Iterator[_Change]:
    scope: Types = {v.name: v.types for v in (*domain.constants, *action.parameters)}
    needed = {part for part in _conjuncts(action.precondition) if isinstance(part, Atom)}
    excluded = {part.body for part in _conjuncts(action.precondition) if isinstance(part, Not)}
    kept = {part for part in _conjuncts(action.effect) if isinstance(part, Atom)}
    stack: list[tuple[Effect | Formula, Types]] = [(action.effect, scope)]
    while stack:
        node, types = stack.pop()
        match node:
            case And(parts):
                stack.extend((part, types) for part in reversed(parts))
            case Forall(variables, body):
                stack.append((body, types | {v.name: v.types for v in variables}))
            case When(_, effect):
                stack.append((effect, types))
            case Atom():
                void = node in needed and not _deleted(action.effect, node)
                yield _Change(action.name, node, True, tuple(types[t] for t in node.args), void)
            case Not(Atom() as atom):
                void = atom in kept or atom in excluded
                yield _Change(action.name, atom, False, tuple(types[t] for t in atom.args), void)
            case _:
                pass


def _deleted(effect: Effect, atom: Atom) -> bool:
    return any(isinstance(part, Not) and part.body == atom for part in _conjuncts(effect))


def _conjuncts(node: Formula | Effect) -> list[Formula | Effect]:
    found: list[Formula | Effect] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, And):
            stack.extend(reversed(top.parts))
        else:
            found.append(top)
    return found


def _conditions(domain: Domain) -> Iterator[Formula | Effect]:
    """Everything that is read: preconditions, the conditions of effects, the bodies of derived rules."""
    for rule in domain.derived:
        yield rule.condition
    for action in domain.actions:
        yield action.precondition
        stack: list[Formula | Effect] = [action.effect]
        while stack:
            match stack.pop():
                case And(parts):
                    stack.extend(parts)
                case Forall(_, body):
                    stack.append(body)
                case When(condition, effect):
                    yield condition
                    stack.append(effect)
                case _:
                    pass


def _atoms(node: Formula | Effect) -> Iterator[Atom]:
    stack = [node]
    while stack:
        match stack.pop():
            case Atom() as atom:
                yield atom
            case And(parts) | Or(parts):
                stack.extend(parts)
            case Not(body) | Forall(_, body) | Exists(_, body):
                stack.append(body)
            case Imply(left, right) | When(left, right):
                stack.extend((left, right))
            case _:
                pass


def _nullary(domain: Domain, used: set[str]) -> list[Finding]:
    schemas = [p for p in domain.predicates if p.name in used]
    if any(p.arity for p in schemas):
        return []
    names = [p.name for p in schemas]
    message = f"None of the {len(names)} predicates in use has an argument, so there are no objects to reason about."
    return [Finding("nullary-only", message, {"predicates": names})]


def _contradictions(domain: Domain) -> list[Finding]:
    found = []
    for action in domain.actions:
        parts = _conjuncts(action.precondition)
        clash = next((p for p in parts if Not(p) in parts), None)  # type: ignore[arg-type]
        unequal = next((p for p in parts if isinstance(p, Not) and _same(p.body)), None)
        if clash is not None or unequal is not None or Or(()) in parts:
            shown = str(clash) if isinstance(clash, Atom) else "its precondition"
            message = f"{action.name} can never be done: {shown} is asked for and excluded."
            found.append(Finding("contradictory-action", message, {"action": action.name, "fact": shown}))
    return found


def _same(node: Formula | Effect) -> bool:
    return isinstance(node, Equals) and node.left == node.right


def _inert(domain: Domain, changes: list[_Change]) -> list[Finding]:
    live = {change.action for change in changes if not change.void}
    idle = [action.name for action in domain.actions if action.name not in live]
    if not idle:
        return []
    message = f"{_list(idle)} never change{'s' if len(idle) == 1 else ''} a fact."
    return [Finding("inert-action", message, {"actions": idle})]


def _undone(domain: Domain, changes: list[_Change], reads: set[str]) -> list[Finding]:
    adds = [c for c in changes if c.add and not c.void]
    added = {c.atom.predicate for c in adds}
    written = [c for c in changes if not c.add]
    deletes = [c for c in written if not c.void and c.atom.predicate in reads | added]
    evidence: dict[str, JSON] = {
        "actions": len(domain.actions),
        "deletes": len(written),
        "without_effect": [f"{c.action}: (not {c.atom})" for c in written if c not in deletes][:8],
    }
    if not deletes:
        what = "No action deletes anything" if not written else "No delete has an effect"
        return [Finding("delete-free", f"{what}: facts only accumulate and nothing is ever undone.", evidence)]
    if any(_may_meet(domain, one, other) for one in adds for other in deletes):
        return []
    evidence["deleted"] = sorted({c.atom.predicate for c in deletes})
    evidence["added"] = sorted(added)
    message = f"What actions delete ({_list(evidence['deleted'])}) no action adds: nothing achieved is ever undone."
    return [Finding("nothing-undone", message, evidence)]


def _may_meet(domain: Domain, one: _Change, other: _Change) -> bool:
    if one.atom.predicate != other.atom.predicate:
        return False
    for a, b, a_types, b_types in zip(one.atom.args, other.atom.args, one.types, other.types):
        if not a.startswith("?") and not b.startswith("?") and a != b:
            return False
        if not _share_objects(domain, a_types, b_types):
            return False
    return True


def _share_objects(domain: Domain, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return any(domain.is_a((name,), one) and domain.is_a((name,), other) for name in domain.ancestors)


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
