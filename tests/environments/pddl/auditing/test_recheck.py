"""A run that was tampered with is caught, whatever part of it was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cultivar.core.records import EnvironmentSpec, Record, Task, Trajectory
from cultivar.environments.pddl.assess import assess, spec_of
from cultivar.environments.pddl.auditing.recheck import recheck
from cultivar.environments.pddl.narration.language import Language
from tests.cli.conftest import DOMAIN, PROBLEM
from tests.recipes.test_agentgen import LANGUAGE, lamp_problem


@pytest.fixture(scope="module")
def good() -> list[Record]:
    spec = spec_of(DOMAIN, Language.from_json(LANGUAGE), title="lamps", description="Lamps.", parents=())
    records: list[Record] = [spec]
    for problem in (PROBLEM, lamp_problem(3, 3)):
        found = assess(spec, problem, {}, 1)
        records += [found["task"], found["trajectory"]]
    return records


def test_a_good_run(good: list[Record]) -> None:
    found = recheck(good)
    assert found.findings == []
    assert found.to_json()["checked"] == {"environments": 1, "tasks": 2, "trajectories": 2}


def change_reward(r: Trajectory) -> Trajectory:
    return replace(r, turns=tuple(replace(t, progress=0.5) if t.train else t for t in r.turns))


def change_words(r: Trajectory) -> Trajectory:
    return replace(
        r, turns=(*r.turns[:2], replace(r.turns[2], content="Action: Snuff the red in the hall"), *r.turns[3:])
    )


def change_observation(r: Trajectory) -> Trajectory:
    return replace(r, turns=(*r.turns[:3], replace(r.turns[3], content="Observation: All is well."), *r.turns[4:]))


@pytest.mark.parametrize("change", [change_reward, change_words, change_observation])
def test_a_trajectory_that_was_changed(good: list[Record], change: Callable[[Trajectory], Trajectory]) -> None:
    assert isinstance(good[2], Trajectory)
    assert {f.gate for f in recheck([good[0], good[1], change(good[2])]).findings} == {"text-replay"}


def test_a_trajectory_that_is_cut_off_claims_too_much(good: list[Record]) -> None:
    assert isinstance(good[2], Trajectory)
    cut = replace(good[2], turns=good[2].turns[:-1])
    assert {f.gate for f in recheck([good[0], good[1], cut]).findings} == {"text-replay"}


def test_a_task_that_was_changed(good: list[Record]) -> None:
    spec, task = good[0], good[1]
    assert isinstance(spec, EnvironmentSpec)
    assert isinstance(task, Task)
    for data, gate in (
        ({"plan": task.data["plan"][1:]}, "plan-invalid"),
        ({"problem": task.data["problem"].replace("(in hall)", "(in hal)")}, "unreadable"),
        ({"problem": PROBLEM.replace("(lit red) (lit blue)", "(dark red)")}, "goal-true"),
    ):
        changed = replace(task, data={**task.data, **data})
        assert gate in {f.gate for f in recheck([spec, changed]).findings}


def test_duplicates_and_strays(good: list[Record]) -> None:
    spec, task = good[0], good[1]
    assert isinstance(task, Task)
    assert isinstance(spec, EnvironmentSpec)
    again = replace(task, data={**task.data, "problem": task.data["problem"].replace("red", "green")})
    again = replace(again, data={**again.data, "plan": [s.replace("red", "green") for s in task.data["plan"]]})
    assert {f.gate for f in recheck([spec, task, again]).findings} == {"duplicate-task"}
    assert {f.gate for f in recheck([task]).findings} == {"unreadable"}
    renamed = replace(spec, data={**spec.data, "domain": DOMAIN.replace("lamps", "lights")})
    assert {f.gate for f in recheck([spec, renamed]).findings} == {"duplicate-environment"}
