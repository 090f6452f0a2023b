"""Each rule drops what it is for, says what it measured, and keeps the text beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.curate import filters
from cultivar.curate.duplicates import Duplicates
from cultivar.curate.filters import INSTRUCTIONS, LANGUAGES, WEB
from cultivar.curate.findings import Check, Finding, sift

PAGE = """\
The river has been the border of the county for as long as there have been maps. It rises in the hills to the north,
where the peat holds the rain of a whole winter, and it reaches the sea forty miles later beside a town of fishermen.

Nobody has ever built a bridge across its lower half. There were plans for one in the year of the great flood, but the
money went into dikes instead; since then people have used the ferry that my grandfather steered. He would wait at the
landing with his pipe and his dog, and he knew by the sound of the water whether it would be a quick crossing.
"""

LINES = [f"This is line number {word}, which stands here once." for word in "one two three four five six seven".split()]  # noqa: SIM905

CASES: list[tuple[Check, str, str, str]] = [
    (filters.characters, "characters", "Hi there!", "Hi there, you!"),
    (filters.words, "words", "word " * 49, "word " * 50),
    (filters.word_length, "word-length", "a bc de fg", "abc def gh ijkl mno"),
    (filters.word_length, "word-length", "incomprehensibilities electroencephalogram", "comprehensible words"),
    (filters.symbols, "symbols", "# one two ... three", "one two three four five six seven eight nine ten ..."),
    (filters.bullets, "bullets", "- a\n* b\n• c", "- a\n* b\nc"),
    (filters.ellipses, "ellipses", "one ...\ntwo…\nthree", "one ...\ntwo\nthree\nfour"),
    (filters.unended, "unended-lines", "Menu\nHome\nAbout\nMore", "Menu.\nHome\nAbout\nMore"),
    (filters.short_lines, "short-lines", "one\ntwo\nthree", f"one\n{LINES[0]}\n{LINES[1]}"),
    (filters.sentences, "sentences", "One. Two. Three. Four 4.5", "One. Two! Three? Four. Five."),
    (filters.letters, "letters", "one 2 3 4", "one two three four 5"),
    (filters.stop_words, "stop-words", "the the the", "the cat and dog"),
    (filters.repeated_lines, "repeated-lines", "\n".join(LINES[:2] * 2), "\n".join(LINES)),
    (partial(filters.repeated_lines, lines=1), "repeated-lines", "\n".join(["b", "c", "d", *LINES[:1] * 2]), PAGE),
    (filters.repeated_lines, "repeated-paragraphs", "\n".join(LINES) + "\n\na\n\nb\n\na\n\nb", PAGE),
    (filters.repeated_words, "repeated-words", "buy cheap pills " * 20, PAGE),
    (filters.repeated_words, "repeated-words", PAGE + PAGE, PAGE),
    (filters.runs, "run-of-one-sign", "No" + "o" * 30, "-" * 80 + "o" * 20),
    (filters.not_text, "not-text", "abc\x00\x01\x02", "abc\tdef\n"),
    (filters.not_text, "not-text", "key: " + "QUJD" * 300, "key: " + "长" * 3000),
    (filters.not_text, "not-text", "\ufffd" * 5 + "a" * 100, "\ufffd" + "a" * 100),
    (filters.boilerplate, "boilerplate", "Please enable JavaScript to go on.", "It runs in JavaScript."),
    (filters.not_english, "not-english", "Напиши стихотворение о море", "Write a poem about the sea"),
    (filters.not_english, "not-english", "写一首关于猫的诗", "Write about 猫 (cats) in one line"),
    (filters.not_english, "not-english", "Quelle est la capitale de la France ?", "What is la dolce vita?"),
    (filters.not_english, "not-english", "Schreibe ein Gedicht über das Meer", "Hello"),
    (filters.not_english, "not-english", "Escribe un poema sobre el mar", "12 + 30 = ?"),
]


@pytest.mark.parametrize(("check", "reason", "bad", "good"), CASES)
def test_rules(check: Check, reason: str, bad: str, good: str) -> None:
    found = check(bad)
    assert found is not None, bad
    assert found.reason == reason
    json.dumps(found.evidence)
    assert check(good) is None, check(good)


def test_evidence_says_what_was_measured_and_what_is_allowed() -> None:
    assert filters.words("one two") == Finding("words", {"value": 2, "least": 50})
    assert filters.symbols("# one") == Finding("symbols", {"value": 0.5, "most": 0.1})
    assert filters.words("one two", least=2) is None
    assert filters.words("one two", least=0, most=1) == Finding("words", {"value": 2, "most": 1})


def test_repeated_words_counts_what_stands_there_again_once() -> None:
    found = filters.repeated_words("aa bb cc dd ee " * 12, most={5: 0.5})
    assert found is not None
    assert found.evidence["share"] == round(55 / 60, 3)


def test_a_good_page_passes_all_rules_and_a_bad_one_none() -> None:
    assert [check(PAGE) for check in WEB] == [None] * len(WEB)
    assert any(check("Home\nNews\nMore\n" * 30) for check in WEB)


@pytest.mark.parametrize("check", [*WEB, *INSTRUCTIONS, filters.not_english])
@pytest.mark.parametrize(
    "text", ["", " \n\t ", "\x00", "\ud800", "a" * 300_000, "a " * 100_000, "\n" * 100_000, ".\n" * 50_000, "…" * 9999]
)
def test_hostile_texts_are_judged_and_soon(check: Check, text: str) -> None:
    check(text)


@given(st.text())
def test_every_rule_answers_about_every_text(text: str) -> None:
    for check in (*WEB, *INSTRUCTIONS, filters.not_english):
        found = check(text)
        assert found is None or (found.reason and json.dumps(dict(found.evidence)))


def test_languages_share_few_words_with_english() -> None:
    for name, common in LANGUAGES.items():
        assert (
            name == "English"
            or len(common & LANGUAGES["English"]) == 0
            or common & LANGUAGES["English"] <= {"do", "as"}
        )


def test_sift_takes_the_first_reason_and_duplicates_last() -> None:
    rows = [("1", PAGE), ("2", "short"), ("3", PAGE.upper()), ("4", "short")]
    passed = list(sift(rows, WEB, text=lambda r: r[1], name=lambda r: r[0], duplicates=Duplicates(None).find))
    assert [row for row, _ in passed] == rows
    reasons = [found and (found.reason, found.evidence.get("of")) for _, found in passed]
    assert reasons == [None, ("words", None), ("exact-duplicate", "1"), ("words", None)]

    nameless = sift(["short", PAGE, PAGE.lower()], WEB, text=str, duplicates=Duplicates(None).find)
    assert [found and found.evidence.get("of") for _, found in nameless] == [None, None, "1"]


def test_sift_reads_one_row_at_a_time() -> None:
    def rows() -> Any:
        yield PAGE
        raise AssertionError("read too far")

    assert next(sift(rows(), WEB, text=str)) == (PAGE, None)


@pytest.mark.parametrize(
    ("file", "text", "most"),
    [
        ("lima.jsonl", lambda row: row["instruction"], 0),
        ("self_instruct_seeds.jsonl", lambda row: row["instruction"], 0),
        ("gsm8k_test.jsonl", lambda row: row["question"], 0),
        ("humaneval.jsonl", lambda row: row["prompt"], 0),
        ("wizardlm_testset.jsonl", lambda row: row["Instruction"], 0),
        ("lima.jsonl", lambda row: row["response"], 1),
    ],
)
def test_good_instructions_are_kept(shared_data: Path, file: str, text: Callable[[Any], str], most: int) -> None:
    rows = [json.loads(line) for line in (shared_data / file).read_text("utf-8").splitlines()]
    dropped = [found for _, found in sift(rows, INSTRUCTIONS, text=text) if found]
    assert len(dropped) <= most, dropped


def test_english_among_real_texts(shared_data: Path) -> None:
    for file, field in (
        ("gsm8k_test.jsonl", "question"),
        ("humaneval.jsonl", "prompt"),
        ("codi_eval_topic.jsonl", "instruction"),
    ):
        rows = [json.loads(line) for line in (shared_data / file).read_text("utf-8").splitlines()]
        assert [row for row, found in sift(rows, [filters.not_english], text=itemgetter(field)) if found] == []
