from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import Unparsable
from cultivar.verify.grounding import demand_grounded, excerpted, points_outside, share

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


def test_an_excerpt_is_a_run_of_words_set_apart() -> None:
    held = "eleven hives along the lime avenue and checks each"
    assert excerpted(f"My notes:\n\n> Marta has {held} ...\n\nTurn this passage into a list.", SOURCE)
    assert excerpted(f"I read “Marta has {held}” somewhere. What does this passage mean?", SOURCE)
    assert excerpted(f"Marta has {held} of them. Summarise the text above.", SOURCE)
    assert not excerpted(f"According to the passage, Marta has {held} of them. Why so often?", SOURCE)
    assert not excerpted(
        f"It's the owners' wish, and Marta's, that {held} is read as in the passage, isn't it?", SOURCE
    )
    assert excerpted("She wrote: 'eleven hives along the lime avenue and checks' - why?", SOURCE)
    assert not excerpted("She wrote: 'eleven hives along the lime avenue and' - why?", SOURCE)
    assert excerpted("So: in May, he said.", "In May!")
    assert not excerpted("anything", "")


def test_all_that_is_wrong_is_told_at_once() -> None:
    excerpts = ["Marta has eleven hives", "every nine days in May"]
    query = "According to the passage, Marta has eleven hives along the lime avenue. Plan her May."
    with pytest.raises(Unparsable, match=r"lacks .*nine days.*According to the passage") as told:
        demand_grounded(query, excerpts, SOURCE)
    assert told.value.reason == "not-pasted"


@pytest.mark.parametrize(
    ("excerpt", "query", "reason"),
    [
        ("Marta has eleven hives along the river", "Marta has eleven hives along the river.", None),  # 4 of 5 3-grams
        ("Marta has eleven hives along rivers", "Marta has eleven hives along rivers.", "ungrounded"),  # 3 of 4
        ("Marta has eleven hives along the lime", "Marta has eleven hives along it.", None),  # 3 of 5
        ("Marta has eleven hives along the", "Marta has eleven hives.", "not-pasted"),  # 2 of 4
    ],
)
def test_how_much_of_an_excerpt_the_document_and_the_query_have(excerpt: str, query: str, reason: str | None) -> None:
    if reason is None:
        assert demand_grounded(query, [excerpt], SOURCE) == share(excerpt, SOURCE)
        return
    with pytest.raises(Unparsable) as told:
        demand_grounded(query, [excerpt], SOURCE)
    assert told.value.reason == reason


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
        "As stated in the incident report, memory was full. Estimate what was needed.",
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
        "Based on the data of my last three hives, write a report.",
        "",
    ],
)
def test_other_requests_are_not(text: str) -> None:
    assert points_outside(text) is None
