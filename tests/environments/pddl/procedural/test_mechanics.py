"""Every mechanic by itself: its actions can be done, its goals can be reached, its language is clear."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from cultivar.environments.pddl.auditing import audit
from cultivar.environments.pddl.auditing.coverage import witness
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import Atom
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.narrate import Narrator
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.parsing.write import write_domain, write_problem
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.procedural.compose import consistent, fits
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.mechanics import MECHANICS
from cultivar.environments.pddl.procedural.proposal import Proposal, assemble
from cultivar.environments.pddl.procedural.themes import THEMES
from cultivar.environments.pddl.simulation.simulate import Simulator

BY_NAME = {m.name: m for m in MECHANICS}
THEME = next(t for t in THEMES if t.name == "laboratory")


def alone(mechanic: type[Mechanic]) -> list[type[Mechanic]]:
    """The mechanic with no more than it needs."""
    names = {"travel", "carrying", "stages", mechanic.name, *mechanic.needs}
    return [m for m in MECHANICS if m.name in names]


def propose_with(mechanics: list[type[Mechanic]], seed: int) -> Proposal:
    return assemble(THEME, mechanics, [], random.Random(seed))


def test_there_are_enough_mechanics_and_their_names_differ() -> None:
    assert len(MECHANICS) >= 16
    assert len(BY_NAME) == len(MECHANICS)


def test_what_a_mechanic_needs_exists_and_comes_before_it() -> None:
    order = [m.name for m in MECHANICS]
    for mechanic in MECHANICS:
        assert all(order.index(name) < order.index(mechanic.name) for name in mechanic.needs)
        assert all(name in order for name in mechanic.clashes)


@pytest.mark.parametrize("mechanic", MECHANICS, ids=lambda m: m.name)
def test_a_mechanic_makes_a_world_that_passes_the_gates(mechanic: type[Mechanic]) -> None:
    mechanics = alone(mechanic)
    assert consistent(mechanics)
    assert fits(mechanic, THEME, {m.name for m in mechanics} - {mechanic.name} - set(mechanic.clashes))
    for seed in range(2):
        made = propose_with(mechanics, seed)
        assert parse_domain(write_domain(made.domain)).value == made.domain
        assert [d for d in check_language(made.domain, made.language) if d.severity == "error"] == []
        assert [f for f in audit.audit_domain(made.domain) if f.drops] == []
        wanted = {a.name for a in made.domain.actions}
        solved = 0
        for number in range(7):
            problem = made.sample(random.Random(number), number % 3 + 1)
            assert parse_problem(write_problem(problem), made.domain).value == problem
            simulator = Simulator(ground(made.domain, problem))
            found = plan(simulator.task, max_expansions=10_000)
            solved += found.status == "solved"
            if found.status == "solved":
                assert Narrator(simulator.task, made.language).clash() is None
                wanted -= witness(simulator, wanted, random.Random(number), steps=found.steps())
        assert solved >= 6, f"{made.mechanics}: {solved} of 7 tasks were solved"
        assert not wanted, f"never applicable in {made.mechanics}: {wanted}"


def test_any_two_mechanics_go_together() -> None:
    for one, other in combinations(MECHANICS, 2):
        if one.name in other.clashes or other.name in one.clashes:
            continue
        names = {m.name for m in (*alone(one), *alone(other))}
        made = propose_with([m for m in MECHANICS if m.name in names], len(names))
        assert parse_domain(write_domain(made.domain)).value == made.domain


def test_a_role_is_used_for_one_thing() -> None:
    draft = propose_with(alone(BY_NAME["locks"]), 0).draft
    draft.type("key", draft.noun("key"), parent="thing")
    with pytest.raises(ValueError, match="role 'key'"):
        draft.type("key", "spanner", parent="thing")
    with pytest.raises(ValueError, match="role 'locked'"):
        draft.predicate("locked", "box", "the {box} ~be locked")
    with pytest.raises(ValueError, match="role 'unlock'"):
        draft.action("unlock", "unlock", "who", "", "", "{who} ~verb")


@pytest.mark.parametrize("extra", ["vehicles", "oneway", "permits", "escort", "teamwork", "pushing"])
def test_where_visits_are_recorded_every_place_that_one_has_been_in_is_visited(extra: str) -> None:
    checked = 0
    for seed in range(30):
        made = propose_with(alone(BY_NAME[extra]), seed)
        if "visited" not in made.draft.predicates:
            continue
        at, visited = (made.draft.predicates[role].name for role in ("at", "visited"))
        for number in range(2):
            simulator = Simulator(ground(made.domain, made.sample(random.Random(number), number + 2)))
            found = plan(simulator.task, max_expansions=10_000)
            state = simulator.initial
            for operator in [None, *found.operators]:
                state = state if operator is None else simulator.apply(state, operator)
                atoms = simulator.task.atoms(state)
                here = {atom.args[-1] for atom in atoms if atom.predicate == at}
                assert all(simulator.holds(state, Atom(visited, (place,))) for place in here)
                checked += len(here)
    assert checked
