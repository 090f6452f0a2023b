"""Problems with one object more or some objects fewer."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import replace

from cultivar.environments.pddl.model import Atom, Problem, Variable

Place = tuple[str, int]


def exclusive_places(states: Iterable[Iterable[Atom]]) -> set[Place]:
    """The (predicate, argument position) pairs whose value the other arguments determined in every state looked at.

    An estimate from a sample of what the field calls a lifted mutex group: in (at ?robot ?room) the robot determines
    the room, so position 1 is exclusive, and position 0 is too if no state showed two robots in one room.
    """
    seen: set[Place] = set()
    shared: set[Place] = set()
    for state in states:
        values: dict[tuple[str, int, tuple[str, ...]], str] = {}
        for atom in state:
            for i, term in enumerate(atom.args):
                place = (atom.predicate, i)
                seen.add(place)
                if place not in shared:
                    rest = (*place, (*atom.args[:i], *atom.args[i + 1 :]))
                    if values.setdefault(rest, term) != term:
                        shared.add(place)
    return seen - shared


def clonable(problem: Problem, name: str, exclusive: set[Place]) -> bool:
    """Whether a second object with all initial facts of this one leaves every exclusive place with one value."""
    facts = [fact for fact in problem.init if name in fact.args]
    return bool(facts) and not any(
        fact.args.count(name) == 1 and (fact.predicate, fact.args.index(name)) in exclusive for fact in facts
    )


def with_clone(problem: Problem, name: str) -> tuple[Problem, str]:
    """The problem with a copy of an object: same types, same initial facts and values. (problem, its name)"""
    copy = _fresh(name, {o.name for o in problem.objects})

    def moved(atom: Atom) -> Atom:
        return Atom(atom.predicate, tuple(copy if term == name else term for term in atom.args))

    original = next(o for o in problem.objects if o.name == name)
    return (
        replace(
            problem,
            objects=(*problem.objects, Variable(copy, original.types)),
            init=(*problem.init, *(moved(fact) for fact in problem.init if name in fact.args)),
            values=(*problem.values, *((moved(f), value) for f, value in problem.values if name in f.args)),
        ),
        copy,
    )


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
