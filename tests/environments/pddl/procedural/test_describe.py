"""Descriptions say what the domain does."""

from __future__ import annotations

import random
import re

import pytest

from cultivar.environments.pddl.model import And, Atom, Not, literals
from cultivar.environments.pddl.procedural import Proposal, propose
from cultivar.environments.pddl.procedural.describe import labels
from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.themes import THEMES


@pytest.fixture(params=range(12))
def proposal(request: pytest.FixtureRequest) -> Proposal:
    return propose("The porter carries parcels and keys through the hotel.", random.Random(request.param))


def bullets(proposal: Proposal) -> list[str]:
    listed = proposal.description.split("The actions defined in this domain include:\n")[1].split("\n\n")[0]
    return listed.splitlines()


def test_every_action_has_its_bullet_with_all_conditions_and_effects(proposal: Proposal) -> None:
    for action, bullet in zip(proposal.domain.actions, bullets(proposal), strict=True):
        assert f"(`{action.name}`)" in bullet
        needs, _, effects = bullet.partition("This needs: ")[2].partition(" Afterwards ")
        assert isinstance(action.precondition, And)
        assert len(needs.split(";")) == len(action.precondition.parts)
        lost = [e for e in literals(action.effect) if isinstance(e, Not)]
        assert effects.count("no longer") == len(lost)


def test_denied_conditions_are_denied_in_words(proposal: Proposal) -> None:
    for action, bullet in zip(proposal.domain.actions, bullets(proposal), strict=True):
        needs = bullet.partition("This needs: ")[2].partition(" Afterwards ")[0]
        assert isinstance(action.precondition, And)
        denied = [p for p in action.precondition.parts if isinstance(p, Not) and isinstance(p.body, Atom)]
        assert len(re.findall(r"\bnot\b", needs)) == len(denied)


def test_nothing_is_left_to_be_filled_in(proposal: Proposal) -> None:
    assert not re.search(r"[{}~|]", proposal.description)
    assert "You have the following restrictions:" in proposal.description


def test_only_a_noun_that_is_there_already_makes_the_next_one_the_other() -> None:
    draft = Draft(THEMES[0], random.Random(0), solo=False)
    for role, noun in (("worker", "stagehand"), ("grip", "hand"), ("load", "heavy load"), ("item", "load")):
        draft.type(role, noun)
    for role, noun in (("height", "level"), ("depth", "level crossing")):
        draft.type(role, noun)
    found = labels(draft, [(role, role) for role in draft.types])
    assert not any("other" in label for label in found.values())
    twice = labels(draft, [("one", "item"), ("big", "load"), ("two", "item"), ("low", "height"), ("high", "height")])
    assert list(twice.values()) == ["load", "heavy load", "other load", "level A", "level B"]


def test_rules_say_what_can_be_done_and_not_what_can_be_made() -> None:
    said = "\n".join(propose("", random.Random(seed)).description for seed in range(120))
    assert not re.search(r"can be made|been made|only at its hour", said)
    assert re.search(r"- (You|An? [a-z ]+) can [a-z ]+ only at the [a-z -]+, and only while it is ", said)
    assert re.search(r"must [a-z -]+ that tool before it can be used again", said)
    assert re.search(r"can [a-z ,-]+ only at the hour that is set for it", said)
