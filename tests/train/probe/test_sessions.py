"""What the probe's benchmarks are made of: environments that differ, sessions whose plans hold, tasks."""

from __future__ import annotations

import random

from benchmarks._probe_worlds import MIN_PLAN, environments, sessions, tasks, world_of
from benchmarks.probe_smoke import HELD_OUT, every_task

from cultivar.environments.pddl.terse import TerseWorld


def test_environments_differ_in_structure_and_are_drawn_by_their_seed() -> None:
    seen: set[str] = set()
    first = environments(0, 10, seen)
    held_out = environments(1_000_000, 5, seen)
    assert len(seen) == 15
    again: set[str] = set()
    assert [d.domain for d in environments(0, 10, again)] == [d.domain for d in first]
    assert not {d.domain for d in held_out} & {d.domain for d in first}


def test_environments_of_the_control_share_their_words() -> None:
    drawn = environments(0, 6, set(), shared=True)
    assert len({d.theme for d in drawn}) == 1
    assert len({d.theme for d in environments(0, 6, set())}) > 1


def test_wrong_turns_are_in_sessions_and_not_learned() -> None:
    (drawn,) = environments(3, 1, set())
    found = list(sessions(drawn, random.Random(0), (1,), 30))
    assert len(found) == 30
    turns = [turn for session in found for turn in session]
    assert all(turn.acts == (at % 2 == 1) for session in found for at, turn in enumerate(session))
    wrong = sum(turn.acts and not turn.train for turn in turns)
    assert 0.05 < wrong / sum(turn.acts for turn in turns) < 0.25
    assert not any(turn.train and not turn.acts for turn in turns)
    assert all(session[-1].train for session in found)  # a session ends with the plan's step
    assert found == list(sessions(drawn, random.Random(0), (1,), 30))


def test_a_session_can_be_done_and_reaches_its_first_goal() -> None:
    (drawn,) = environments(3, 1, set())
    rng, replay = random.Random(5), random.Random(5)
    (session,) = sessions(drawn, rng, (1,), 1)
    teller = TerseWorld(world_of(drawn, replay, replay.choice((1,))), 100, remind=True)
    assert teller.begin() == session[0].text
    step = None
    for told, done in zip(session[::2], session[1::2]):
        if step is not None and told.text != step.observation:
            break  # the next goal
        step = teller.act(done.text)
        assert step.valid
    assert step is not None and step.reward == 1.0


def test_tasks_have_plans_of_some_length() -> None:
    (drawn,) = environments(3, 1, set())
    assert all(world.steps >= 2 * MIN_PLAN + 6 for world in tasks(drawn, random.Random(1), 1, 3))


def test_the_short_form_holds_tasks_out() -> None:
    found, midway = every_task()
    assert len(found) == 13 * 12 > HELD_OUT
    told = [texts[0] for _, texts in found]
    assert len(set(told)) == len(told) and not {texts[0] for texts in midway} & set(told)
