from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cultivar.core.errors import InputError, UsageError
from cultivar.core.protocols import Environment, Step
from cultivar.core.records import EnvironmentSpec, Task
from cultivar.environments.pddl.environment import PddlEnvironment, World, read_domain, read_task, stored_plan
from cultivar.environments.pddl.narration.language import Language
from tests.environments.pddl.store import DOMAIN, LANGUAGE, PLAN, PROBLEM, SPEC, TASK


def started(**options: object) -> PddlEnvironment:
    environment = PddlEnvironment(SPEC, **options)  # type: ignore[arg-type]
    environment.begin(TASK)
    return environment


def test_it_is_an_environment() -> None:
    assert isinstance(PddlEnvironment(SPEC), Environment)


def test_reset_tells_description_actions_goal_things_and_state() -> None:
    observation = PddlEnvironment(SPEC).begin(TASK)
    assert observation.text.splitlines() == [
        "You are a robot in a store.",
        "You can do these actions:",
        "- Go from [room] to [room].",
        "- Open [box] in [room].",
        "- Take [thing] out of [box] in [room].",
        "- Put [thing] down in [room].",
        "The goal is to satisfy the following conditions: Ball is in the hall. Big box is open. "
        "Either your hand is free or you are holding key 1.",
        "Box: big box. Room: hall, red room. Thing: ball, key 1.",
        "Observation: Ball is inside big box. Big box is in the red room. Key 1 is inside big box. "
        "There is a door from hall to red room. You are in the hall. Your hand is free.",
    ]
    assert observation.progress == pytest.approx(1 / 3)


def test_the_gold_texts_solve_the_task_through_the_protocol() -> None:
    async def solve() -> list[Step]:
        environment = PddlEnvironment(SPEC)
        gold = environment.gold(TASK)
        assert gold is not None
        await environment.reset(TASK)
        return [await environment.step(text) for text in gold]

    steps = asyncio.run(solve())
    assert len(steps) == len(PLAN)
    assert [s.reward for s in steps] == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert [s.done for s in steps] == [False, False, False, False, True]
    assert [round(s.progress, 3) for s in steps] == [0.333, 0.667, 0.667, 0.667, 1.0]
    assert all(s.valid for s in steps)
    assert steps[-1].observation.endswith(" The goal is satisfied.")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Open big box in hall.", "You cannot open big box in hall: big box is not in the hall."),
        ("Open big box in red room.", "You cannot open big box in red room: you are not in the red room."),
        ("Open ball in hall.", "You cannot open ball in hall: ball is not a box."),
        (
            "Take ball out of big box in red room",
            "You cannot take ball out of big box in red room: big box is not open and you are not in the red room.",
        ),
        (
            "Put ball down in red room",
            "You cannot put ball down in red room: you are not holding ball and you are not in the red room.",
        ),
        ("Go from hall to hall", "hall is named twice"),
        ("fly", "There is no action 'fly'; you can: go, open, take, put."),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_is_explained(text: str, answer: str) -> None:
    environment = started()
    look = environment.act("look").observation
    step = environment.act(text)
    assert not step.valid and not step.done and step.reward == 0.0
    assert answer in step.observation
    assert environment.act("look").observation == look


def test_progress_is_a_running_maximum() -> None:
    environment = started()
    world = environment._world
    assert world is not None
    for name, args in PLAN[:3]:
        step = environment.act(world.narrator.action(name, args))
    assert step.progress == pytest.approx(2 / 3)
    assert world.simulator.progress(environment._state) <= step.progress
    assert environment.act("nonsense").progress == step.progress


def test_commands_look_and_check() -> None:
    environment = started(observations="delta")
    moved = environment.act("Go from hall to red room")
    assert moved.observation == "You are in the red room. You are not in the hall."
    look = environment.act("Action: look.")
    assert look.valid and "There is a door" in look.observation and "You are in the red room." in look.observation
    check = environment.act("Check valid actions")
    assert check.valid
    assert check.observation == "You can: Go from red room to hall. Open big box in red room."


def test_commands_are_told_only_where_they_are_offered() -> None:
    assert '"look"' in started().instruction()
    plain = started(commands=False)
    assert "look" not in plain.instruction()
    assert not plain.act("look").valid


def test_a_command_gives_way_to_an_action_of_that_name() -> None:
    actions = {("look" if name == "put-down" else name): text for name, text in LANGUAGE.actions.items()}
    language = Language(LANGUAGE.predicates, actions)
    data = {"domain": DOMAIN.replace("put-down", "look"), "language": language.to_json()}
    environment = PddlEnvironment(replace(SPEC, data=data))
    environment.begin(TASK)
    assert '"look"' not in environment.instruction()
    assert not environment.act("look").valid


def test_the_limit_of_steps_ends_the_episode() -> None:
    environment = started(max_steps=2)
    assert not environment.act("nonsense").done
    last = environment.act("look")
    assert last.done and "limit of steps" in last.observation
    after = environment.act("look")
    assert after.done and not after.valid


def test_a_clone_goes_its_own_way() -> None:
    environment = started()
    other = environment.clone()
    other.act("Go from hall to red room")
    assert "You are in the hall." in environment.act("look").observation
    assert "You are in the red room." in other.act("look").observation


def test_gold_takes_the_stored_plan_in_any_of_its_forms() -> None:
    lines = [f"({' '.join((name, *args))})" for name, args in PLAN]
    forms = (lines, "\n".join(lines), [[name, *args] for name, args in PLAN])
    for form in forms:
        task = replace(TASK, data={"problem": PROBLEM, "plan": form})
        assert stored_plan(task) == PLAN
        gold = PddlEnvironment(SPEC).gold(task)
        assert gold is not None and gold[0] == "Go from hall to red room."


def test_gold_is_none_where_there_is_none() -> None:
    closed = PROBLEM.replace("(door hall red-room)", "")
    assert PddlEnvironment(SPEC).gold(replace(TASK, data={"problem": closed})) is None


def test_costs_are_told_where_they_count() -> None:
    domain = DOMAIN.replace("(at-robot ?to)))", "(at-robot ?to) (increase (total-cost) 3)))")
    domain = domain.replace(" (:action move", " (:functions (total-cost) - number)\n (:action move")
    spec = replace(SPEC, data={**SPEC.data, "domain": domain.replace(":typing", ":typing :action-costs")})
    problem = PROBLEM.rstrip()[:-1] + "(:metric minimize (total-cost)))"
    text = PddlEnvironment(spec).begin(replace(TASK, data={"problem": problem})).text
    assert "- Go from [room] to [room]. (cost 3)" in text and "- Open [box] in [room]. (cost 0)" in text
    assert "reach the goal at the lowest total cost" in text
    assert "cost" not in PddlEnvironment(spec).begin(TASK).text


def test_a_prepared_world_is_used_for_its_task_alone() -> None:
    ground_task = read_task(read_domain(SPEC), TASK)
    world = World.of(TASK.id, ground_task, LANGUAGE)
    environment = PddlEnvironment(SPEC, world=world)
    environment.begin(TASK)
    assert environment._world is world
    other = replace(TASK, data={"problem": PROBLEM.replace("(at-robot hall)", "(at-robot red-room)")})
    assert "You are in the red room." in environment.begin(other).text


def test_bad_records_are_told_in_words() -> None:
    with pytest.raises(InputError, match="fly"):
        PddlEnvironment(replace(SPEC, data={**SPEC.data, "domain": DOMAIN.replace("(free) (in", "(fly) (in")})).begin(
            TASK
        )
    with pytest.raises(InputError, match="no problem text"):
        PddlEnvironment(SPEC).begin(Task(environment=SPEC.id, goal=""))
    with pytest.raises(InputError, match="family"):
        PddlEnvironment(replace(SPEC, family="web")).begin(TASK)
    with pytest.raises(InputError, match="predicates"):
        PddlEnvironment(EnvironmentSpec(family="pddl", name="x", description="", data={"domain": DOMAIN}))
    with pytest.raises(UsageError, match="reset"):
        PddlEnvironment(SPEC).act("look")


def test_the_language_of_the_record_is_the_one_that_was_written() -> None:
    assert Language.from_json(SPEC.to_json()["data"]["language"]) == LANGUAGE


def test_hints_are_the_actions_that_can_be_done() -> None:
    environment = started()
    assert environment.hints() == ["Go from hall to red room."]
    environment.act("Go from hall to red room.")
    assert environment.hints() == ["Go from red room to hall.", "Open big box in red room."]
    assert environment.act("check valid actions").observation == "You can: " + " ".join(environment.hints())
    for hint in environment.hints():
        assert environment.clone().act(hint).valid
    with pytest.raises(UsageError):
        PddlEnvironment(SPEC).hints()
