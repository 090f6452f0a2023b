"""The suite: of the right sizes, solvable in 30 steps through text alone, and written by its generator."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cultivar.environments.pddl.agentboard import GAMES, HARD, HERE, MAX_STEPS, environments, tasks
from cultivar.environments.pddl.agentboard.generate import problems
from cultivar.environments.pddl.assess import read_domain
from cultivar.environments.pddl.auditing.canonical import problem_key
from cultivar.environments.pddl.demonstrate import demonstrate
from cultivar.environments.pddl.environment import PddlEnvironment, stored_plan
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem


def test_sizes() -> None:
    assert Counter(task.meta["group"] for task in tasks()) == {
        "gripper": 20,
        "blocksworld": 10,
        "barman": 20,
        "tyreworld": 10,
    }
    conditions = [task.meta["conditions"] for task in tasks()]
    assert 4 <= sum(conditions) / len(conditions) <= 7
    assert 20 <= sum(number >= HARD for number in conditions) <= 40


@pytest.mark.parametrize("game", GAMES)
def test_domain_and_words_are_good(game: str) -> None:
    spec = environments()[game]
    parsed = parse_domain(spec.data["domain"])
    assert parsed.value is not None
    assert parsed.diagnostics == ()
    assert check_language(parsed.value, Language.from_json(spec.data["language"])) == []
    assert not set(parsed.value.predicate) & set(parsed.value.action)
    found = [parse_problem(path.read_text("utf-8"), parsed.value) for path in (HERE / game / "problems").glob("*.pddl")]
    assert all(each.value is not None and each.diagnostics == () for each in found)
    assert len({problem_key(parsed.value, each.value) for each in found if each.value}) == len(found)


def test_every_plan_solves_its_task_through_text_within_the_limit() -> None:
    specs = {spec.id: spec for spec in environments().values()}
    for task in tasks():
        steps = stored_plan(task)
        assert steps is not None
        assert 3 <= len(steps) <= MAX_STEPS
        found = demonstrate(specs[task.environment], task, steps)
        assert found.success, task.data["problem"]


def test_every_action_of_a_game_is_of_use() -> None:
    """Seen in a plan, or undone by one that is: nothing of a domain is there for show."""
    spare = {"empty-shot", "clean-shot", "refill-shot", "empty-shaker", "close", "put-away", "putdown", "jack-down"}
    for game, spec in environments().items():
        used = {step[0] for task in tasks() if task.meta["group"] == game for step in stored_plan(task) or []}
        assert set(read_domain(spec.data["domain"]).action) - used <= spare


@pytest.mark.parametrize("game", ["gripper", "blocksworld"])
def test_the_generator_wrote_the_files(game: str) -> None:
    stored = [task for task in tasks() if task.meta["group"] == game]
    assert [(t.data["problem"], "\n".join(t.data["plan"]) + "\n") for t in stored] == problems(game)


def test_what_is_told_after_an_action() -> None:
    """Gripper and blocksworld tell the whole state; barman and tyreworld what has changed, and all when one looks."""
    for game, spec in environments().items():
        task = next(t for t in tasks() if t.meta["group"] == game)
        environment = PddlEnvironment(spec, observations=GAMES[game], max_steps=None)
        environment.begin(task)
        said = environment.act(random.Random(0).choice(environment.hints())).observation
        looked = environment.act("look").observation
        assert (len(looked) > 2 * len(said)) == (GAMES[game] == "delta"), game
        assert environment.act("check valid actions").valid
