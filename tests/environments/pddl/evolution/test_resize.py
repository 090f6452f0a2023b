"""Objects are cloned and removed so that what held one at a time still does."""

from __future__ import annotations

import random

from cultivar.environments.pddl.evolution.resize import (
    clone_group,
    exclusive_places,
    together,
    with_clones,
    without_objects,
)
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import Atom
from cultivar.environments.pddl.simulation.simulate import Simulator
from tests.environments.pddl.auditing.test_audit import CROSSING, FERRY
from tests.environments.pddl.auditing.test_difficulty import BLOCKS, SUSSMAN
from tests.environments.pddl.evolution.test_evolve import read


def test_exclusive_places_and_clones() -> None:
    domain, problem = read(FERRY, CROSSING)
    task = ground(domain, problem)
    simulator, rng = Simulator(task), random.Random(0)
    states, state = [], simulator.initial
    for _ in range(60):
        states.append(task.atoms(state))
        state = simulator.apply(state, rng.choice(simulator.applicable(state)))
    exclusive = exclusive_places(domain, states)
    # The ferry is at one shore, a car at one shore, and one car is aboard; a shore has many cars.
    assert {("moored", 0), ("waits", 1), ("aboard", 0)} <= exclusive
    assert ("waits", 0) not in exclusive
    assert clone_group(problem, "red", exclusive) == ("red",)
    assert clone_group(problem, "south", exclusive) == ()
    larger, copies = with_clones(problem, ("red",))
    assert copies == {"red": "red2"}
    assert Atom("waits", ("red2", "south")) in larger.init
    assert without_objects(larger, {"red2"}) == problem
    assert not together([Atom("waits", ("red", "north")), Atom("waits", ("red", "south"))], exclusive)
    assert together([Atom("waits", ("red", "north")), Atom("waits", ("blue", "north"))], exclusive)


def test_what_stands_on_another_is_cloned_with_it() -> None:
    domain, problem = read(BLOCKS, SUSSMAN)
    task = ground(domain, problem)
    simulator, rng = Simulator(task), random.Random(0)
    states, state = [], simulator.initial
    for _ in range(100):
        states.append(task.atoms(state))
        state = simulator.apply(state, rng.choice(simulator.applicable(state)))
    exclusive = exclusive_places(domain, states)
    assert clone_group(problem, "b", exclusive) == ("b",)
    assert clone_group(problem, "c", exclusive) == ("c", "a")
    larger, copies = with_clones(problem, ("c", "a"))
    assert Atom("on", (copies["c"], copies["a"])) in larger.init
    assert Atom("on", (copies["c"], "a")) not in larger.init
