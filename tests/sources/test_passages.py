"""Splitting and joining: no word lost or cut, sizes as promised."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.sources.passages import LONGEST, SHORTEST, passages, size

WORDS = st.text(st.sampled_from("abcé.!?)\"'…"), min_size=1, max_size=8)
PARAGRAPHS = st.lists(st.lists(WORDS, min_size=1, max_size=120).map(" ".join), max_size=12)


@given(PARAGRAPHS, st.integers(1, 6))
def test_every_word_comes_out_once_in_order_and_no_passage_is_too_long(paragraphs: list[str], times: int) -> None:
    long = [" ".join([p] * times) for p in paragraphs]
    found = list(passages(long))
    assert [w for p in found for w in p.split()] == [w for p in long for w in p.split()]
    assert all(0 < size(p) <= LONGEST for p in found)


def sentences(words: int, each: int = 10) -> str:
    return " ".join(f"{'word ' * (each - 1)}end." for _ in range(words // each))


@pytest.mark.parametrize("lengths", [[240], [50, 240], [240, 30], [100] * 5, [20] * 30, [700], [90, 10]])
def test_with_ordinary_sentences_only_the_last_passage_may_be_short(lengths: list[int]) -> None:
    found = list(passages(sentences(n) for n in lengths))
    assert all(size(p) >= SHORTEST for p in found[:-1])


def test_a_paragraph_that_fits_is_not_split() -> None:
    assert list(passages([sentences(240)])) == [sentences(240)]


def test_short_paragraphs_are_joined_and_a_short_rest_goes_onto_the_passage_before_it() -> None:
    first, second, rest = sentences(50), sentences(50), sentences(20)
    assert list(passages([first, second, rest])) == [f"{first}\n\n{second}\n\n{rest}"]


def test_a_cut_falls_between_sentences() -> None:
    assert all(p.endswith("end.") for p in passages([sentences(2000)]))


def test_a_sentence_without_end_is_cut_between_words() -> None:
    found = list(passages(["word " * 1000]))
    assert [size(p) for p in found] == [250] * 4


def test_a_script_without_spaces_is_split_at_its_full_stops() -> None:
    found = list(passages(["猫在垫子上睡觉。" * 2000]))
    assert len(found) > 1
    assert all(p.endswith("。") and size(p) <= LONGEST for p in found)


def test_a_single_endless_word_is_left_whole() -> None:
    assert list(passages(["x" * 5000])) == ["x" * 5000]


def test_passages_come_before_the_text_has_been_read_to_its_end() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield sentences(100)

    found = passages(endless())
    for _ in range(3):
        next(found)
    assert read <= 5
