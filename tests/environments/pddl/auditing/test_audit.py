"""Every gate, on a domain or task that fails it and on one that does not."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from cultivar.environments.pddl.auditing.audit import (
    GATES,
    NOTES,
    Finding,
    audit_difficulty,
    audit_domain,
    audit_duplicate,
    audit_environment,
    audit_language,
    audit_mutants,
    audit_order,
    audit_plan,
    audit_replay,
    audit_start,
)
from cultivar.environments.pddl.auditing.canonical import domain_key
from cultivar.environments.pddl.auditing.difficulty import Difficulty, measure, reordered
from cultivar.environments.pddl.auditing.mutate import MutationCheck
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.parsing.parse import extract_pddl, parse_domain, parse_problem
from cultivar.environments.pddl.planner.search import Plan, plan
from cultivar.environments.pddl.simulation.simulate import Simulator

FERRY = """
(define (domain ferry) (:requirements :strips :typing :negative-preconditions)
 (:types shore car)
 (:predicates (moored ?s - shore) (waits ?c - car ?s - shore) (aboard ?c - car) (full))
 (:action sail :parameters (?a ?b - shore) :precondition (and (moored ?a) (not (= ?a ?b)))
   :effect (and (moored ?b) (not (moored ?a))))
 (:action board :parameters (?c - car ?s - shore) :precondition (and (moored ?s) (waits ?c ?s) (not (full)))
   :effect (and (aboard ?c) (full) (not (waits ?c ?s))))
 (:action land :parameters (?c - car ?s - shore) :precondition (and (moored ?s) (aboard ?c))
   :effect (and (waits ?c ?s) (not (aboard ?c)) (not (full)))))
"""
CROSSING = """
(define (problem crossing) (:domain ferry) (:objects north south - shore red blue - car)
 (:init (moored south) (waits red south) (waits blue south)) (:goal (and (waits red north) (waits blue north))))
"""


def domain_of(text: str) -> Domain:
    parsed = parse_domain(text)
    assert parsed.value is not None, [d.render() for d in parsed.diagnostics]
    return parsed.value


def simulator_of(domain: Domain, text: str) -> Simulator:
    parsed = parse_problem(text, domain)
    assert parsed.value is not None, [d.render() for d in parsed.diagnostics]
    return Simulator(ground(domain, parsed.value))


@pytest.fixture(scope="module")
def ferry() -> Domain:
    return domain_of(FERRY)


@pytest.fixture(scope="module")
def crossing(ferry: Domain) -> Simulator:
    return simulator_of(ferry, CROSSING)


def small(actions: str, predicates: str = "(p ?x) (q ?x) (r ?x)") -> list[str]:
    domain = domain_of(
        f"(define (domain d) (:requirements :strips :typing :negative-preconditions :conditional-effects)"
        f" (:types a b) (:predicates {predicates}) {actions})"
    )
    return [f.gate for f in audit_domain(domain)]


def act(precondition: str, effect: str, name: str = "go", parameters: str = "?x") -> str:
    return f"(:action {name} :parameters ({parameters}) :precondition (and {precondition}) :effect (and {effect}))"


CYCLE = act("(p ?x)", "(q ?x) (r ?x) (not (p ?x))") + act("(q ?x)", "(p ?x) (not (q ?x))", "back")


@pytest.mark.parametrize(
    ("actions", "gates"),
    [
        (CYCLE, []),
        (act("(p ?x)", "(q ?x)") + act("(q ?x)", "(r ?x)", "more"), ["delete-free"]),
        # A negative precondition does not undo anything.
        (act("(not (q ?x))", "(q ?x) (p ?x)") + act("(p ?x)", "(r ?x)", "more"), ["delete-free"]),
        # The delete is overruled by the add of the same action.
        (act("(p ?x)", "(q ?x) (r ?x) (not (q ?x))"), ["delete-free"]),
        # What is deleted is false anyway.
        (act("(not (p ?x))", "(q ?x) (r ?x) (not (p ?x))"), ["delete-free"]),
        # Nobody reads or adds what is deleted.
        (act("(p ?x)", "(q ?x) (not (r ?x))"), ["delete-free"]),
        # Things are used up: p is never added.
        (act("(p ?x)", "(q ?x) (r ?x) (not (p ?x))"), ["nothing-undone"]),
        # The only delete stands in a conditional effect, and counts.
        (act("(p ?x)", "(q ?x) (r ?x) (when (q ?x) (not (p ?x)))") + act("(q ?x)", "(p ?x)", "back"), []),
        (CYCLE + act("(p ?x)", "(p ?x)", "wait"), ["inert-action"]),
        (CYCLE + act("(p ?x) (not (p ?x))", "(not (q ?x))", "never"), ["contradictory-action"]),
        (CYCLE + act("(p ?x) (not (= ?x ?x))", "(not (q ?x))", "never"), ["contradictory-action"]),
    ],
)  # fmt: skip
def test_gates_of_a_domain(actions: str, gates: list[str]) -> None:
    found = small(actions)
    assert found == gates


def test_types_that_share_no_object_do_not_meet() -> None:
    predicates = "(p ?x) (q ?x)"
    apart = act("(q ?x)", "(p ?x)", "make", "?x - a") + act("(p ?x)", "(q ?x) (not (p ?x))", "use", "?x - b")
    assert small(apart, predicates) == ["nothing-undone"]
    together = act("(q ?x)", "(p ?x)", "make", "?x - a") + act("(p ?x)", "(q ?x) (not (p ?x))", "use", "?x - a")
    assert small(together, predicates) == []


def test_nullary_only_and_unused_predicate() -> None:
    nullary = act("(p)", "(q) (not (p))", parameters="") + act("(q)", "(p) (not (q))", "back", "")
    assert small(nullary, "(p) (q)") == ["nullary-only"]
    assert small(nullary, "(p) (q) (never ?x)") == ["nullary-only", "unused-predicate"]
    assert "unused-predicate" in NOTES
    assert [f.gate for f in audit_domain(Domain("empty"))] == ["no-actions"]


def test_a_real_domain_passes(ferry: Domain) -> None:
    assert audit_domain(ferry) == []


def test_every_finding_is_of_a_known_gate_and_is_json(crossing: Simulator) -> None:
    finding = audit_start(replace_goal_by_start(crossing))[0]
    assert finding.gate in GATES
    assert finding.drops
    assert json.loads(json.dumps(finding.to_json()))["demand"] == GATES["goal-true"]
    assert not Finding("unused-predicate", "").drops
    assert set(GATES) >= NOTES


def replace_goal_by_start(simulator: Simulator) -> Simulator:
    return Simulator(replace(simulator.task, need=simulator.initial, forbid=0))


def test_a_solved_task_passes_every_gate(crossing: Simulator) -> None:
    found = plan(crossing.task, optimal=True)
    difficulty = measure(crossing.task, found, random.Random(1))
    assert audit_start(crossing) + audit_plan(crossing, found) == []
    assert audit_order(difficulty.reordered) + audit_difficulty(difficulty) == []


def test_a_goal_that_is_true_at_the_start(crossing: Simulator) -> None:
    found = audit_start(replace_goal_by_start(crossing))
    assert [f.gate for f in found] == ["goal-true"]


def test_unsolvable_is_told_from_unsolved(ferry: Domain, crossing: Simulator) -> None:
    text = CROSSING.replace("(waits red north) (waits blue north)", "(aboard red) (aboard blue)")
    simulator = simulator_of(ferry, text)
    proved = plan(simulator.task, optimal=True)
    assert proved.status == "unsolvable"
    assert [f.gate for f in audit_plan(simulator, proved)] == ["unsolvable"]
    no_way = simulator_of(ferry, text.replace("(waits red south)", ""))
    assert no_way.task.unreachable_goal
    assert [f.gate for f in audit_start(no_way)] == ["unsolvable"]
    assert [f.gate for f in audit_plan(crossing, Plan("limit", expanded=7))] == ["unsolved"]


def test_plan_that_does_not_replay_and_plan_too_short(crossing: Simulator) -> None:
    found = plan(crossing.task, optimal=True)
    broken = replace(found, operators=found.operators[1:])
    assert [f.gate for f in audit_plan(crossing, broken)] == ["plan-invalid"]
    findings = audit_plan(crossing, found, min_plan=len(found) + 1)
    assert [(f.gate, f.evidence["length"]) for f in findings] == [("plan-short", len(found))]


def test_random_walk_gate() -> None:
    easy = Difficulty(3, True, 1, 2.0, 0.0, 0.75, 1, 0, "3-4")
    assert [f.gate for f in audit_difficulty(easy, max_random=0.5)] == ["random-walk"]
    assert audit_difficulty(easy, max_random=0.75) == []


CHECKLIST = """
(define (domain checklist) (:requirements :strips :typing) (:types job lamp)
 (:predicates (done ?j - job) (lit ?l - lamp) (dark ?l - lamp))
 (:action do :parameters (?j - job) :effect (done ?j))
 (:action light :parameters (?l - lamp) :precondition (dark ?l) :effect (and (lit ?l) (not (dark ?l))))
 (:action douse :parameters (?l - lamp) :precondition (lit ?l) :effect (and (dark ?l) (not (lit ?l)))))
"""


def test_a_checklist_fails_although_a_random_walk_does_not_solve_it() -> None:
    domain = domain_of(CHECKLIST)
    assert audit_domain(domain) == []
    jobs = " ".join(f"j{i}" for i in range(8))
    lamps = " ".join(f"l{i}" for i in range(20))
    dark = " ".join(f"(dark l{i})" for i in range(20))
    goal = " ".join(f"(done j{i})" for i in range(8))
    text = f"(define (problem p) (:domain checklist) (:objects {jobs} - job {lamps} - lamp) (:init {dark})"
    simulator = simulator_of(domain, f"{text} (:goal (and {goal})))")
    found = plan(simulator.task)
    difficulty = measure(simulator.task, found, random.Random(1))
    assert difficulty.random_walk_success == 0
    assert difficulty.reordered == 1
    findings = audit_order(difficulty.reordered)
    assert [f.gate for f in findings] == ["any-order"]
    assert findings[0].evidence == {"share": 1.0, "most": 0.5}


def test_a_plan_whose_order_matters_passes(crossing: Simulator) -> None:
    difficulty = measure(crossing.task, plan(crossing.task, optimal=True), random.Random(1))
    assert difficulty.reordered <= 0.1
    assert audit_order(0.5) == []
    assert audit_order(0.5, max_reordered=0.4)[0].gate == "any-order"


def test_a_plan_of_one_step_repeated_has_no_order(crossing: Simulator) -> None:
    step = plan(crossing.task).operators[0]
    assert reordered(crossing, [step] * 3, random.Random(1), 12) == 1


def test_duplicates_language_and_replay(ferry: Domain) -> None:
    key = domain_key(ferry)
    found = audit_duplicate("duplicate-environment", key, "new", {key: "old"})
    assert found[0].evidence["same_as"] == "old"
    assert audit_duplicate("duplicate-environment", key, "new", {}) == []
    assert audit_language(None) == []
    assert [f.gate for f in audit_language("a and b")] == ["language-clash"]
    assert audit_replay(1.0) == []
    assert [f.gate for f in audit_replay(0.5)] == ["text-replay"]
    assert [f.gate for f in audit_replay(1.0, "there is no action")] == ["text-replay"]


def test_a_changed_plan_that_is_wrongly_accepted() -> None:
    good = MutationCheck(tried=3, rejected=2, still_solves=1)
    assert audit_mutants(good) == []
    found = audit_mutants(replace(good, wrongly_accepted=1))
    assert [f.gate for f in found] == ["mutant-accepted"]
    assert found[0].evidence["wrongly_accepted"] == 1


def test_an_environment_whose_actions_were_not_all_seen(ferry: Domain) -> None:
    names = set(ferry.action)
    findings = audit_environment(ferry, {"sail"}, {"sail", "board"}, 1, min_tasks=2)
    assert [f.gate for f in findings] == ["too-few-tasks", "action-never-applicable"]
    assert findings[1].evidence == {
        "actions": ["board", "land"],
        "impossible_even_without_deletes": ["land"],
        "tasks": 1,
    }
    assert audit_environment(ferry, names, names, 1) == []


def test_published_replies_fail_the_gates_as_reported(shared_data: Path) -> None:
    """About 68% of these 400 published domains delete nothing and 23% have only nullary predicates (issue 2)."""
    replies = [
        json.loads(line)["reply"]
        for line in (shared_data / "agentgen_domain_replies.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    domains = [d for d in (parse_domain(extract_pddl(reply)).value for reply in replies) if d is not None]
    failed: dict[str, int] = {}
    for domain in domains:
        for finding in audit_domain(domain):
            failed[finding.gate] = failed.get(finding.gate, 0) + 1
    assert 0.66 <= failed["delete-free"] / len(domains) <= 0.72
    assert 0.20 <= failed["nullary-only"] / len(domains) <= 0.26
