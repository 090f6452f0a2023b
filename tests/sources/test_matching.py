from __future__ import annotations

from cultivar.core.records import Document
from cultivar.sources.matching import Matcher
from cultivar.sources.text import read_corpus

TEXTS = ["The bees swarm in May.", "The ship waits for the tide.", "The ship has a hive of bees aboard.", "In May."]
MATCHER = Matcher(Document(text=text) for text in TEXTS)


def found(*keywords: str, least: int = 2) -> str | None:
    passage = MATCHER.best(keywords, least)
    return passage.text if passage else None


def test_rare_words_weigh_more_and_plurals_are_one_word() -> None:
    assert found("ships", "tides") == TEXTS[1]
    assert found("bee", "hives") == TEXTS[2]
    assert found("bees and swarms") == TEXTS[0]


def test_a_single_word_in_common_is_chance_unless_it_is_all_that_was_asked_for() -> None:
    assert found("tide", "quantum", "lattice") is None
    assert found("tide") == TEXTS[1]
    assert found("tide", "quantum", least=1) == TEXTS[1]
    assert found() is None
    assert found("zz", "!!") is None


def test_the_first_of_equals() -> None:
    assert found("ship") == TEXTS[1]


def test_the_shipped_corpus_has_a_passage_for_what_it_is_about() -> None:
    passage = Matcher(read_corpus()).best(["queen cells", "brood box", "swarm"])
    assert passage is not None and "hives" in passage.text
