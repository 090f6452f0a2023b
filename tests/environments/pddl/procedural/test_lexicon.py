"""Themes are chosen by the passage, and lend their words."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.environments.pddl.procedural import propose
from cultivar.environments.pddl.procedural.lexicon import Theme, choose_theme, dress, mentioned, topic_words
from cultivar.environments.pddl.procedural.themes import THEMES
from cultivar.environments.pddl.procedural.wording import slug

by_name = {theme.name: theme for theme in THEMES}


@pytest.mark.parametrize(
    ("passage", "name"),
    [
        ("Nurses check the ward and the patient sleeps.", "hospital"),
        ("Cranes lift the cargo from the ship to the quay.", "harbour"),
        ("The baker kneads dough for bread.", "bakery"),
        ("The judge asked the jury about the evidence.", "court"),
    ],
)
def test_the_passage_selects_the_theme(passage: str, name: str) -> None:
    assert choose_theme(passage, random.Random(0), THEMES).name == name


@given(st.text(max_size=200), st.integers(0, 99))
@settings(max_examples=40)
def test_any_text_has_a_theme(passage: str, seed: int) -> None:
    assert choose_theme(passage, random.Random(seed), THEMES) in THEMES


def test_there_are_enough_themes_and_their_names_differ() -> None:
    assert len(THEMES) >= 20
    assert len(by_name) == len(THEMES)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_a_theme_has_enough_names_and_none_is_part_of_another_of_its_kind(theme: Theme) -> None:
    least = {"places": 9, "items": 9, "workers": 4, "tools": 3, "clients": 4, "documents": 4, "vehicles": 2, "heavy": 3}
    for kind, count in least.items():
        names = getattr(theme, kind)
        assert len(names) >= count, kind
        for one, other in combinations(names, 2):
            assert f"-{slug(one)}-" not in f"-{slug(other)}-" and f"-{slug(other)}-" not in f"-{slug(one)}-"
    assert len(theme.stages[1]) == 3
    assert all(len(parts) == 3 for _, parts in theme.products)


def test_nouns_of_the_passage_become_labels() -> None:
    dressed = dress(by_name["hospital"], "The lantern and the telescope stood in the ward.", THEMES)
    assert "lantern chart" in dressed.documents
    assert "telescope" in dressed.items, "an item that another theme knows"


def test_what_is_processed_is_of_the_theme_itself() -> None:
    bare = dress(by_name["farm"], "The telescope stood in the barn.", THEMES, guests=False)
    assert bare.items == by_name["farm"].items
    for seed in range(60):
        made = propose("The farmer milked the cow in the barn by the tractor, telescope in hand.", random.Random(seed))
        assert made.theme == "farm"
        processed = not {"stages", "machine"}.isdisjoint(made.mechanics)
        assert ("telescope" in made.draft.types["item"].names) is not processed


def test_words_that_are_no_nouns_are_not_used() -> None:
    assert topic_words("Slowly she was walking to the harbours, twice.", THEMES) == ["harbour"]


def test_mentions_are_found_in_the_plural_too() -> None:
    assert mentioned("two brass lanterns", ["brass lantern", "lamp"]) == ("brass lantern",)
