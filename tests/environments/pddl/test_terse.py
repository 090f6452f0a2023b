"""A task told in few words: what is told, what can be said, and that plans in those words reach the goal."""

from __future__ import annotations

import pytest

from cultivar.core.records import Task
from cultivar.environments.pddl.environment import World, read_domain, read_task
from cultivar.environments.pddl.library import Seed, seeds
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.terse import TerseWorld, terse


def world_of(seed: Seed) -> World:
    spec = seed.spec()
    task = Task(environment=spec.id, goal="", data={"problem": seed.problems[0]})
    return World.of(task.id, read_task(read_domain(spec), task), Language.from_json(spec.data["language"]))


def test_articles_brackets_and_the_full_stop_are_left_out() -> None:
    assert terse("The box is in an [engine room].") == "box is in engine room"
    assert terse("Another theme.") == "another theme"


@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: seed.name)
def test_plans_reach_the_goal_in_the_words_told(seed: Seed) -> None:
    world = world_of(seed)
    found = plan(world.simulator.task, max_expansions=20_000)
    teller = TerseWorld(world, len(found))
    texts = teller.dialogue(found.steps())
    assert len(texts) == 2 * len(found)
    full = world.narrator.observe(world.simulator.initial)
    assert len(texts[0].split(" ; now ")[1].split()) < len(full.split()) + 30
    teller.begin()
    for at, action in enumerate(texts[1::2], 1):
        assert action in teller.choices()
        step = teller.act(action)
        assert (step.valid, step.observation) == (True, "ok")
        assert step.done == (at == len(found))
    assert (step.reward, step.progress) == (1.0, 1.0)


def test_what_cannot_be_done_changes_nothing_and_counts() -> None:
    teller = TerseWorld(world_of(seeds()[0]), 2)
    told = teller.begin()
    choices = teller.choices()
    first = teller.act("juggle")
    assert (first.valid, first.observation, first.done, first.reward) == (False, "no", False, 0.0)
    assert teller.choices() == choices
    assert teller.act("").done  # the horizon
    assert teller.begin() == told
    assert told.startswith("can ") and " ; now " in told and " ; want " in told


def test_a_reminder_tells_the_goal_after_every_action() -> None:
    teller = TerseWorld(world_of(seeds()[0]), 2, remind=True)
    goal = teller.begin().partition(" ; want ")[2]
    assert teller.act("juggle").observation == f"no ; want {goal}"
    assert teller.act(teller.choices()[0]).observation == f"ok ; want {goal}"
