"""English for templates."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.procedural.wording import listed, plural, say, slug, third_person, with_article


@pytest.mark.parametrize(
    ("base", "finite"), [("be", "is"), ("have", "has"), ("carry", "carries"), ("push", "pushes"), ("lay", "lays")]
)
def test_the_third_person(base: str, finite: str) -> None:
    assert third_person(base) == finite


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("key", "keys"),
        ("box", "boxes"),
        ("supply", "supplies"),
        ("piece of kit", "pieces of kit"),
        ("tin box", "tin boxes"),
    ],
)
def test_plurals_change_the_last_word_before_of(noun: str, many: str) -> None:
    assert plural(noun) == many


@pytest.mark.parametrize(
    ("noun", "phrase"), [("oven", "an oven"), ("key", "a key"), ("hour", "an hour"), ("unit", "a unit")]
)
def test_articles(noun: str, phrase: str) -> None:
    assert with_article(noun) == phrase


def test_one_actor_is_addressed_and_a_crew_is_named() -> None:
    wording = "{who} ~hold the {item}"
    values = {"who": "porter", "item": "kettle"}
    assert say(wording, values, solo=True) == "you hold the kettle"
    assert say(wording, values, solo=False) == "the porter holds the kettle"
    assert say(wording, values, solo=True, polarity="not") == "you do not hold the kettle"
    assert say(wording, values, solo=False, polarity="no longer") == "the porter no longer holds the kettle"


def test_things_are_in_the_third_person_whoever_acts() -> None:
    wording = "the {item} ~be in the {here}"
    assert (
        say(wording, {"item": "kettle", "here": "hall"}, solo=True, polarity="not") == "the kettle is not in the hall"
    )


def test_only_the_first_verb_is_negated() -> None:
    wording = "a tank that ~be {a} ~hold less"
    assert say(wording, {"a": "low"}, solo=True, polarity="not") == "a tank that is not low holds less"


def test_lists() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]


@given(st.text(max_size=40))
def test_every_phrase_gives_a_pddl_name(phrase: str) -> None:
    name = slug(phrase)
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name) and not name.endswith("-")
