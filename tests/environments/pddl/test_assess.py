from __future__ import annotations

from typing import Any, cast

import pytest

from cultivar.core.errors import InputError, Unparsable
from cultivar.core.records import EnvironmentSpec, Task, Trajectory
from cultivar.core.scope import Scope
from cultivar.environments.pddl.accepted import Accepted
from cultivar.environments.pddl.assess import assess, examine_domain, examine_language, spec_of, step_facts_of
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.language import Language
from tests.cli.conftest import DOMAIN, PROBLEM
from tests.recipes.test_agentgen import LANGUAGE


@pytest.fixture(scope="module")
def spec() -> EnvironmentSpec:
    return spec_of(
        DOMAIN, Language.from_json(LANGUAGE), title="lamps", description="Lamps.", parents=("p",), proposer="x"
    )


def gate(spec: EnvironmentSpec, problem: str, **demands: Any) -> str:
    found = assess(spec, problem, demands, 1)["findings"]
    return found[0]["gate"] if found else "accepted"


def test_a_good_task(spec: EnvironmentSpec) -> None:
    found = assess(spec, PROBLEM, {}, 1)
    task, trajectory = found["task"], found["trajectory"]
    assert isinstance(task, Task)
    assert isinstance(trajectory, Trajectory)
    steps = {"(light red hall)", "(walk hall attic)", "(light blue attic)", "(walk attic hall)"}
    assert set(task.data["plan"]) == steps
    assert len(task.data["plan"]) == 4
    assert task.meta["difficulty"]["optimal"]
    assert (trajectory.task, trajectory.reward, trajectory.success) == (task.id, 1.0, True)
    assert found["witnessed"] == ["light", "snuff", "walk"]
    assert assess(spec, PROBLEM, {}, 1) == found


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("(:goal", "(:gaol", "problem-unreadable"),
        ("(lit red) (lit blue) (in hall)", "(dark red)", "goal-true"),
        ("(door hall attic)", "", "unsolvable"),
        ("(lit red) (lit blue) (in hall)", "(lit red)", "plan-short"),
    ],
)
def test_the_gates(spec: EnvironmentSpec, old: str, new: str, wanted: str) -> None:
    assert old in PROBLEM
    assert gate(spec, PROBLEM.replace(old, new)) == wanted


def test_demands_are_obeyed(spec: EnvironmentSpec) -> None:
    assert gate(spec, PROBLEM, min_plan=5) == "plan-short"
    assert gate(spec, PROBLEM, max_random=-0.1) == "random-walk"
    assert gate(spec, PROBLEM, max_reordered=-0.1) == "any-order"
    assert gate(spec, PROBLEM, expansions=1) == "unsolved"


class Discards:
    """Stands where a scope would."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def discard(self, reason: str, *subject: object, **evidence: object) -> None:
        self.reasons.append(reason)


def test_an_effect_that_neither_an_action_nor_a_goal_reads_makes_no_other_environment(spec: EnvironmentSpec) -> None:
    marked = DOMAIN.replace("(lit ?l - lamp)", "(lit ?l - lamp) (seen ?r - room)").replace(
        "(and (in ?b)", "(and (in ?b) (seen ?b)"
    )
    words = {**LANGUAGE, "predicates": {**LANGUAGE["predicates"], "seen": "you have been in the {arg1}"}}
    other = spec_of(marked, Language.from_json(words), title="seen", description="", parents=())
    assert other.meta["key"] != spec.meta["key"], "a goal may ask for it"
    tour = PROBLEM.replace("(lit blue)", "(lit blue) (seen attic)")
    scope = cast(Scope, Discards())
    one, same, new = Accepted(spec), Accepted(other), Accepted(other)
    for accepted, problem in ((one, PROBLEM), (same, PROBLEM), (new, tour)):
        assert accepted.admit(assess(accepted.spec, problem, {}, 1), scope, {}) is not None
    assert set(one.structures) & set(same.structures)
    assert not set(one.structures) & set(new.structures)


def test_objects_that_are_told_alike(spec: EnvironmentSpec) -> None:
    words = {**LANGUAGE, "predicates": {**LANGUAGE["predicates"], "dark": "the {arg1} is lit"}}
    unclear = spec_of(DOMAIN, Language.from_json(words), title="lamps", description="", parents=())
    assert gate(unclear, PROBLEM) == "language-clash"


def test_a_domain_in_a_reply() -> None:
    domain, text = examine_domain(f"Of course!\n```pddl\n{DOMAIN}\n```")
    assert examine_domain(text)[0] == domain
    with pytest.raises(Unparsable, match="did you mean 'dark'") as caught:
        examine_domain(DOMAIN.replace("(dark ?l)) :effect", "(drak ?l)) :effect"))
    assert caught.value.reason == "domain-unreadable"
    with pytest.raises(Unparsable, match="no world to plan in") as caught:
        examine_domain(DOMAIN.replace("(not (in ?a))", "").replace("(not (dark ?l))", "").replace("(not (lit ?l))", ""))
    assert caught.value.reason == "delete-free"


def test_a_language_in_a_reply() -> None:
    domain, _ = examine_domain(DOMAIN)
    assert check_language(domain, examine_language(str(LANGUAGE), domain)) == []
    missing = {**LANGUAGE, "actions": {"walk": "Walk to {arg2}"}}
    with pytest.raises(Unparsable, match="snuff") as caught:
        examine_language(str(missing), domain)
    assert "{arg1}" in str(caught.value)


def test_what_is_known_of_a_step(spec: EnvironmentSpec) -> None:
    facts = step_facts_of(spec, assess(spec, PROBLEM, {}, 1)["task"])
    assert len(facts) == 4
    walk = next(f for f in facts if "Walk from the hall to the attic" in f)
    assert "you are in the attic (needed for: Light the blue in the attic" in walk
    assert "leads to the goal that the blue is lit" in walk


def test_a_spec_of_a_bad_domain() -> None:
    with pytest.raises(InputError, match="not good"):
        spec_of("(define", Language({}, {}), title="", description="", parents=())
