from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import Unparsable
from cultivar.sources.rows import read_rows
from cultivar.verify.constraints import (
    EMOTIONS,
    FAMILIES,
    MODES,
    NONE,
    SENTIMENTS,
    TOPICS,
    Continuation,
    Keywords,
    Labels,
    Length,
    bounds,
    read_constraint,
    without_preamble,
)
from cultivar.verify.inflection import NOUNS, VERBS, forms
from cultivar.verify.labels import read_labels


def says(row: dict[str, Any], text: str) -> bool:
    constraint = read_constraint(row)
    assert isinstance(constraint, Length | Keywords)
    return constraint.check(text).passed is True


def words(count: int) -> str:
    return " ".join(["word"] * count)


# --- what the rows say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_every_real_row_is_recognised_without_being_told(shared_data: Path, family: str) -> None:
    rows = list(read_rows(shared_data / f"codi_eval_{family}.jsonl"))
    assert len(rows) == 200
    found = [read_constraint(row.meta) for row in rows]
    assert {each.family for each in found} == {family}
    assert [read_constraint({**row.meta, "family": family}) for row in rows] == found
    if family == "length":
        assert {each.kind for each in found} == set(MODES)
    if family == "detoxic":
        assert len({each.group for each in found if isinstance(each, Continuation)}) == 117


def test_the_bounds_of_the_real_rows_are_those_that_their_words_ask_for(shared_data: Path) -> None:
    seen = 0
    for row in read_rows(shared_data / "codi_eval_length.jsonl"):
        numbers = [int(n) for n in re.findall(r"\d+", row.prompt)]
        if len(numbers) == (2 if row.meta["mode"] == "between" else 1):
            assert list(bounds(row.meta["mode"], *numbers)) == row.meta["label"], row.prompt
            seen += 1
    assert seen > 120


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({}, "the row has no constraint"),
        ({"label": "gardening"}, "'gardening' is no sentiment and no topic"),
        ({"label": "joy", "family": "sentimant"}, "did you mean 'sentiment'"),
        ({"label": [5, 3], "mode": "between"}, "no range of words"),
        ({"label": [5]}, "no range of words"),
        ({"label": [True, 3]}, "no range of words"),
        ({"label": [1, math.inf]}, "no range of words"),
        ({"label": [3, 5], "mode": "roughly"}, "'roughly' is none of at most"),
        ({"label": ["sea", "  "]}, "no list of keywords"),
        ({"label": ["sea"], "anti_label": 3}, "no list of keywords"),
        ({"label": [], "family": "keyword"}, "holds no keyword"),
        ({"label1": "sports", "label2": "boredom"}, "'boredom' is none of"),
        ({"context": "", "context_id": 3}, "context '' is no text"),
        ({"label": ["sea"], "family": "topic"}, "is no text"),
    ],
)
def test_a_row_that_cannot_be_understood_says_why(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read_constraint(row)


@given(st.dictionaries(st.sampled_from(["label", "label1", "label2", "mode", "family", "context", "anti_label"]),
                       st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                                    lambda inner: st.lists(inner, max_size=3), max_leaves=4)))  # fmt: skip
def test_no_row_breaks_the_reader(row: dict[str, Any]) -> None:
    try:
        found = read_constraint(row)
    except ValueError:
        return
    if isinstance(found, Length | Keywords):
        found.check("a text")


def test_an_own_topic_is_known_by_its_family() -> None:
    found = read_constraint({"label": "gardening", "family": "topic"})
    assert isinstance(found, Labels)
    assert found.aspects[0].offered == (*TOPICS, "gardening", NONE)


def test_what_a_judge_is_asked() -> None:
    both = read_constraint({"label1": "music", "label2": "joy"})
    assert isinstance(both, Labels)
    assert [(a.what, a.label) for a in both.aspects] == [("topic", "music"), ("emotion", "joy")]
    plain = read_constraint({"label": "neutral sentiment"})
    assert isinstance(plain, Labels)
    assert plain.aspects[0].offered == SENTIMENTS


# --- length -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "label", "good", "bad"),
    [
        ("at most", [1, 10], (1, 9, 10), (0, 11, 500)),
        ("at least", [34, 10000], (34, 35, 10001), (0, 33)),
        ("equal to", [82, 82], (82,), (0, 81, 83)),
        ("around", [65.0, 79.0], (65, 72, 79), (64, 80)),
        ("between", [46, 154], (46, 100, 154), (45, 155)),
    ],
)
def test_length(mode: str, label: list[float], good: tuple[int, ...], bad: tuple[int, ...]) -> None:
    row = {"label": label, "mode": mode}
    assert [n for n in (*good, *bad) if says(row, words(n))] == list(good)


def test_a_word_is_what_stands_between_white_space() -> None:
    row = {"label": [4, 4], "mode": "equal to"}
    assert says(row, "well-made  it's\n\n- done")
    assert not says(row, "well-made it's done")


@pytest.mark.parametrize(
    ("mode", "numbers", "wanted"),
    [("around", (72,), (65, 79)), ("around", (155,), (140, 170)), ("around", (15,), (14, 16)),
     ("at most", (9,), (1, 9)),
     ("at least", (9,), (9, 10_000)), ("equal to", (9,), (9, 9)), ("between", (3, 7), (3, 7))],
)  # fmt: skip
def test_bounds(mode: str, numbers: tuple[int, ...], wanted: tuple[int, int]) -> None:
    assert bounds(mode, *numbers) == wanted


def test_bounds_of_no_mode() -> None:
    with pytest.raises(ValueError, match="'roughly'"):
        bounds("roughly", 3)
    with pytest.raises(ValueError, match="second number"):
        bounds("between", 3)


# --- keywords ---------------------------------------------------------------------------------------------------------

PLAIN = ["beach", "carry", "shoe", "walk"]


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("I walk on the beach and carry a shoe.", True),
        ("She CARRIED both shoes, walking along beaches.", True),
        ("He walks. It carries. *Shoes*, _beach_!", True),
        ("Shoe-boxes carried from beach to walk", True),
        ("I walk on the beach and carry.", False),
        ("I walk on the beachfront and carry a shoe.", False),  # another word
        ("I sleepwalk on the beach and carry a shoe.", False),
        ("The walker carries a shoe to the beach.", False),  # derived, not inflected
        ("", False),
        ("Mer, plage, chaussure.", False),
    ],
)
def test_keywords_all_of_them_in_any_form(text: str, passed: bool) -> None:
    assert says({"label": PLAIN}, text) is passed


def test_one_of_two_is_enough_and_none_is_not() -> None:
    row = {"label": ["crash or accident", "swim"]}
    assert says(row, "They swam after the crash.")
    assert says(row, "No accidents while swimming.")
    assert says(row, "They swum; an accident, a crash.")
    assert not says(row, "They swam.")
    assert not says(row, "They like swimmers, crash or not.")


def test_no_word_may_be_there_that_is_not_wanted() -> None:
    row = {"label": ["ocean", "wave"], "anti_label": "dive"}
    assert says(row, "The ocean's waves.")
    for text in ("I dive into the ocean wave.", "Diving, ocean, waves", "They dove: ocean wave", "ocean wave Dived."):
        assert not says(row, text)
    assert says(row, "A diver in the ocean; waves.")
    assert not says(row, "The sea.")
    assert not says({"label": ["ocean"], "anti_label": "line or cord"}, "Two cords in the ocean.")


def test_keywords_of_several_words() -> None:
    row = {"label": ["eye or optical organ"], "anti_label": "come back"}
    assert says(row, "An optical organ.")
    assert says(row, "Optical  organs see.")
    assert says(row, "An optical-organ test.")
    assert not says(row, "An organ that is optical.")
    assert not says(row, "Her eye: he came back.")
    assert not says(row, "Her eye, coming\nback.")
    assert says(row, "Her eye; he came, with his back to us.")
    assert not says({"label": ["sky"], "anti_label": "Two-wheeler"}, "Two wheelers under the sky")


@pytest.mark.parametrize(
    ("keyword", "good", "bad"),
    [
        ("tooth or dentition", "teeth", "toothpaste"),
        ("foot", "feet", "football"),
        ("knife", "knives", "knifelike"),
        ("headscarf or Hijab", "headscarves", "scarf"),
        ("hand or Palms", "palm", "handle"),
        ("women", "woman", "man"),
        ("tear", "tore", "tearful"),
        ("throw", "thrown", "throne"),
        ("singe", "singeing", "singing"),
        ("sing", "sang", "singed"),
        ("bare", "bared", "barred"),
        ("bar", "barred", "bared"),
        ("plan", "planning", "planing"),
        ("travel", "travelled", "traveller"),
        ("begin", "began", "beginner"),
        ("tie", "tying", "tiger"),
        ("carry", "carries", "carrier"),
        ("utilize", "utilising", "utility"),
        ("colour", "colored", "discolor"),
        ("donut or pastry", "doughnuts", "dough"),
        ("plow", "ploughed", "slow"),
        ("cafe", "Café", "cafeteria"),
        ("domino", "dominoes", "dominate"),
        ("stomach", "stomachs", "ache"),
        ("clothe or dress", "clothes", "cloth"),
        ("building", "buildings", "built"),  # a noun: the verb is another word
        ("shot", "shots", "shoot"),
        ("playing", "playing", "player"),
        ("sunglass", "sunglasses", "glasses"),
        ("kayak", "kayaking", "kay"),
        ("let", "let's", "letter"),
        ("picnic", "picnicked", "nick"),
        ("basis", "bases", "basil"),
        ("unit", "units", "united"),
        ("cloth", "cloths", "clothing"),
        ("relay", "relayed", "laid"),
        ("axis", "axes", "axe"),
    ],
)
def test_forms_that_count_and_words_that_do_not(keyword: str, good: str, bad: str) -> None:
    assert says({"label": [keyword]}, f"There: {good}, at last.")
    assert not says({"label": [keyword]}, f"There: {bad}, at last.")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9))
def test_a_word_is_among_its_own_forms_whatever_it_is(word: str) -> None:
    found = forms(word)
    assert word in found and forms(word.upper()) == found
    assert len(found) < 40 and all(form.isalpha() for form in found)
    assert says({"label": [word]}, f"«{word.title()}»") and not says({"label": [word]}, f"x{word}")


def test_the_tables_hold_what_they_say() -> None:
    for base, others in {**VERBS, **NOUNS}.items():
        assert set(others) <= forms(base), base
    assert "goed" not in forms("go") and "seed" not in forms("see") and "being" not in forms("bee")
    assert "rebuilt" in forms("rebuild") and "firemen" in forms("fireman") and "humen" not in forms("human")


def test_every_keyword_of_the_real_rows_is_found_in_itself_and_not_in_nothing(shared_data: Path) -> None:
    for row in read_rows(shared_data / "codi_eval_keyword.jsonl"):
        first = read_constraint(row.meta)
        assert isinstance(first, Keywords)
        wanted = [each[0] for each in first.wanted]
        text = ", ".join(wanted)
        clash = [u for u in first.unwanted if Keywords(((u,),)).check(text).passed]
        assert first.check(text).passed is not bool(clash)
        assert not first.check(", ".join(wanted[1:])).passed or len(wanted) == 1 or wanted[0] in text
        for unwanted in first.unwanted:
            assert not first.check(f"{text}, {unwanted}").passed
        assert not first.check("Nothing at all.").passed


def test_long_texts_are_read_in_linear_time() -> None:
    row = {"label": ["come back", "optical organ"]}
    assert not says(row, "come " * 100_000 + "optical " * 100_000)


# --- what stands in front of a text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Here is your text:\nThe sea is calm.", "The sea is calm."),
        ("\n**Sure! A text of 10 words:**\n\nThe sea\nis calm.", "The sea\nis calm."),
        ("The sea is calm.", "The sea is calm."),
        ("The sea is calm.\nHe said:\nno.", "The sea is calm.\nHe said:\nno."),
        ("Here is your text:", "Here is your text:"),
        ("Dear Sir:\nI write to you.", "I write to you."),  # crude, and stated
        ("Sure, here it is.\nThe sea.", "Sure, here it is.\nThe sea."),  # crude, and stated
        (words(30) + ":\nmore", words(30) + ":\nmore"),
        ("", ""),
    ],
)
def test_a_preamble_is_taken_off(reply: str, text: str) -> None:
    assert without_preamble(reply) == text


# --- a judge's labels -------------------------------------------------------------------------------------------------

FEELINGS = (*EMOTIONS, NONE)


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("joy", "joy"),
        ("**Joy**.", "joy"),
        ("Label: `joy`", "joy"),
        ('```json\n{"label": "joy"}\n```', "joy"),
        ("It is not sad at all.\n\nLabel: joy", "joy"),
        ("The label is joy", "joy"),
        ("None of these", NONE),
    ],
)
def test_a_label_is_read(reply: str, label: str) -> None:
    assert read_labels(reply, FEELINGS) == (label,)


@pytest.mark.parametrize(
    "reply", ["", "```", "happy", "joyful", "joy or fear", "not joy", "It isn't joy", "joy, none of these", "Freude"]
)
def test_a_label_is_not_guessed(reply: str) -> None:
    with pytest.raises(Unparsable, match=r"give one|names no label|clearly"):
        read_labels(reply, FEELINGS, most=1)


def test_up_to_so_many_labels() -> None:
    assert read_labels("Arts & Culture, music", TOPICS, 3) == ("arts_&_culture", "music")
    assert read_labels("film_&_tv_&_video", TOPICS, 3) == ("film_&_tv_&_video",)
    for reply in ("positive sentiment", "Positive.", "**Sentiment:** positive"):
        assert read_labels(reply, SENTIMENTS) == ("positive sentiment",)
    with pytest.raises(Unparsable, match="one to 3"):
        read_labels("music, sports, family, gaming", TOPICS, 3)


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        ("science & technology\nsocial concern", ("science_&_technology", "social concern")),
        (
            "The topics are:\n\n1. **Science and Technology**\n2. social concern",
            ("science_&_technology", "social concern"),
        ),
        ('```json\n[\n  "music",\n  "family"\n]\n```', ("music", "family")),
        ("Labels: music\nfamily", ("music", "family")),
        ("It speaks of sports.\nmusic", ("music",)),  # a line with other words is a reason, not an answer
        ("sports\nfamily\n\nmusic", ("music",)),  # what stands apart above is no part of it
    ],
)
def test_labels_may_stand_on_lines_of_their_own(reply: str, labels: tuple[str, ...]) -> None:
    assert read_labels(reply, TOPICS, 3) == labels


def test_lines_that_name_different_labels_are_not_guessed_at() -> None:
    with pytest.raises(Unparsable, match="clearly"):
        read_labels("joy\nfear", FEELINGS)
    assert read_labels("joy\njoy", FEELINGS) == ("joy",)


@given(st.text(max_size=200))
def test_no_reply_breaks_the_reader_of_labels(reply: str) -> None:
    with contextlib.suppress(Unparsable):
        assert set(read_labels(reply, TOPICS, 3)) <= set(TOPICS)


def test_findings_are_plain_json() -> None:
    found = Keywords((("sea",),), ("ship",)).check("Ships.")
    assert found.why == "without sea; with ships"
    assert orjson.loads(orjson.dumps(found.evidence)) == {"missing": ["sea"], "unwanted": ["ships"]}
