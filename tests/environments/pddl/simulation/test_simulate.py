"""Stepping, explaining and validating."""

from __future__ import annotations

import random

import pytest

from cultivar.core.errors import InputError
from cultivar.environments.pddl.grounded import Conditional, GroundTask, Operator
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import And, Atom, Equals, Exists, Forall, Imply, Not, Or, Variable
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.simulation.simulate import Reason, Simulator, read_plan
from tests.environments.pddl.brute import Brute, random_task

DOMAIN = """(define (domain ferry) (:requirements :adl)
(:types place car - object van - car)
(:predicates (at-ferry ?p - place) (at ?c - car ?p - place) (aboard ?c - car) (empty) (river ?a ?b - place))
(:action sail :parameters (?from ?to - place)
 :precondition (and (at-ferry ?from) (river ?from ?to) (not (= ?from ?to)))
 :effect (and (at-ferry ?to) (not (at-ferry ?from))))
(:action board :parameters (?c - car ?p - place)
 :precondition (and (at ?c ?p) (at-ferry ?p) (empty))
 :effect (and (aboard ?c) (not (at ?c ?p)) (not (empty))))
(:action debark :parameters (?c - car ?p - place)
 :precondition (and (aboard ?c) (at-ferry ?p))
 :effect (and (not (aboard ?c)) (at ?c ?p) (empty)))
(:action rest :parameters ()
 :precondition (forall (?c - car) (or (aboard ?c) (exists (?p - place) (and (at ?c ?p) (at-ferry ?p)))))
 :effect (and)))"""
PROBLEM = """(define (problem two) (:domain ferry)
(:objects north south isle - place mini - car bulli - van)
(:init (at-ferry north) (at mini north) (at bulli south) (empty)
 (river north south) (river south north) (river north north))
(:goal (and (at mini south) (forall (?v - van) (at ?v north)) (river north south))))"""
PLAN = """; two cars cross
(board mini north)
(sail north south)   ; over
(DEBARK mini south)
( board bulli south )
(sail south north)
(debark bulli north)
"""


@pytest.fixture(scope="module")
def ferry() -> Simulator:
    domain = parse_domain(DOMAIN).value
    assert domain is not None
    problem = parse_problem(PROBLEM, domain).value
    assert problem is not None
    return Simulator(ground(domain, problem))


def texts(simulator: Simulator, name: str, *args: str, state: int | None = None) -> list[str]:
    return [r.text for r in simulator.explain(simulator.initial if state is None else state, name, args)]


def test_steps(ferry: Simulator) -> None:
    assert [str(op) for op in ferry.applicable(ferry.initial)] == ["(sail north south)", "(board mini north)"]
    for op, state in ferry.successors(ferry.initial):
        assert state == ferry.apply(ferry.initial, op) and ferry.is_applicable(ferry.initial, op)
    board = ferry.find(ferry.initial, "board", ("mini", "north"))
    assert board is not None
    after = ferry.apply(ferry.initial, board)
    assert ferry.task.atoms(after) == [
        Atom("at-ferry", ("north",)),
        Atom("at", ("bulli", "south")),
        Atom("aboard", ("mini",)),
    ]
    assert ferry.find(after, "board", ("mini", "north")) is None
    assert ferry.find(after, "sail", ("north", "isle")) is None


def test_reasons_name_every_failing_condition(ferry: Simulator) -> None:
    assert texts(ferry, "board", "mini", "north") == []
    assert ferry.explain(ferry.initial, "debark", ("mini", "south")) == (
        Reason("(aboard mini)", Atom("aboard", ("mini",)), True),
        Reason("(at-ferry south)", Atom("at-ferry", ("south",)), True),
    )
    assert texts(ferry, "sail", "north", "isle") == ["(river north isle)"]
    assert texts(ferry, "sail", "north", "north") == ["(not (= north north))"]
    (whole,) = texts(ferry, "rest")
    assert whole.startswith("(or (aboard bulli) (exists (?p - place)")


def test_a_negative_condition_is_a_literal_not_wanted() -> None:
    domain = parse_domain(
        "(define (domain d) (:predicates (p) (q)) (:requirements :negative-preconditions)"
        "(:action a :parameters () :precondition (not (or (p) (q))) :effect (q))"
        "(:action b :parameters () :precondition (p) :effect (not (p))))"
    ).value
    assert domain is not None
    problem = parse_problem("(define (problem p) (:domain d) (:init (p)) (:goal (q)))", domain).value
    assert problem is not None
    simulator = Simulator(ground(domain, problem))
    assert simulator.explain(simulator.initial, "a", ()) == (Reason("(not (p))", Atom("p"), False),)


def test_reasons_for_calls_that_make_no_sense(ferry: Simulator) -> None:
    assert texts(ferry, "bord", "mini", "north") == ["there is no action 'bord'; did you mean 'board'?"]
    assert texts(ferry, "board", "mini") == ["board takes 2 arguments (?c ?p), not 1"]
    assert texts(ferry, "rest", "mini") == ["rest takes no arguments, not 1"]
    assert texts(ferry, "board", "minni", "nort") == [
        "there is no object 'minni'; did you mean 'mini'?",
        "there is no object 'nort'; did you mean 'north'?",
    ]
    assert texts(ferry, "board", "north", "mini") == [
        "north is of type place, but ?c must be of type car",
        "mini is of type car, but ?p must be of type place",
    ]


def test_explain_is_empty_exactly_where_the_action_can_be_done() -> None:
    for seed in range(60):
        rng = random.Random(seed)
        domain, problem = random_task(rng)
        brute, simulator = Brute(domain, problem), Simulator(ground(domain, problem))
        state = simulator.initial
        for _ in range(5):
            operators = simulator.applicable(state)
            able = {(op.name, op.args) for op in operators}
            for action in domain.actions:
                for binding in brute.bindings(action.parameters, {}):
                    call = action.name, tuple(binding[p.name] for p in action.parameters)
                    assert (simulator.explain(state, *call) == ()) == (call in able), (seed, call)
                    assert (simulator.find(state, *call) is not None) == (call in able), (seed, call)
            if not operators:
                break
            state = simulator.apply(state, rng.choice(operators))


def test_holds_takes_any_ground_formula(ferry: Simulator) -> None:
    car, place = Variable("?c", ("car",)), Variable("?p", ("place",))
    somewhere = Exists((place,), Atom("at", ("?c", "?p")))
    state = ferry.initial
    assert ferry.holds(state, Forall((car,), somewhere))
    assert not ferry.holds(state, Forall((car,), Atom("at", ("?c", "north"))))
    assert ferry.holds(state, And((Atom("empty"), Not(Atom("aboard", ("mini",))), Atom("river", ("north", "south")))))
    assert ferry.holds(state, Or((Atom("at", ("mini", "isle")), Equals("isle", "isle"))))
    assert ferry.holds(state, Imply(Atom("at", ("mini", "isle")), Or(())))
    assert not ferry.holds(state, Atom("at", ("no-such", "thing")))


def test_progress_is_the_share_of_the_goals_that_are_not_given(ferry: Simulator) -> None:
    assert ferry.goals() == (Atom("at", ("mini", "south")), Atom("at", ("bulli", "north")))
    states = ferry.validate(read_plan(PLAN)).states
    assert [ferry.progress(s) for s in states] == [0, 0, 0, 0.5, 0.5, 0.5, 1]


def test_a_plan_that_works(ferry: Simulator) -> None:
    outcome = ferry.validate(read_plan(PLAN))
    assert (outcome.valid, outcome.reached_goal, outcome.failed_step, outcome.cost) == (True, True, None, 6)
    assert len(outcome.states) == 7 and ferry.is_goal(outcome.states[-1])


def test_plans_that_do_not(ferry: Simulator) -> None:
    steps = read_plan(PLAN)
    broken = ferry.validate(steps[:2] + steps[3:])
    assert (broken.valid, broken.failed_step, len(broken.states)) == (False, 2, 3)
    assert broken.message == "step 3, (board bulli south), cannot be done: (empty)"
    short = ferry.validate(steps[:-1])
    assert (short.valid, short.reached_goal, short.failed_step) == (False, False, None)
    assert short.message == "after 5 steps the goal does not hold: (at bulli north)"
    assert "no action 'fly'" in ferry.validate([("fly", ())]).message


def test_read_plan_names_the_line() -> None:
    assert read_plan("\n; nothing\n") == []
    assert read_plan("(A b-1  C)") == [("a", ("b-1", "c"))]
    for bad in ("(a)\nb c", "(a)\n(b", "(a)\n()", "(a)\n(b) (c)", "(a)\n(b (c))"):
        with pytest.raises(InputError, match="line 2"):
            read_plan(bad)


def test_conditions_of_effects_are_read_before_the_action() -> None:
    domain = parse_domain("(define (domain d) (:predicates (p)) (:action a :parameters () :effect (p)))").value
    assert domain is not None
    problem = parse_problem("(define (problem p) (:domain d) (:init) (:goal (p)))", domain).value
    assert problem is not None
    p, q = Atom("p"), Atom("q")
    swap = Operator(0, "a", (), 0, 0, 0, 0, 1, (Conditional(1, 0, 2, 1), Conditional(2, 0, 1, 2)))
    simulator = Simulator(GroundTask(domain, problem, (p, q), 1, 0, 0, (swap,)))
    assert simulator.apply(0b01, swap) == 0b10
    assert simulator.apply(0b10, swap) == 0b01
    assert simulator.apply(0b11, swap) == 0b11
