"""Problems with one object more or some objects fewer."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cultivar.environments.pddl.model import Atom, Domain, Not, Problem, Variable, literals

Place = tuple[str, int]


def exclusive_places(domain: Domain, states: Iterable[Iterable[Atom]]) -> set[Place]:
    """The (predicate, argument position) pairs whose value the other arguments seem to determine.

    An estimate of the field's lifted mutex groups: in (at ?robot ?room) the robot determines the room, so position 1
    is exclusive. A place is exclusive if no state looked at has two values in it and either two values were seen at
    different times or the actions guard it (``_guarded``); one value alone proves nothing.
    """
    values: dict[Place, set[str]] = {}
    shared: set[Place] = set()
    for state in states:
        held: dict[tuple[str, int, tuple[str, ...]], str] = {}
        for atom in state:
            for i, term in enumerate(atom.args):
                place = (atom.predicate, i)
                values.setdefault(place, set()).add(term)
                if place not in shared:
                    rest = (*place, (*atom.args[:i], *atom.args[i + 1 :]))
                    if held.setdefault(rest, term) != term:
                        shared.add(place)
    return {p for p in values.keys() - shared if len(values[p]) > 1 or _guarded(domain, p)}


def _guarded(domain: Domain, place: Place) -> bool:
    """Whether every action that fills a place takes away a token of what the other arguments name, as (clear ?y) is
    taken by (on ?x ?y) and (hand-empty) by (held ?x)."""
    predicate, position = place
    fills = False
    for action in domain.actions:
        changes = list(literals(action.effect))
        taken = [e.body for e in changes if isinstance(e, Not) and isinstance(e.body, Atom)]
        for add in changes:
            if isinstance(add, Atom) and add.predicate == predicate:
                fills = True
                rest = {*add.args[:position], *add.args[position + 1 :]}
                if not any(set(t.args) <= rest and t.predicate != predicate for t in taken):
                    return False
    return fills


def clone_group(problem: Problem, name: str, exclusive: set[Place]) -> tuple[str, ...]:
    """The objects to clone together with this one, itself first, so that no exclusive place gets a second value: a
    block goes with the block it stands on. Empty if that takes more than three objects or cannot be done."""
    objects = {o.name for o in problem.objects}
    group = [name]
    for member in group:
        for fact in problem.init:
            if fact.args.count(member) != 1 or (fact.predicate, fact.args.index(member)) not in exclusive:
                continue
            others = [term for term in fact.args if term != member]
            if not any(term in group for term in others):
                group += [term for term in others if term in objects][:1] or [""]
        if len(group) > 3 or "" in group:
            return ()
    return tuple(group) if any(name in fact.args for fact in problem.init) else ()


def together(facts: Iterable[Atom], exclusive: set[Place]) -> bool:
    """Whether no exclusive place is given two values by these facts."""
    held: dict[tuple[str, int, tuple[str, ...]], str] = {}
    return all(
        held.setdefault((f.predicate, i, (*f.args[:i], *f.args[i + 1 :])), term) == term
        for f in facts
        for i, term in enumerate(f.args)
        if (f.predicate, i) in exclusive
    )


def with_clones(problem: Problem, group: tuple[str, ...]) -> tuple[Problem, dict[str, str]]:
    """The problem with a copy of each of these objects: same types, same initial facts and values, where a fact about
    several of them is copied for all of them at once. Also gives object -> copy."""
    copies: dict[str, str] = {}
    taken = {o.name for o in problem.objects}
    for name in group:
        copies[name] = _fresh(name, taken)
        taken.add(copies[name])
    types = {o.name: o.types for o in problem.objects}
    about = copies.keys()
    return (
        replace(
            problem,
            objects=(*problem.objects, *(Variable(copy, types[name]) for name, copy in copies.items())),
            init=(*problem.init, *(moved(f, copies) for f in problem.init if about & set(f.args))),
            values=(
                *problem.values,
                *((moved(f, copies), v) for f, v in problem.values if about & set(f.args)),
            ),
        ),
        copies,
    )


def moved(atom: Atom, names: Mapping[str, str]) -> Atom:
    """The atom with objects replaced."""
    return Atom(atom.predicate, tuple(names.get(term, term) for term in atom.args))


def without_objects(problem: Problem, names: set[str]) -> Problem:
    """The problem without these objects and every initial fact and value about them; the goal must not mention them."""
    return replace(
        problem,
        objects=tuple(o for o in problem.objects if o.name not in names),
        init=tuple(fact for fact in problem.init if not names.intersection(fact.args)),
        values=tuple((f, value) for f, value in problem.values if not names.intersection(f.args)),
    )


def removable(problem: Problem, kept: set[str], rng: random.Random) -> set[str]:
    """Between one and half of the objects that are not ``kept``, drawn at random; empty if all are."""
    spare = [o.name for o in problem.objects if o.name not in kept]
    return set(rng.sample(spare, rng.randint(1, (len(spare) + 1) // 2))) if spare else set()


def _fresh(name: str, taken: set[str]) -> str:
    """ball3 -> ball4 (or the next number that is free); rag -> rag2."""
    stem = re.sub(r"\d+$", "", name)
    number = int(name[len(stem) :] or 1)
    while f"{stem}{number}" in taken or number == 1:
        number += 1
    return f"{stem}{number}"
