"""Descriptions say what the domain does."""

from __future__ import annotations

import random
import re

import pytest

from cultivar.environments.pddl.model import And, Atom, Not, literals
from cultivar.environments.pddl.procedural import Proposal, propose


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
