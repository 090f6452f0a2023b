from __future__ import annotations

import random
from dataclasses import replace

import pytest

from cultivar.core.errors import InputError
from cultivar.core.records import EnvironmentSpec, Task, Trajectory
from cultivar.environments.pddl.auditing.mutate import MutationCheck, mutation_check, mutations
from cultivar.environments.pddl.demonstrate import demonstrate, thought_material, with_thoughts
from cultivar.environments.pddl.environment import PddlEnvironment, read_domain, read_task
from cultivar.environments.pddl.model import Atom, Not
from cultivar.environments.pddl.narration.causal import explain_plan
from cultivar.environments.pddl.narration.language import default_language
from cultivar.environments.pddl.parsing.parse import parse_domain
from cultivar.environments.pddl.simulation.reference import Reference
from cultivar.environments.pddl.simulation.simulate import Simulator
from tests.environments.pddl.store import LANGUAGE, PLAN, SPEC, TASK

OTHERS = replace(TASK, data={**TASK.data})


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator(read_task(read_domain(SPEC), TASK))


def test_an_act_only_demonstration() -> None:
    trajectory = demonstrate(SPEC, TASK, PLAN)
    assert trajectory.success and trajectory.reward == 1.0 and trajectory.task == TASK.id
    roles = [turn.role for turn in trajectory.turns]
    assert roles == ["system", *["user", "assistant"] * len(PLAN)]
    assert all(turn.train == (turn.role == "assistant") for turn in trajectory.turns)
    assert trajectory.turns[2].content == "Action: Go from hall to red room."
    assert trajectory.turns[3].content.startswith("Observation: ")
    assert [round(t.progress or 0, 2) for t in trajectory.turns if t.role == "assistant"] == [
        0.33,
        0.67,
        0.67,
        0.67,
        1.0,
    ]
    assert [t.reward for t in trajectory.turns if t.role == "assistant"] == [0.0] * 4 + [1.0]


def test_every_content_replays_in_a_fresh_environment() -> None:
    trajectory = demonstrate(SPEC, TASK, PLAN, thoughts="template", rng=random.Random(3), observations="delta")
    environment = PddlEnvironment(SPEC, observations="delta")
    seen = [environment.begin(TASK).text]
    for turn in trajectory.turns:
        if turn.role == "assistant":
            step = environment.act(turn.content)
            assert step.valid and step.reward == turn.reward and step.progress == turn.progress
            seen.append(f"Observation: {step.observation}")
    assert step.reward == 1.0
    assert [t.content for t in trajectory.turns if t.role == "user"] == seen[:-1]


def test_a_plan_that_fails_is_no_success_and_ends_where_it_failed() -> None:
    trajectory = demonstrate(SPEC, TASK, [PLAN[0], PLAN[2], *PLAN[3:]])
    assert not trajectory.success and trajectory.reward == 0.0
    assert trajectory.turns[-1].action == "Take ball out of big box in red room."
    short = demonstrate(SPEC, TASK, PLAN[:3])
    assert not short.success and short.reward == 0.0


def test_a_language_that_cannot_be_read_back_is_no_success() -> None:
    vague = {**LANGUAGE.to_json(), "actions": {**LANGUAGE.actions, "move": "Go to {arg2}."}}
    trajectory = demonstrate(replace(SPEC, data={**SPEC.data, "language": vague}), TASK, PLAN)
    assert not trajectory.success


def test_the_record_survives_json() -> None:
    trajectory = demonstrate(SPEC, TASK, PLAN, thoughts="template", rng=random.Random(0))
    assert Trajectory.from_json(trajectory.to_json()) == trajectory


def test_demonstrations_are_equal_for_equal_seeds_and_vary_otherwise() -> None:
    def thoughts(seed: int) -> list[str | None]:
        turns = demonstrate(SPEC, TASK, PLAN, thoughts="template", rng=random.Random(seed)).turns
        return [t.thought for t in turns if t.role == "assistant"]

    assert thoughts(1) == thoughts(1)
    assert len({tuple(thoughts(seed)) for seed in range(20)}) > 15
    with pytest.raises(InputError, match="rng"):
        demonstrate(SPEC, TASK, PLAN, thoughts="template")


# Causal links.


def test_links_of_the_plan(simulator: Simulator) -> None:
    explained = explain_plan(simulator, PLAN)
    found = {(link.producer, str(link.condition), link.consumer) for step in explained for link in step.links}
    there, here, out = Atom("at-robot", ("red-room",)), Atom("at-robot", ("hall",)), Atom("open", ("big-box",))
    held = Atom("holding", ("ball",))
    assert {
        (0, str(there), 1), (0, str(there), 2), (0, str(there), 3), (1, str(out), 2), (1, str(out), None),
        (2, str(held), 4), (3, str(here), 4), (4, "(at ball hall)", None),
    } <= found  # fmt: skip
    assert (0, str(there), 4) not in found


def test_every_link_is_true(simulator: Simulator) -> None:
    """False before the producer, true from then until the consumer, which cannot be done without it."""
    states = simulator.validate(PLAN).states
    for step in explain_plan(simulator, PLAN):
        for link in step.links:
            end = len(PLAN) if link.consumer is None else link.consumer
            assert not simulator.holds(states[link.producer], link.condition)
            assert all(simulator.holds(states[k], link.condition) for k in range(link.producer + 1, end + 1))
            if link.consumer is not None and isinstance(link.condition, Atom):
                without = states[link.consumer] & ~simulator.task.bit[link.condition]
                assert simulator.find(without, *PLAN[link.consumer]) is None


def test_a_plan_that_fails_cannot_be_explained(simulator: Simulator) -> None:
    for plan in ([PLAN[1]], PLAN[:2]):
        with pytest.raises(InputError):
            explain_plan(simulator, plan)


CONDITIONAL = """
(define (domain lamps) (:requirements :strips :conditional-effects :disjunctive-preconditions :negative-preconditions)
 (:predicates (plugged) (charged) (lit) (tested) (sealed))
 (:action plug :parameters () :precondition (not (sealed)) :effect (plugged))
 (:action charge :parameters () :precondition (not (sealed)) :effect (charged))
 (:action unseal :parameters () :precondition (sealed) :effect (not (sealed)))
 (:action switch :parameters () :precondition (or (plugged) (charged)) :effect (and (tested) (when (plugged) (lit)))))
"""


def lamps(goal: str) -> tuple[EnvironmentSpec, Task]:
    domain = parse_domain(CONDITIONAL).value
    assert domain is not None
    data = {"domain": CONDITIONAL, "language": default_language(domain).to_json()}
    spec = EnvironmentSpec(family="pddl", name="lamps", description="Lamps.", data=data)
    problem = f"(define (problem p) (:domain lamps) (:init (sealed)) (:goal {goal}))"
    return spec, Task(environment=spec.id, goal="", data={"problem": problem})


def links(goal: str, plan: list[str]) -> set[tuple[int, str, int | None, bool]]:
    spec, task = lamps(goal)
    simulator = Simulator(read_task(read_domain(spec), task))
    explained = explain_plan(simulator, [(name, ()) for name in plan])
    return {
        (
            x.producer,
            f"not {x.condition.body}" if isinstance(x.condition, Not) else str(x.condition),
            x.consumer,
            x.for_effect,
        )
        for step in explained
        for x in step.links
    }


def test_what_only_an_effect_asks_for_is_told_apart() -> None:
    found = links("(lit)", ["unseal", "charge", "plug", "switch"])
    assert (2, "(plugged)", 3, True) in found
    assert (0, "not (sealed)", 1, False) in found and (0, "not (sealed)", 2, False) in found
    assert not any(condition == "(charged)" for _, condition, _, _ in found)


def test_one_of_two_alternatives_that_both_hold_is_not_called_necessary() -> None:
    found = links("(tested)", ["unseal", "charge", "plug", "switch"])
    assert not any(consumer == 3 and not effect for _, _, consumer, effect in found)
    assert (1, "(charged)", 2, False) in links("(tested)", ["unseal", "charge", "switch"])


@pytest.mark.parametrize("seed", range(30))
def test_thoughts_of_conditional_plans_are_words(seed: int) -> None:
    spec, task = lamps("(and (lit) (not (sealed)))")
    plan = [(name, ()) for name in ("unseal", "charge", "plug", "switch")]
    trajectory = demonstrate(spec, task, plan, thoughts="template", rng=random.Random(seed))
    assert trajectory.success
    for turn in trajectory.turns:
        if turn.thought is not None:
            assert turn.thought[0].isupper() and turn.thought.endswith((".", "!")) and "{" not in turn.thought


# Thoughts by a model.


def test_material_for_a_model_names_what_each_step_serves() -> None:
    material = thought_material(SPEC, TASK, PLAN)
    assert [m.action for m in material][:2] == ["Go from hall to red room.", "Open big box in red room."]
    assert ("big box is open", "Take ball out of big box in red room.") in material[1].serves
    assert ("big box is open", "") in material[1].serves
    assert material[3].aim == "ball is in the hall"
    assert "you are not in the hall" in material[0].changes


def test_given_thoughts_are_put_in_and_still_replay() -> None:
    trajectory = with_thoughts(demonstrate(SPEC, TASK, PLAN), [f"I think\nof step {k}." for k in range(len(PLAN))])
    assert trajectory.turns[2].content == "Thought: I think of step 0.\nAction: Go from hall to red room."
    environment = PddlEnvironment(SPEC)
    environment.begin(TASK)
    assert [environment.act(t.content).valid for t in trajectory.turns if t.role == "assistant"] == [True] * len(PLAN)


def test_thoughts_that_do_not_fit_are_refused() -> None:
    trajectory = demonstrate(SPEC, TASK, PLAN)
    with pytest.raises(ValueError, match="5 actions"):
        with_thoughts(trajectory, ["one"])
    with pytest.raises(ValueError, match="holds an action"):
        with_thoughts(trajectory, ["Well. Action: Put ball down in hall."] * len(PLAN))


# Mutated plans.


def test_mutations_differ_by_one_mistake(simulator: Simulator) -> None:
    rng, kinds = random.Random(0), set()
    for (kind, mutated), _ in zip(mutations(simulator, PLAN, rng), range(200)):
        kinds.add(kind)
        assert mutated != PLAN
        if kind == "dropped":
            assert len(mutated) == len(PLAN) - 1
        else:
            assert len(mutated) == len(PLAN)
            assert sum(a != b for a, b in zip(mutated, PLAN)) == (2 if kind == "swapped" else 1)
        if kind == "swapped":
            assert sorted(mutated) == sorted(PLAN)
    assert kinds == {"dropped", "swapped", "replaced"}
    assert list(mutations(simulator, [], rng)) == []


def test_the_checker_rejects_mutated_plans(simulator: Simulator) -> None:
    found = mutation_check(simulator, PLAN, random.Random(0), 200)
    assert found.tried == 200 and found.rejected + found.still_solves == 200
    assert found.wrongly_accepted == found.wrongly_rejected == 0
    assert found.rate == 1.0 and sum(found.by_kind.values()) == 200


def test_another_solution_is_not_held_against_the_checker() -> None:
    spec, task = lamps("(tested)")
    simulator = Simulator(read_task(read_domain(spec), task))
    found = mutation_check(simulator, [(n, ()) for n in ("unseal", "charge", "plug", "switch")], random.Random(0), 100)
    assert found.still_solves > 0 and found.rejected > 0 and found.rate == 1.0


class Gullible(Simulator):
    """Takes every plan for a solution."""

    def validate(self, plan):  # type: ignore[no-untyped-def]
        return replace(super().validate(PLAN))


def test_a_checker_that_accepts_all_is_found_out() -> None:
    found = mutation_check(Gullible(read_task(read_domain(SPEC), TASK)), PLAN, random.Random(0), 50)
    assert found.wrongly_accepted == 50 - found.still_solves > 0
    assert found.rate == 0.0
    assert MutationCheck().rate == 1.0


DERIVED = """
(define (domain paths) (:requirements :typing :derived-predicates :negative-preconditions :quantified-preconditions)
 (:types node) (:predicates (edge ?a ?b - node) (path ?a ?b - node) (lonely ?a - node))
 (:derived (path ?a ?b - node) (or (edge ?a ?b) (exists (?c - node) (and (edge ?a ?c) (path ?c ?b)))))
 (:derived (lonely ?a - node) (forall (?b - node) (not (path ?a ?b))))
 (:action link :parameters (?a ?b - node) :precondition (not (path ?a ?b)) :effect (edge ?a ?b))
 (:action cut :parameters (?a ?b - node) :precondition (edge ?a ?b) :effect (not (edge ?a ?b))))
"""


def test_the_reference_closes_derived_predicates_in_strata() -> None:
    domain = parse_domain(DERIVED).value
    assert domain is not None
    spec = EnvironmentSpec(
        family="pddl",
        name="p",
        description="",
        data={"domain": DERIVED, "language": default_language(domain).to_json()},
    )
    problem = (
        "(define (problem p) (:domain paths) (:objects x y z - node) (:init (edge x y))"
        " (:goal (and (path x z) (lonely z) (not (lonely x)))))"
    )
    simulator = Simulator(read_task(domain, Task(environment=spec.id, goal="", data={"problem": problem})))
    reference = Reference(domain, simulator.task.problem)
    assert reference.reaches_goal([("link", ("y", "z"))])
    assert not reference.reaches_goal([("link", ("x", "y"))])
    assert not reference.reaches_goal([("cut", ("x", "y"))])
    assert not reference.reaches_goal([("fly", ())]) and not reference.reaches_goal([("link", ("x", "q"))])
    rng = random.Random(0)
    for _ in range(100):
        plan = [(rng.choice(("link", "cut")), (rng.choice("xyz"), rng.choice("xyz"))) for _ in range(rng.randint(1, 4))]
        assert reference.reaches_goal(plan) == simulator.validate(plan).reached_goal
