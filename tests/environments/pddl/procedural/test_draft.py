"""The notation of mechanics, and what a draft makes of it."""

from __future__ import annotations

import random

import pytest

from cultivar.environments.pddl.model import Atom, Not
from cultivar.environments.pddl.parsing.parse import parse_domain
from cultivar.environments.pddl.parsing.write import write_domain
from cultivar.environments.pddl.procedural.draft import ActionDraft, Draft, Literal, read_literals, read_parameters
from cultivar.environments.pddl.procedural.themes import THEMES


def draft(*, solo: bool) -> Draft:
    made = Draft(THEMES[0], random.Random(1), solo)
    made.type("place", "room", ("hall", "attic"))
    made.type("worker", "clerk", ("old clerk",))
    made.predicate("at", "who here", "{who} ~be in the {here}", "at")
    text = "{who} ~verb from the {here} to the {there}"
    made.action("move", "stroll", "who here there", "at who here", "not at who here, at who there", text)
    return made


def test_literals_are_read() -> None:
    assert read_literals("at who here, not locked there, a != b") == [
        Literal(True, ("at", "who", "here")),
        Literal(False, ("locked", "there")),
        Literal(False, ("=", "a", "b")),
    ]


def test_parameters_are_typed_by_their_names() -> None:
    assert read_parameters("who here tool2 x:station") == [
        ("who", "worker"),
        ("here", "place"),
        ("tool2", "tool"),
        ("x", "station"),
    ]


def test_a_single_actor_is_no_argument() -> None:
    assert [p.arity for p in draft(solo=True).domain("d").predicates] == [1]
    assert [p.arity for p in draft(solo=False).domain("d").predicates] == [2]


def test_an_effect_replaces_its_opposite() -> None:
    action = draft(solo=True).actions["move"]
    action.cause("at who here")
    assert [e.wanted for e in action.effects if e.words == ("at", "who", "here")] == [True]


def test_templates_of_one_actor_and_of_a_crew() -> None:
    one, crew = draft(solo=True), draft(solo=False)
    move = one.actions["move"].name
    assert one.action_template("move") == f"You {move} from the {{arg1}} to the {{arg2}}."
    assert crew.predicate_template("at", negated=True) == "the {arg1} is not in the {arg2}"
    one.imperative = True
    assert one.action_template("move") == f"{move.capitalize()} from the {{arg1}} to the {{arg2}}."


@pytest.mark.parametrize("solo", [True, False])
def test_what_is_drafted_is_a_checked_domain(solo: bool) -> None:
    domain = draft(solo=solo).domain("d")
    assert parse_domain(write_domain(domain)).value == domain


def test_a_clone_keeps_what_it_is_made_from() -> None:
    made = draft(solo=True)
    made.predicate("locked", "there", "the {there} ~be locked", "locked")
    made.actions["move"].require("not locked there")
    made.type("client", "client", ("guest",))
    made.predicate("waits", "client here", "the {client} ~wait in the {here}", "waits")
    made.clone("move", "lead", "lead", "client", "waits client here", "waits client there", "{who} ~verb the {client}")
    lead = made.domain("d").action["lead"]
    assert Not(Atom("locked", ("?there",))) in lead.precondition.parts  # type: ignore[union-attr]
    assert Atom("waits", ("?client", "?there")) in lead.effect.parts  # type: ignore[union-attr]


def test_rules_agree_with_the_actor() -> None:
    one, crew = draft(solo=True), draft(solo=False)
    for made in (one, crew):
        made.rule("{you} ~need a {place}.")
    assert (one.rules, crew.rules) == (["you need a room."], ["a clerk needs a room."])


def test_names_are_taken_once() -> None:
    made = draft(solo=True)
    made.predicate("other", "here", "the {here} ~be here", "at")
    assert made.predicates["other"].name == "other"


def test_what_follows_a_comma_stays_at_the_end_of_a_sentence() -> None:
    action = ActionDraft("serve", "serve", [], [], [], "{who} ~serve the {client}, moving the line up to {turn}")
    action.extend("hand", " with the {hand}")
    action.extend("load", ", bringing the load to {load}")
    action.extend("hour", " at {hour}")
    assert action.wording == (
        "{who} ~serve the {client} with the {hand} at {hour}, moving the line up to {turn}, bringing the load to {load}"
    )
