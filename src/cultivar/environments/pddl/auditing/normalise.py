"""One way to write what can be written in many: a domain that plans alike, without what makes no difference.

What is done, in this order:

1. Conditions: negation normal form without ``imply``; nested conjunctions, disjunctions and quantifiers of one kind
   are one; what is said twice is said once; ``(= ?x ?x)`` is truth; variables that their formula does not mention go.
2. Effects: a set of changes, each one literal with a condition and the variables that it is done for. What the
   precondition demands anyway goes from conditions, a variable met only in the condition is an ``exists`` there.
3. If it is known what goals speak of: changes and rules that nothing reads, directly or through others, go, and so do
   actions left without a change.
4. Exact complements: ``q`` becomes ``not p`` if every action changes the two alike and in opposite ways, over the same
   arguments of the same types, both are added by some action, and no action can add and delete one fact of either.
5. Void changes go: a delete of what the precondition says is false or what the same action adds, an add of what the
   precondition says is true in an action that deletes nothing of that predicate, what has an impossible condition.
6. Parameters that nothing of their action mentions go.

What this takes for granted of problems: every type that a parameter or a quantified variable is declared with has an
object (6, 1), and every fact of two complements is in exactly one of them at the start (4).

What is *not* done, because it would merge domains that differ or cannot be told from a domain alone:

- A predicate that actions change and nothing reads may be the very thing that goals speak of: the domain visit-all is
  a walk with a never-read ``(visited ?x)``. It goes only if it is known that no goal does (3).
- A predicate that nothing changes may be true of all objects, or of those of one type: that is said by problems.
- Two predicates that are changed alike (copies) may differ at the start, and nothing but the start says what each is;
  so may complements of which one is only used up. Those that go to and fro lose what they were at the first change.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeAlias

from cultivar.environments.pddl.auditing.formulas import (
    Meaning,
    conjuncts,
    joined,
    nnf,
    predicates_of,
    put,
    quantified,
    read_as,
    terms_of,
)
from cultivar.environments.pddl.model import (
    FALSE,
    TRUE,
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
    Increase,
    Not,
    Variable,
    When,
)

Literal: TypeAlias = Atom | Not


@dataclass(frozen=True, slots=True)
class Change:
    """``literal`` is done for all ``variables`` (named ``?*0``, ``?*1`` and so on) of which ``condition`` holds."""

    variables: tuple[Variable, ...]
    condition: Formula
    literal: Literal | Increase

    @property
    def plain(self) -> bool:
        return not self.variables and self.condition == TRUE

    def as_effect(self) -> Effect:
        inner: Effect = self.literal if self.condition == TRUE else When(self.condition, self.literal)
        return Forall(self.variables, inner) if self.variables else inner


@dataclass(frozen=True, slots=True)
class Act:
    """An action in parts."""

    action: Action
    precondition: Formula
    changes: tuple[Change, ...]


def normalise(domain: Domain, goals: AbstractSet[str] | None = None) -> tuple[Domain, frozenset[str]]:
    """A domain that plans like ``domain``, and its predicates that may as well be written as their complements.

    ``goals``: the predicates that goals speak of; None if they may speak of any. A predicate may be replaced by its
    complement if it goes to and fro and no action can add and delete one fact of it.
    """
    acts = [Act(a, nnf(a.precondition), ()) for a in domain.actions]
    acts = [replace(act, changes=_changes(act)) for act in acts]
    rules = [replace(rule, condition=nnf(rule.condition)) for rule in domain.derived]
    if goals is not None:
        needed = _needed(acts, rules, goals)
        acts = [_without_unread(act, needed) for act in acts]
        acts = [act for act in acts if act.changes]
        rules = [rule for rule in rules if rule.head.name in needed]
    meaning = _complements(domain, acts)
    if meaning:
        acts = [_reread(act, meaning) for act in acts]
        rules = [replace(rule, condition=nnf(read_as(rule.condition, meaning))) for rule in rules]
    acts = [replace(act, changes=_effective(act)) for act in acts]
    either_way = {p for p, _ in meaning.values()} | _to_and_fro(acts)
    flippable = frozenset(p for p in either_way if all(_never_both(act, p) for act in acts))
    return replace(domain, actions=tuple(map(_written, acts)), derived=tuple(rules)), flippable


def changed(literal: Literal | Increase) -> str | None:
    """The predicate of a literal."""
    atom = literal.body if isinstance(literal, Not) else literal
    return atom.predicate if isinstance(atom, Atom) else None


def _changes(act: Act) -> tuple[Change, ...]:
    found: list[Change] = []
    given = set(conjuncts(act.precondition))
    fresh = 0
    stack: list[tuple[Effect | Formula, tuple[Variable, ...], dict[str, str], tuple[Formula, ...]]]
    stack = [(act.action.effect, (), {}, ())]
    while stack:
        node, variables, names, conditions = stack.pop()
        match node:
            case And(parts):
                stack.extend((part, variables, names, conditions) for part in parts)
            case Forall(bound, body):
                own = [f"?*{fresh + k}" for k in range(len(bound))]
                fresh += len(bound)
                more = tuple(Variable(name, v.types) for name, v in zip(own, bound))
                stack.append((body, variables + more, names | {v.name: n for v, n in zip(bound, own)}, conditions))
            case When(condition, effect):
                stack.append((effect, variables, names, (*conditions, put(nnf(condition), names))))
            case Atom() | Not(Atom()):
                found.append(_change(variables, conditions, put(node, names), given))  # type: ignore[arg-type]
            case Increase():
                found.append(Change((), TRUE, node))
            case _:
                raise AssertionError(node)
    return tuple(dict.fromkeys(found))


def _change(
    variables: tuple[Variable, ...], conditions: tuple[Formula, ...], literal: Literal, given: set[Formula]
) -> Change:
    condition = joined(And, list(conditions)) if conditions else TRUE
    if condition != TRUE:
        condition = joined(And, [part for part in conjuncts(condition) if part not in given])
    if not variables:
        return Change((), condition, literal)
    atom = literal.body if isinstance(literal, Not) else literal
    assert isinstance(atom, Atom)
    of = {v.name: v for v in variables}
    used = [name for name in dict.fromkeys(atom.args) if name in of]
    own = {name: f"?*{k}" for k, name in enumerate(used)} | {
        v.name: f"?+{v.name[2:]}" for v in variables if v.name not in used
    }
    inner = tuple(Variable(own[v.name], v.types) for v in variables if v.name not in used)
    kept = tuple(Variable(own[name], of[name].types) for name in used)
    # Sorted anew under the new names, so that what differed by the numbers of variables is equal.
    condition = quantified(Exists, inner, nnf(put(condition, own)))
    return Change(kept, condition, put(literal, own))  # type: ignore[arg-type]


def _needed(acts: list[Act], rules: list[Derived], goals: AbstractSet[str]) -> set[str]:
    """Predicates that goals or preconditions read, or that decide about what they read."""
    needed = set(goals)
    for act in acts:
        needed.update(predicates_of(act.precondition))
    sources = [(changed(c.literal), set(predicates_of(c.condition))) for act in acts for c in act.changes]
    sources += [(rule.head.name, set(predicates_of(rule.condition))) for rule in rules]
    size = -1
    while size < len(needed):
        size = len(needed)
        for target, read in sources:
            if target in needed:
                needed |= read
    return needed


def _without_unread(act: Act, needed: set[str]) -> Act:
    kept = tuple(c for c in act.changes if isinstance(c.literal, Increase) or changed(c.literal) in needed)
    return replace(act, changes=kept if any(not isinstance(c.literal, Increase) for c in kept) else ())


def _complements(domain: Domain, acts: list[Act]) -> Meaning:
    uses: dict[str, set[tuple[object, ...]]] = {}
    for number, act in enumerate(acts):
        for c in act.changes:
            if not isinstance(c.literal, Increase):
                add, atom = isinstance(c.literal, Atom), _atom(c)
                uses.setdefault(atom.predicate, set()).add((add, number, c.variables, c.condition, atom.args))
    classes: dict[tuple[object, ...], list[str]] = {}
    for predicate in domain.predicates:
        mine = uses.get(predicate.name, set())
        if len({use[0] for use in mine}) == 2:  # to and fro
            types = tuple(v.types for v in predicate.parameters)
            classes.setdefault((types, frozenset(mine)), []).append(predicate.name)
    meaning: Meaning = {}
    for (types, mine), names in classes.items():  # type: ignore[assignment]
        others = classes.get((types, frozenset((not use[0], *use[1:]) for use in mine)), names)
        if others is not names and names[0] not in meaning:
            tried = dict.fromkeys(names, (names[0], True)) | dict.fromkeys(others, (names[0], False))
            if all(_never_both(act, names[0], tried) for act in acts):
                meaning |= tried
    return meaning


def _atom(change: Change) -> Atom:
    atom = change.literal.body if isinstance(change.literal, Not) else change.literal
    assert isinstance(atom, Atom)
    return atom


def _reread(act: Act, meaning: Meaning) -> Act:
    changes = tuple(
        replace(c, condition=nnf(read_as(c.condition, meaning)))
        for c in act.changes
        if meaning.get(name := changed(c.literal) or "", (name, True))[0] == name
    )
    return replace(act, precondition=nnf(read_as(act.precondition, meaning)), changes=changes)


def _never_both(act: Act, predicate: str, meaning: Meaning | None = None) -> bool:
    """Whether no fact of a predicate is both added and deleted, whatever the objects and the (consistent) state."""
    adds = [a for c in act.changes if isinstance(a := c.literal, Atom) and a.predicate == predicate]
    deletes = [_atom(c) for c in act.changes if isinstance(c.literal, Not) and _atom(c).predicate == predicate]
    if not adds or not deletes:
        return True
    given = set(conjuncts(nnf(read_as(act.precondition, meaning)) if meaning else act.precondition))
    return all(_differ(one, other, given) for one in adds for other in deletes)


def _differ(one: Atom, other: Atom, given: set[Formula]) -> bool:
    if (Not(one) in given and other in given) or (one in given and Not(other) in given):
        return True
    for a, b in zip(one.args, other.args):
        if Not(Equals(a, b)) in given or Not(Equals(b, a)) in given:
            return True
        if a != b and not a.startswith("?") and not b.startswith("?"):
            return True
    return False


def _effective(act: Act) -> tuple[Change, ...]:
    given = set(conjuncts(act.precondition))
    plain = {c.literal for c in act.changes if c.plain}
    kept = [c for c in act.changes if c.plain or (c.literal not in plain and c.condition != FALSE)]
    kept = [c for c in kept if not (isinstance(c.literal, Not) and (c.literal in given or c.literal.body in plain))]
    deleted = {changed(c.literal) for c in kept if isinstance(c.literal, Not)}
    return tuple(
        c
        for c in kept
        if not (isinstance(c.literal, Atom) and c.literal in given and changed(c.literal) not in deleted)
    )


def _to_and_fro(acts: list[Act]) -> set[str]:
    added = {_atom(c).predicate for act in acts for c in act.changes if isinstance(c.literal, Atom)}
    return added & {_atom(c).predicate for act in acts for c in act.changes if isinstance(c.literal, Not)}


def _written(act: Act) -> Action:
    met = terms_of(act.precondition)
    for c in act.changes:
        met |= terms_of(c.condition) | terms_of(c.literal)
    parameters = tuple(p for p in act.action.parameters if p.name in met)
    return Action(act.action.name, parameters, act.precondition, And(tuple(c.as_effect() for c in act.changes)))
