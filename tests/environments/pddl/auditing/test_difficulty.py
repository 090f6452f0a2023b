"""Difficulty on tasks small enough to know the answer."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES, BUCKETS, bucket, measure, relaxed_solvable
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.planner.search import Plan, plan
from cultivar.environments.pddl.simulation.simulate import Simulator

BLOCKS = """
(define (domain tower) (:predicates (on ?x ?y) (table ?x) (clear ?x) (held ?x) (empty))
 (:action take :parameters (?x) :precondition (and (clear ?x) (table ?x) (empty))
  :effect (and (held ?x) (not (clear ?x)) (not (table ?x)) (not (empty))))
 (:action put :parameters (?x) :precondition (held ?x)
  :effect (and (clear ?x) (table ?x) (empty) (not (held ?x))))
 (:action stack :parameters (?x ?y) :precondition (and (held ?x) (clear ?y))
  :effect (and (clear ?x) (on ?x ?y) (empty) (not (held ?x)) (not (clear ?y))))
 (:action unstack :parameters (?x ?y) :precondition (and (clear ?x) (on ?x ?y) (empty))
  :effect (and (held ?x) (clear ?y) (not (on ?x ?y)) (not (clear ?x)) (not (empty)))))
"""
# Sussman's anomaly: c on a; the goal a on b on c.
SUSSMAN = """
(define (problem sussman) (:domain tower) (:objects a b c)
 (:init (table a) (table b) (on c a) (clear c) (clear b) (empty)) (:goal (and (on a b) (on b c))))
"""
# One match: it lights a candle or a fuse, and is gone.
MATCH = """
(define (domain match) (:predicates (match ?m) (candle ?c) (fuse ?f) (lit ?x) (burnt ?m) (warm))
 (:action candle :parameters (?m ?c) :precondition (and (match ?m) (candle ?c)) :effect (and (lit ?c) (not (match ?m))))
 (:action fuse :parameters (?m ?c) :precondition (and (match ?m) (fuse ?c)) :effect (and (burnt ?m) (not (match ?m))))
 (:action warm :parameters (?c) :precondition (lit ?c) :effect (warm)))
"""
ONE_MATCH = """
(define (problem one) (:domain match) (:objects m c f)
 (:init (match m) (candle c) (fuse f)) (:goal (warm)))
"""


def task_of(domain_text: str, problem_text: str) -> GroundTask:
    domain = parse_domain(domain_text).value
    assert domain is not None
    problem = parse_problem(problem_text, domain).value
    assert problem is not None
    return ground(domain, problem)


@given(st.integers(0, 200))
def test_buckets_partition_the_lengths_from_three(length: int) -> None:
    inside = [
        name for (low, high), name in zip(BUCKETS, BUCKET_NAMES) if low <= length and (high is None or length <= high)
    ]
    assert inside == ([] if length < 3 else [bucket(length)])
    assert bucket(2) is None


def test_sussman() -> None:
    task = task_of(BLOCKS, SUSSMAN)
    found = plan(task, optimal=True)
    hard = measure(task, found, random.Random(0))
    assert (hard.plan_length, hard.optimal, hard.goals, hard.bucket) == (6, True, 2, "5-6")
    assert hard.expanded == found.expanded > 0
    # Nothing in blocks is ever lost for good.
    assert hard.dead_ends == 0
    # Applicable along unstack c a, put c, take b, stack b c, take a: 2, 3, 3, 3, 2, 2.
    assert hard.branching == pytest.approx(15 / 6, abs=0.001)
    assert json.loads(json.dumps(hard.to_json()))["plan_length"] == 6


def test_interactions_count_goals_that_are_given_up() -> None:
    task = task_of(BLOCKS, SUSSMAN)
    found = plan(task, optimal=True)
    assert measure(task, found, random.Random(0)).interactions == 0
    # b is on c at the start and must leave it, because a lies under c: one goal is given up and met again.
    blocked = task_of(BLOCKS, SUSSMAN.replace("(table b) (on c a) (clear c) (clear b)", "(on c a) (on b c) (clear b)"))
    assert measure(blocked, plan(blocked, optimal=True), random.Random(0)).interactions == 1


def test_dead_ends_and_random_walks() -> None:
    task = task_of(MATCH, ONE_MATCH)
    found = plan(task, optimal=True)
    assert len(found) == 2
    measured = measure(task, found, random.Random(3), walks=400)
    # The first step decides: candle or fuse.
    assert measured.dead_ends is not None
    assert measured.dead_ends + measured.random_walk_success == pytest.approx(1.0)
    assert measured.dead_ends == pytest.approx(0.5, abs=0.1)
    assert measured.bucket is None
    none = measure(task, found, random.Random(3), walks=0)
    assert none.dead_ends is None


def test_same_seed_same_measure() -> None:
    task = task_of(BLOCKS, SUSSMAN)
    found = plan(task)
    assert measure(task, found, random.Random(5)) == measure(task, found, random.Random(5))


def test_exhaustion_proves_dead_ends_that_the_relaxation_misses() -> None:
    # Taking a key gives the other one up; both would be needed.
    task = task_of(
        "(define (domain keys) (:predicates (free) (has ?k) (one ?k) (two ?k) (open) (window))"
        " (:action take :parameters (?k) :precondition (free) :effect (and (has ?k) (not (free))))"
        " (:action turn :parameters (?a ?b) :precondition (and (has ?a) (has ?b) (one ?a) (two ?b)) :effect (open))"
        " (:action climb :parameters () :precondition (free) :effect (window))"
        " (:action in :parameters () :precondition (and (window) (free)) :effect (open)))",
        "(define (problem p) (:domain keys) (:objects k l) (:init (free) (one k) (two l)) (:goal (open)))",
    )
    found = plan(task, optimal=True)
    seen = measure(task, found, random.Random(1), walks=40)
    blind = measure(task, found, random.Random(1), walks=40, look_ahead=0)
    assert seen.dead_ends is not None
    assert blind.dead_ends is not None
    assert seen.dead_ends > 0
    assert seen.dead_ends >= blind.dead_ends


def test_relaxed_solvable_never_calls_a_solvable_state_dead() -> None:
    task = task_of(BLOCKS, SUSSMAN)
    simulator, rng = Simulator(task), random.Random(2)
    state = simulator.initial
    for _ in range(200):
        assert relaxed_solvable(task, state)
        state = simulator.apply(state, rng.choice(simulator.applicable(state)))
    spent = task_of(MATCH, ONE_MATCH)
    assert not relaxed_solvable(spent, 0)


def test_only_solved_tasks_are_measured() -> None:
    with pytest.raises(ValueError, match="'limit'"):
        measure(task_of(BLOCKS, SUSSMAN), Plan("limit"), random.Random(0))


def test_cost_of_measuring() -> None:
    task = task_of(BLOCKS, SUSSMAN)
    found = plan(task)
    simulator = Simulator(task)
    began = time.process_time()
    for seed in range(20):
        measure(task, replace(found), random.Random(seed), simulator=simulator)
    # Measured under 2 ms each.
    assert (time.process_time() - began) / 20 < 0.02
