from __future__ import annotations

import pytest

from cultivar.agents.episode import Limits
from cultivar.agents.policies import Gold, Random, act
from cultivar.agents.rollout import masked, rollout
from cultivar.core.errors import EndpointError
from cultivar.core.journal import Journal
from cultivar.core.records import Trajectory
from cultivar.environments.pddl.demonstrate import demonstrate
from cultivar.environments.pddl.environment import PddlEnvironment
from cultivar.testing import ScriptedModel
from tests.agents.world import scope_of
from tests.environments.pddl.store import PLAN, SPEC, TASK


async def test_gold_says_what_a_demonstration_says(journal: Journal) -> None:
    """Rows of a roll-out and demonstrated rows teach one conversation."""
    found = await rollout(PddlEnvironment(SPEC), TASK, Gold(), scope_of(journal))
    told = demonstrate(SPEC, TASK, PLAN)
    assert found.success and found.reward == 1.0
    assert found.turns[: len(told.turns)] == told.turns
    assert found.turns[len(told.turns)].content.endswith("The goal is satisfied.")
    assert found.meta["ended"] == "solved" and found.meta["steps"] == len(PLAN)


async def test_an_invalid_action_is_flagged_and_masked(journal: Journal) -> None:
    model = ScriptedModel(["Action: fly to the moon", "no idea\nwhat to do", "Action: Go from hall to red room."])
    found = await rollout(PddlEnvironment(SPEC), TASK, act(), scope_of(journal, model), Limits(steps=3))
    assert found.meta["ended"] == "steps" and found.meta["invalid"] == 2 and found.meta["errors"] == [2, 4]
    assert [t.train for t in found.turns if t.role == "assistant"] == [True, True, True]
    assert [t.train for t in masked(found).turns if t.role == "assistant"] == [False, False, True]
    assert found.turns[4].action is None and 'begins with "Action:"' in found.turns[5].content
    assert Trajectory.from_json(found.to_json()).id == found.id


async def test_an_endpoint_that_fails_is_no_trajectory(journal: Journal) -> None:
    model = ScriptedModel(["Action: Go from hall to red room.", EndpointError("down", status=503)])
    with pytest.raises(EndpointError):
        await rollout(PddlEnvironment(SPEC), TASK, act(), scope_of(journal, model))


async def test_random_draws_by_name(journal: Journal) -> None:
    runs = [
        await rollout(PddlEnvironment(SPEC), TASK, Random(), scope_of(journal, seed=seed), Limits(steps=8))
        for seed in (0, 0, 1)
    ]
    assert runs[0].id == runs[1].id != runs[2].id
    assert all(run.meta["invalid"] == 0 for run in runs)
