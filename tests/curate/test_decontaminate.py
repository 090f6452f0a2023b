"""Leaks of benchmarks that were planted are found with their row; clean texts are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import InputError
from cultivar.curate.decontaminate import TELLING, Benchmarks, words_of
from cultivar.curate.findings import Finding

QUESTION = (
    "A gardener plants rows of tulips and leaves two steps between them, and so needs forty steps for nineteen rows. "
    "How wide is one row?"
)
SHORT = "Name all rivers that cross the old border."


def index(*rows: Any, **fields: Any) -> Benchmarks:
    benchmarks = Benchmarks()
    benchmarks.add("exam", rows, **fields)
    return benchmarks


def span_of(found: Finding | None) -> str:
    assert found is not None
    assert found.reason == "benchmark-leak"
    return str(found.evidence["span"])


def test_the_span_is_shown_as_it_stands_in_the_text() -> None:
    benchmarks = index({"question": "What is water made of?"}, {"question": QUESTION, "answer": "12"})
    text = (
        "Here is a riddle:  A GARDENER plants rows of tulips,\nand leaves two steps between them - and so needs help."
    )
    found = benchmarks.leak(text)
    assert found is not None
    assert found.evidence == {
        "benchmark": "exam",
        "row": 2,
        "field": "question",
        "words": 15,
        "span": "A GARDENER plants rows of tulips,\nand leaves two steps between them - and so needs",
    }


def test_thirteen_words_in_a_row_leak_and_twelve_do_not() -> None:
    words = QUESTION.split()
    benchmarks = index({"question": QUESTION})
    assert benchmarks.leak("I know that " + " ".join(words[3:16]) + " nothing") is not None
    assert benchmarks.leak("I know that " + " ".join(words[3:15]) + " nothing") is None
    assert benchmarks.leak(" ".join([*words[3:12], "other", *words[13:20]])) is None


def test_the_longest_of_several_spans_is_told() -> None:
    benchmarks = index({"question": QUESTION}, {"question": "x " + STORY})
    text = " ".join([*QUESTION.split()[:14], "whereas", STORY])
    found = benchmarks.leak(text)
    assert found is not None
    assert (found.evidence["row"], found.evidence["words"]) == (2, len(words_of(STORY)))


def test_spans_may_overlap() -> None:
    words = f"{STORY} {QUESTION}".split()
    benchmarks = index(" ".join(words[:14]), " ".join(words[4:40]))
    found = benchmarks.leak(" ".join(words))
    assert found is not None
    assert (found.evidence["row"], found.evidence["words"]) == (2, 36)


STORY = "Every evening the lamp lighter walked the whole length of the quay and counted what he saw on the water"


def test_short_prompts_leak_as_a_whole() -> None:
    benchmarks = index(
        {"question": SHORT, "answer": "Twelve rivers cross the old border there"},
        {"question": "Who was it?"},
        "Paint every door dark blue",
    )
    assert span_of(benchmarks.leak(f"Task: {SHORT.upper()} Be brief.")) == SHORT.upper().rstrip(".")
    assert benchmarks.leak("Name all rivers that cross the new border.") is None
    assert benchmarks.leak("who was it") is not None
    assert benchmarks.leak("I do not know who was it that did this") is None
    assert benchmarks.leak("Paint every door dark blue!") is not None
    assert benchmarks.leak("You may paint every door dark blue today") is None
    assert benchmarks.leak("They say that twelve rivers cross the old border there") is None  # a short answer


def test_spans_that_say_nothing_are_no_leak() -> None:
    numbers = " ".join(map(str, range(40)))
    benchmarks = index({"question": f"Sum these up: {numbers}"}, {"question": "ha " * 30})
    assert benchmarks.leak(f"Here they are, {numbers}, one by one") is None
    assert benchmarks.leak("ha " * 20) is None


@pytest.mark.parametrize(
    "row",
    [
        QUESTION,
        {"prompt": QUESTION},
        {"Instruction": QUESTION, "Skill": "gardens"},
        {"turns": ["Hello.", QUESTION]},
        {"messages": [{"role": "user", "content": QUESTION}]},
        {"conversations": [{"from": "human", "value": QUESTION}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]},
    ],
)
def test_the_usual_rows_are_read(row: Any) -> None:
    assert index(row).leak(f"Well: {QUESTION}") is not None


def test_named_fields_alone_are_looked_at() -> None:
    row = {"question": QUESTION, "premise": STORY}
    assert index(row, fields=["premise"]).leak(QUESTION) is None
    assert index(row, fields=["premise"]).leak(STORY) is not None
    assert index(row).leak(STORY) is None


@pytest.mark.parametrize("row", [{"id": 7}, {"question": 3}, {"question": ""}, [], None, {}])
def test_a_row_without_text_is_told(row: Any) -> None:
    with pytest.raises(InputError, match=r"exam, row 2: none of .* holds text .*; name the fields that do"):
        index(QUESTION, row)


def test_hostile_rows_and_texts() -> None:
    deep: Any = QUESTION
    for _ in range(500):
        deep = [deep]
    with pytest.raises(InputError):
        index({"question": deep})
    benchmarks = index({"question": QUESTION + " \ud800"}, {"question": ["a"] * 100_000})
    for text in ("", "\ud800", "’", "'" * 99, "a " * 100_000, "(" * 10_000, "\x00"):
        assert benchmarks.leak(text) is None
    with pytest.raises(ValueError, match="from 6"):
        Benchmarks(5)


def test_letters_of_which_each_is_a_word() -> None:
    benchmarks = index({"question": "请写一首关于秋天的诗并且说明它的含义"})
    assert benchmarks.leak("老师说:请写一首关于秋天的诗并且说明它的含义。谢谢") is not None
    assert benchmarks.leak("请写一首关于春天的诗并且说明它的形式") is None


WORD = st.sampled_from("one two three four five six seven".split())  # noqa: SIM905


@given(st.lists(WORD, min_size=1, max_size=40), st.lists(WORD, max_size=40))
def test_a_leak_is_a_shared_span(item: list[str], text: list[str]) -> None:
    benchmarks = Benchmarks(7)
    benchmarks.add("exam", [" ".join(item)])
    found = benchmarks.leak(" ".join(text))
    spans = {tuple(item[at : at + 7]) for at in range(len(item) - 6)} if len(item) > 6 else set()
    shared = [s for at in range(len(text) - 6) if (s := tuple(text[at : at + 7])) in spans and len(set(s)) >= TELLING]
    if shared:
        assert found is not None
    if found is not None:
        span = str(found.evidence["span"])
        assert span in " ".join(text)
        assert span in " ".join(item)


@pytest.mark.parametrize(("file", "field"), [("gsm8k_test.jsonl", "question"), ("humaneval.jsonl", "prompt")])
def test_planted_leaks_of_real_benchmarks(shared_data: Path, file: str, field: str) -> None:
    rows = [json.loads(line) for line in (shared_data / file).read_text("utf-8").splitlines()]
    benchmarks = Benchmarks()
    benchmarks.add(file, rows)
    for number, row in enumerate(rows, 1):
        item = row[field]
        half = " ".join(item.split()[: max(20, len(item.split()) // 2)])
        for text in (
            item,
            item.upper(),
            f"Somebody asked me this today. {item} I said no.",
            " \n ".join(item.split()),
            half,
        ):
            found = benchmarks.leak(text)
            assert found is not None, (number, text)
            assert found.evidence["row"] == number


def test_clean_real_texts_are_kept(shared_data: Path) -> None:
    benchmarks = Benchmarks()
    for file in ("gsm8k_test.jsonl", "humaneval.jsonl"):
        benchmarks.add(file, map(json.loads, (shared_data / file).read_text("utf-8").splitlines()))
    for file in ("lima.jsonl", "self_instruct_seeds.jsonl", "wizardlm_testset.jsonl"):
        for line in (shared_data / file).read_text("utf-8").splitlines():
            assert benchmarks.leak(" ".join(map(str, json.loads(line).values()))) is None
