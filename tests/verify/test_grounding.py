from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.verify.grounding import excerpted, points_outside, share

SOURCE = "Marta has eleven hives along the lime avenue and checks each of them every nine days in May."


@pytest.mark.parametrize(
    ("quote", "wanted"),
    [
        ("MARTA has eleven hives!", 1.0),
        ("eleven hives", 1.0),
        ("twelve hives", 0.0),
        ("Marta has eleven ships", 0.5),
        ("", 0.0),
        ("—", 0.0),
        ("May days nine", 0.0),
    ],
)
def test_the_share_of_a_quote_that_is_there(quote: str, wanted: float) -> None:
    assert share(quote, SOURCE) == wanted


def test_an_excerpt_is_a_run_of_words() -> None:
    assert excerpted("She wrote: 'eleven hives along the lime avenue and checks' - why?", SOURCE)
    assert not excerpted("She wrote: 'eleven hives along the lime avenue and' - why?", SOURCE)
    assert excerpted("So: in May, he said.", "In May!")
    assert not excerpted("anything", "")


@given(st.lists(st.sampled_from("abc"), min_size=3, max_size=20), st.data())
def test_what_is_cut_out_of_a_text_is_all_there(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    cut = words[start : data.draw(st.integers(start + 1, len(words)))]
    assert share(" ".join(cut).upper(), " ".join(words)) == 1
    assert share(" ".join([*cut, "x"]), " ".join(words)) < 1
    assert excerpted(" ".join(cut), " ".join(words)) is (len(cut) >= min(8, len(words)))


@pytest.mark.parametrize(
    "text",
    [
        "According to the passage, who pays?",
        "Summarise the text above.",
        "Use the following\nparagraph to plan a day.",
        "Which of the hives in this article is the oldest?",
        "The author states that bees remember. Why?",
        "Based on the document, draft a plan.",
        "Plan it as described above.",
        "What does the provided text imply?",
    ],
)
def test_references_to_another_text_are_seen(text: str) -> None:
    assert points_outside(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Plan nine days of checks for eleven hives.",
        "Write the text of a letter to the council.",
        "With the passage of time the wax darkens: why?",
        "I keep a document for each hive; which columns does it need?",
        "Give me this as a table.",
        "",
    ],
)
def test_other_requests_are_not(text: str) -> None:
    assert points_outside(text) is None
