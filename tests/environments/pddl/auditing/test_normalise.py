"""Re-skins that plan alike have one key, near-misses have their own, and what normalising leaves moves as before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.environments.pddl.auditing.canonical import domain_key
from cultivar.environments.pddl.auditing.normalise import normalise
from cultivar.environments.pddl.model import (
    And,
    Atom,
    Domain,
    Effect,
    Exists,
    Forall,
    Formula,
    Imply,
    Not,
    Or,
    Predicate,
    Problem,
    Variable,
    When,
)
from cultivar.environments.pddl.parsing.parse import parse_domain
from tests.environments.pddl.auditing.test_canonical import reskinned
from tests.environments.pddl.brute import Brute, random_task

SEEDS = st.integers(0, 10**9)

CRANE = """
(define (domain crane) (:requirements :adl)
 (:types spot crate) (:constants yard - spot)
 (:predicates (busy ?s - spot) (on ?c - crate ?s - spot) (heavy ?c - crate) (lit) (stamped ?c - crate)EXTRA)
 (:action hoist :parameters (?c - crate ?a ?b - spot)
  :precondition (and (on ?c ?a) (busy ?a) (not (busy ?b)) (imply (heavy ?c) (lit)))
  :effect (and (on ?c ?b) (busy ?b) (not (on ?c ?a)) (not (busy ?a)) (when (heavy ?c) (not (lit)))))
 (:action lamp :parameters () :precondition (not (lit)) :effect (lit))
 (:action stamp :parameters (?c - crate) :precondition (on ?c yard) :effect (stamped ?c)))
"""


def crane(*changes: tuple[str, str], extra: str = "") -> Domain:
    text = CRANE.replace("EXTRA", f" {extra}")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    parsed = parse_domain(text)
    assert parsed.value is not None, [d.render() for d in parsed.diagnostics]
    return parsed.value


FREE = "(free ?s - spot)"
KEPT = (
    ("(busy ?b) (not (on", "(busy ?b) (not (free ?b)) (not (on"),
    ("(not (busy ?a)) (when", "(not (busy ?a)) (free ?a) (when"),
)
RESKINS = {
    "double negation": crane(("(busy ?a) (not (busy ?b))", "(not (not (busy ?a))) (not (busy ?b))")),
    "de Morgan": crane(("(and (on ?c ?a) (busy ?a)", "(and (not (or (not (on ?c ?a)) (not (busy ?a))))")),
    "imply as or": crane(("(imply (heavy ?c) (lit))", "(or (lit) (not (heavy ?c)))")),
    "an equality that always holds": crane(("(on ?c yard)", "(and (= ?c ?c) (on ?c yard))")),
    "an unused parameter": crane(("(?c - crate) :precondition", "(?c - crate ?s - spot) :precondition")),
    "an unused variable": crane(("(on ?c yard)", "(exists (?x - spot) (on ?c yard))")),
    "a condition that the precondition demands": crane(("(stamped ?c)))", "(when (on ?c yard) (stamped ?c))))")),
    "an add of what holds": crane((":effect (stamped ?c)", ":effect (and (on ?c yard) (stamped ?c))")),
    "a delete of what does not hold": crane(("(on ?c ?b) (busy ?b)", "(on ?c ?b) (not (busy ?b)) (busy ?b)")),
    "an exact complement kept": crane(*KEPT, extra=FREE),
    "an exact complement kept and read": crane(("(not (busy ?b)) (imply", "(free ?b) (imply"), *KEPT, extra=FREE),
    "the complement in its place": crane(
        ("(busy ?s", "(free ?s"), ("(busy ?a) (not (busy ?b))", "(not (free ?a)) (free ?b)"),
        ("(on ?c ?b) (busy ?b)", "(on ?c ?b) (not (free ?b))"), ("(not (busy ?a))", "(free ?a)"),
    ),
    "the lamp the other way round": crane(
        ("(lit) (stamped", "(dark) (stamped"), ("(imply (heavy ?c) (lit))", "(imply (heavy ?c) (not (dark)))"),
        ("(when (heavy ?c) (not (lit)))", "(when (heavy ?c) (dark))"),
        (":precondition (not (lit)) :effect (lit)", ":precondition (dark) :effect (not (dark))"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RESKINS)
def test_a_reskin_that_plans_alike_has_the_same_key(name: str) -> None:
    assert RESKINS[name] != crane()
    assert domain_key(RESKINS[name]) == domain_key(crane())
    assert domain_key(reskinned_by_name(RESKINS[name])) == domain_key(crane())


def reskinned_by_name(domain: Domain) -> Domain:
    """Predicates declared in the opposite order: which of two complements comes first must not matter."""
    return replace(domain, predicates=domain.predicates[::-1], actions=domain.actions[::-1])


SEEN = (("(lit) (stamped", "(lit) (seen ?c - crate) (stamped"), ("(on ?c ?b) (busy", "(seen ?c) (on ?c ?b) (busy"))
NEAR = {
    "never read, but a goal may": crane(*SEEN),
    "without what only goals read": crane((":effect (stamped ?c)", ":effect (and (on ?c yard))")),
    "a parameter that must differ": crane(
        ("(?c - crate) :precondition (on ?c yard)", "(?c ?d - crate) :precondition (and (on ?c yard) (not (= ?c ?d)))")
    ),
    "a static fact, that problems may give to all": crane(
        ("(on ?c yard)", "(and (on ?c yard) (sound ?c))"), extra="(sound ?c - crate)"
    ),
    "negated": crane(("(imply (heavy ?c) (lit))", "(imply (heavy ?c) (not (lit)))")),
    "imply turned round": crane(("(imply (heavy ?c) (lit))", "(imply (lit) (heavy ?c))")),
    "a complement that one action forgets": crane(KEPT[0], extra=FREE),
    "a complement with other arguments": crane(
        KEPT[0], ("(not (busy ?a)) (when", "(not (busy ?a)) (free ?b) (when"), extra=FREE
    ),
    "a complement of other types": crane(*KEPT, extra="(free ?s - (either spot crate))"),
    "a condition more": crane((":effect (stamped ?c)", ":effect (when (heavy ?c) (stamped ?c))")),
    "an add that undoes a delete of the same action": crane(
        ("(busy ?a) (not (busy ?b))", "(busy ?a) (busy ?b)")
    ),
}  # fmt: skip


def test_near_misses_have_keys_of_their_own() -> None:
    keys = {name: domain_key(domain) for name, domain in NEAR.items()} | {"itself": domain_key(crane())}
    assert len(set(keys.values())) == len(keys), keys


def parsed(text: str) -> Domain:
    value = parse_domain(text).value
    assert value is not None
    return value


def test_a_complement_that_is_only_used_up_is_none() -> None:
    """What is not red was perhaps never red: only the start says so."""
    text = """(define (domain d) (:requirements :adl) (:predicates (red ?x) (burnt ?x) (p ?x))
     (:action burn :parameters (?x) :precondition (red ?x) :effect (and (burnt ?x) (not (red ?x))))
     (:action use :parameters (?x) :precondition READ :effect (p ?x)))"""
    assert domain_key(parsed(text.replace("READ", "(not (burnt ?x))"))) != domain_key(
        parsed(text.replace("READ", "(red ?x)"))
    )


def test_complements_that_an_action_can_give_one_object_both_of_stay_two() -> None:
    """With ?a = ?b both are true after the move, because adds overrule deletes; a guard makes them complements."""
    text = """(define (domain d) (:requirements :adl) (:predicates (in ?x) (out ?x))
     (:action move :parameters (?a ?b) :precondition (and (in ?a) GUARD)
      :effect (and (in ?b) (not (out ?b)) (not (in ?a)) (out ?a))))"""
    loose, guarded = parsed(text.replace("GUARD", "")), parsed(text.replace("GUARD", "(not (= ?a ?b))"))
    alone = text.replace("(out ?x)", "").replace("(not (out ?b))", "").replace("(out ?a)", "")
    assert normalise(loose)[1] == frozenset()
    assert domain_key(loose) != domain_key(parsed(alone.replace("GUARD", "")))
    assert domain_key(guarded) == domain_key(parsed(alone.replace("GUARD", "(not (= ?a ?b))")))


def test_what_nothing_reads_goes_once_the_goals_are_known() -> None:
    seen = crane(*SEEN)
    asked = {"on", "stamped"}
    assert domain_key(seen, asked) == domain_key(crane(), asked)
    assert domain_key(seen, {*asked, "seen"}) != domain_key(crane(), {*asked, "seen"})
    assert domain_key(crane(), {"on"}) != domain_key(crane(), asked), "stamp does nothing that is asked for"
    assert domain_key(crane(), asked) == domain_key(crane())


def test_what_decides_about_what_is_read_is_read() -> None:
    text = """(define (domain d) (:requirements :adl) (:predicates (a ?x) (b ?x) (c ?x) (g ?x))
     (:action one :parameters (?x) :effect (a ?x))
     (:action two :parameters (?x) :effect (when (a ?x) (b ?x)))
     (:action three :parameters (?x) :precondition (b ?x) :effect (and (g ?x) (c ?x))))"""
    kept, _ = normalise(parsed(text), {"g"})
    assert [a.name for a in kept.actions] == ["one", "two", "three"]
    assert "'c'" not in repr(kept.actions)


def moves(brute: Brute, state: frozenset[Atom], order: Sequence[str]) -> set[frozenset[Atom]]:
    return {brute.apply(state, call) for call in brute.applicable(state) if call[0] in order}


def inhabited(domain: Domain, problem: Problem) -> Problem:
    """Small, and with an object of every type, as normalising takes for granted."""
    things = [*domain.constants, *problem.objects[:2]]
    for name, _ in domain.types:
        if not any(domain.is_a(thing.types, (name,)) for thing in things):
            things.append(Variable(f"spare-{name}", (name,)))
    names = {thing.name for thing in things}
    init = tuple(fact for fact in problem.init if names.issuperset(fact.args))
    return replace(problem, objects=tuple(things[len(domain.constants) :]), init=init)


@given(SEEDS)
@settings(max_examples=80, deadline=None)
def test_a_normalised_domain_moves_as_before(seed: int) -> None:
    """By an executor of its own: random domains of every construct, from random states, each action by itself."""
    rng = random.Random(seed)
    domain, problem = random_task(rng)
    problem = inhabited(domain, problem)
    kept, _ = normalise(domain)
    gone = {p.name for p in domain.predicates} - used(kept)
    before, after = Brute(domain, problem), Brute(kept, problem)
    state = before.initial
    for _ in range(4):
        for action in domain.actions:
            expected = {s - {f for f in s if f.predicate in gone} for s in moves(before, state, [action.name])}
            found = {s - {f for f in s if f.predicate in gone} for s in moves(after, state, [action.name])}
            assert found == expected
        options = before.applicable(state)
        if not options:
            break
        state = before.apply(state, rng.choice(options))


def used(domain: Domain) -> set[str]:
    text = repr((domain.actions, domain.derived))
    return {p.name for p in domain.predicates if f"'{p.name}'" in text}


def with_complement(domain: Domain, name: str, rng: random.Random) -> Domain:
    """``name`` with a complement that every action keeps, read in its place here and there."""

    def fact(atom: Atom, yes: bool) -> Formula:
        other = Atom("other", atom.args)
        if rng.random() < 0.5:
            return atom if yes else Not(atom)
        return Not(other) if yes else other

    def read(node: Formula) -> Formula:
        match node:
            case Atom():
                return fact(node, True) if node.predicate == name else node
            case Not(Atom() as atom) if atom.predicate == name:
                return fact(atom, False)
            case Not(body):
                return Not(read(body))
            case And(parts) | Or(parts):
                return type(node)(tuple(map(read, parts)))  # type: ignore[arg-type]
            case Imply(left, right):
                return Imply(read(left), read(right))
            case Forall(variables, body) | Exists(variables, body):
                return type(node)(variables, read(body))  # type: ignore[arg-type]
            case _:
                return node

    def write(node: Effect | Formula) -> Effect:
        match node:
            case Atom(predicate, args) if predicate == name:
                return And((node, Not(Atom("other", args))))
            case Not(Atom(predicate, args)) if predicate == name:
                return And((node, Atom("other", args)))
            case And(parts):
                return And(tuple(map(write, parts)))
            case Forall(variables, body):
                return Forall(variables, write(body))
            case When(condition, effect):
                return When(read(condition), write(effect))
            case _:
                return node  # type: ignore[return-value]

    actions = tuple(replace(a, precondition=read(a.precondition), effect=write(a.effect)) for a in domain.actions)
    derived = tuple(replace(r, condition=read(r.condition)) for r in domain.derived)
    predicates = (*domain.predicates, Predicate("other", domain.predicate[name].parameters))
    return replace(domain, predicates=predicates, actions=actions, derived=derived)


def test_complements_of_random_domains() -> None:
    """Where a predicate may be flipped, a kept complement is found; where one is merged, it is one in every state."""
    rng = random.Random(3)
    found = merged = 0
    for _ in range(120):
        domain, problem = random_task(rng)
        problem = inhabited(domain, problem)
        plain, either_way = normalise(domain)
        for name in sorted(domain.fluents):
            more = with_complement(domain, name, rng)
            kept, _ = normalise(more)
            gone = {name, "other"} - used(kept)
            if name in either_way and name in used(plain):
                found += domain_key(more) == domain_key(domain)
            if len(gone) == 1 and used(plain) >= {name}:
                merged += 1
                stays_a_complement(more, problem, name, rng)
    assert found > 30
    assert merged > 30


def stays_a_complement(domain: Domain, problem: Problem, name: str, rng: random.Random) -> None:
    brute = Brute(domain, problem)
    every = {tuple(b.values()) for b in brute.bindings(domain.predicate[name].parameters, {})}
    state = {f for f in problem.init if f.predicate != "other"}
    state |= {Atom("other", args) for args in every if Atom(name, args) not in state}
    now = brute.close(frozenset(state))
    for _ in range(6):
        assert all((Atom(name, args) in now) != (Atom("other", args) in now) for args in every)
        options = brute.applicable(now)
        if not options:
            break
        now = brute.apply(now, rng.choice(options))


def test_new_names_keep_the_key_where_complements_are_merged() -> None:
    domain = replace(crane(*KEPT, extra=FREE), derived=())
    plain = replace(domain, actions=tuple(a for a in domain.actions if "imply" not in repr(a).lower()))
    for seed in range(10):
        assert domain_key(reskinned(plain, random.Random(seed))) == domain_key(plain)
