"""Actions are witnessed where they are applicable, near and far, and nowhere else."""

from __future__ import annotations

import random
from itertools import pairwise

from cultivar.environments.pddl.auditing.coverage import witness
from tests.environments.pddl.auditing.test_audit import CROSSING, FERRY, domain_of, simulator_of


def test_witness_sees_what_is_applicable_and_nothing_else() -> None:
    ferry = domain_of(FERRY)
    crossing = simulator_of(ferry, CROSSING)
    names = set(ferry.action)
    assert witness(crossing, names, random.Random(0)) == names
    carless = simulator_of(ferry, CROSSING.replace("(waits red south) (waits blue south)", "(waits red north)").replace(
        "(and (waits red north) (waits blue north))", "(waits red south)").replace("red blue", "red"))  # fmt: skip
    assert witness(carless, names, random.Random(0)) == names
    empty = simulator_of(ferry, CROSSING.replace("(waits red south) (waits blue south)", ""))
    assert witness(empty, names, random.Random(0)) == {"sail"}


def test_witness_does_not_take_relaxed_reachability_for_reachability() -> None:
    # Both keys are relaxed-reachable together, but taking one gives the other up for good.
    domain = domain_of(
        "(define (domain keys) (:predicates (free) (has ?k) (one ?k) (two ?k) (open))"
        " (:action take :parameters (?k) :precondition (free) :effect (and (has ?k) (not (free))))"
        " (:action unlock :parameters (?a ?b) :precondition (and (has ?a) (has ?b) (one ?a) (two ?b)) :effect (open)))"
    )
    simulator = simulator_of(
        domain,
        "(define (problem p) (:domain keys) (:objects k l) (:init (free) (one k) (two l)) (:goal (open)))",
    )
    assert {op.name for op in simulator.task.operators} == {"take", "unlock"}
    assert witness(simulator, {"take", "unlock"}, random.Random(0)) == {"take"}


def test_witness_plans_to_what_lies_far_away() -> None:
    # A chain of 60 rooms: beyond a random walk and a search of 20 states.
    names = [f"r{i}" for i in range(60)]
    nexts = " ".join(f"(next {a} {b})" for a, b in pairwise(names))
    domain = domain_of(
        "(define (domain chain) (:predicates (at ?r) (next ?a ?b) (last ?r) (rung))"
        " (:action go :parameters (?a ?b) :precondition (and (at ?a) (next ?a ?b)) :effect (and (at ?b) (not (at ?a))))"
        " (:action ring :parameters (?r) :precondition (and (at ?r) (last ?r)) :effect (rung)))"
    )
    simulator = simulator_of(
        domain,
        f"(define (problem p) (:domain chain) (:objects {' '.join(names)})"
        f" (:init (at r0) (last r59) {nexts}) (:goal (rung)))",
    )
    rng = random.Random(0)
    assert witness(simulator, {"ring"}, rng, states=20, searches=0) == set()
    assert witness(simulator, {"ring"}, rng, states=20) == {"ring"}
