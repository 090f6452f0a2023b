"""Tasks in the making."""

from __future__ import annotations

import random

import pytest

from cultivar.environments.pddl.model import And, Atom
from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanics.travel import Travel
from cultivar.environments.pddl.procedural.scene import SIZES, Scene
from cultivar.environments.pddl.procedural.themes import THEMES


def scene(size: int = 3, seed: int = 0) -> Scene:
    draft = Draft(THEMES[0], random.Random(seed), solo=True)
    travel = Travel(random.Random(seed))
    travel.build(draft)
    made = Scene(draft, random.Random(seed), size)
    travel.lay_out(made)
    return made


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_the_open_part_is_connected(size: int) -> None:
    made = scene(size)
    assert all(made.passable(made.open[0], place, []) for place in made.open)


def test_larger_scenes_have_more_places() -> None:
    assert len(scene(6).places) > len(scene(1).places)


def test_a_gate_lies_behind_what_can_be_reached_before_it() -> None:
    made = scene()
    made.kind = "locks"
    first, second = made.gate(3), made.gate(3)
    assert made.gates["locks"] == [first, second]
    assert all(made.before(first) in made.open for _ in range(20))
    assert second not in {made.before(second) for _ in range(20)}
    assert made.distance(made.open[0], first) >= 3


def test_names_do_not_contain_each_other() -> None:
    made = scene()
    made.draft.type("box", "box", ("box", "red box", "crate"))
    names = [made.new("box") for _ in range(2)]
    assert not any(f"-{a}-" in f"-{b}-" for a in names for b in names if a != b)


def test_more_objects_than_names_are_told_apart() -> None:
    made = scene()
    made.draft.type("oven", "oven")
    assert len(set(made.several("oven", 4))) == 4


def test_goals_that_hold_already_are_not_offered() -> None:
    made = scene()
    made.offer(f"at you {made.start['you']}", 4.0)
    assert made.goals == []
    assert made.problem("p", "d") is None


def test_goals_that_exclude_each_other_are_not_both_taken() -> None:
    made = scene(6)
    start = made.start["you"]
    for place in made.places:
        if place != start:
            made.offer(f"at you {place}", 4.0, "where")
    problem = made.problem("p", "d")
    assert problem is not None and isinstance(problem.goal, And)
    assert len(problem.goal.parts) == 1
    assert isinstance(problem.goal.parts[0], Atom)


def test_ways_can_be_shut() -> None:
    made = scene()
    ends = [p for p in made.open if p != made.open[0]]
    assert not made.passable(made.open[0], ends[-1], [p for p in made.open[:-1] if p != made.open[0]] + [ends[-1]])
