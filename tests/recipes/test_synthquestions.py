from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from cultivar.core.dataset import Dataset
from cultivar.core.errors import InputError, UsageError
from cultivar.core.figures import Table
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Document, Instruction, Preference, Sample
from cultivar.recipes.synthquestions import CRITERIA, REASONS, TOPICS, Config, run
from cultivar.sources.text import read_corpus
from cultivar.testing import FunctionModel, ScriptedModel, reply, try_recipe

PASSAGES = list(islice(read_corpus(), 6))
EXCERPT = "She lights the smoker with dry hessian, lifts the roof, and goes through the brood box frame by frame"


def says(request: Request) -> str:
    return str(request.messages[0]["content"])


def shown(text: str, name: str) -> str:
    """A framed part of a prompt."""
    found = re.search(rf"<<<\w+ {name}>>>\n(.*?)\n<<<\w+ end of {name}>>>", text, re.DOTALL)
    assert found is not None, text[:200]
    return found.group(1)


def composed(document: str, **changed: Any) -> dict[str, Any]:
    first = document.split(".")[0]
    part = {"ability": "planning", "knowledge": "the trade", "extra_information": first, "output": "a plan"}
    made = {"thought": "hm", "user": "a beginner", "motivation": "it went wrong", "scene": "in spring"}
    return {
        **made,
        "query_compositions": [part],
        "topic": "Food",
        "query": f"Given that {first}: plan a day.",
        **changed,
    }


def model(
    compose: Callable[[str], Any] = composed,
    met: Callable[[str], int] = lambda text: 7,
    answer: Callable[[Request], str | Reply] = lambda request: "An answer.",
) -> FunctionModel:
    def replies(request: Request) -> str | Reply:
        text = says(request)
        if "Find a new request" in text:
            made = compose(shown(text, "document"))
            return made if isinstance(made, str) else orjson.dumps(made).decode()
        if "list of questions" in text:
            count = met(shown(text, "text"))
            return orjson.dumps({name: k < count for k, name in enumerate(CRITERIA)}).decode()
        return answer(request)

    return FunctionModel(replies)


def test_a_query_keeps_what_it_came_from() -> None:
    dataset, dropped = try_recipe(run, PASSAGES, model=model())
    assert dropped == []
    samples = [r for r in dataset.records if isinstance(r, Sample)]
    assert [s.parents for s in samples] == [(p.id,) for p in PASSAGES]
    for sample, passage in zip(samples, PASSAGES):
        meta = sample.meta
        assert meta["excerpts"] == [passage.text.split(".")[0]] and meta["grounded"] == 1
        assert (meta["user"], meta["motivation"], meta["scene"]) == ("a beginner", "it went wrong", "in spring")
        assert meta["criteria"] == dict.fromkeys(CRITERIA, True) and meta["score"] == 7
        assert meta["topic"] == "food"
        assert len(set(meta["demos"])) == 3
        assert sample.messages[0]["content"] == f"Given that {meta['excerpts'][0]}: plan a day."
    assert len({tuple(s.meta["demos"]) for s in samples}) > 1  # drawn anew for each document


def test_queries_that_meet_too_few_criteria_are_dropped_at_the_papers_threshold() -> None:
    counts = {passage.text.split(".")[0]: k for k, passage in enumerate(PASSAGES, 1)}

    def met(query: str) -> int:
        return next(k for first, k in counts.items() if first in query)

    dataset, dropped = try_recipe(run, PASSAGES, model=model(met=met))
    assert [s.meta["score"] for s in dataset.records] == [3, 4, 5, 6]
    assert [(d["reason"], sum(d["evidence"]["criteria"].values())) for d in dropped] == [
        ("few-criteria", 1),
        ("few-criteria", 2),
    ]


def test_the_best_of_a_topic_are_chosen_and_only_they_are_answered() -> None:
    counts = {passage.text.split(".")[0]: k for k, passage in zip((3, 7, 5, 7, 4, 6), PASSAGES)}
    answered: list[str] = []

    def answer(request: Request) -> str:
        answered.append(says(request))
        return "An answer."

    def compose(document: str) -> dict[str, Any]:
        return composed(document, topic="food" if document != PASSAGES[4].text else "Knitting")

    chooser = model(compose, lambda query: next(k for first, k in counts.items() if first in query), answer)
    dataset, dropped = try_recipe(run, PASSAGES, Config(per_topic=2), model=chooser)
    assert [s.parents[0] for s in dataset.records] == [PASSAGES[k].id for k in (1, 3, 4)]
    assert len(answered) == 3
    assert [(d["reason"], d["evidence"]["score"]) for d in dropped] == [("topic-full", s) for s in (6, 5, 3)]
    topics = next(f for s in dataset.sections for f in s.figures if isinstance(f, Table))
    assert topics.rows == (("food", 5, 2, 5.6), ("other", 1, 1, 4.0))


INVENTED = [
    {"ability": "a", "knowledge": "b", "extra_information": "The moon is made of eleven cheeses", "output": "c"}
]
FREE = [{"ability": "planning", "knowledge": "", "extra_information": "None.", "output": "a plan"}]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"query_compositions": INVENTED, "query": "The moon is made of eleven cheeses. Why?"}, "ungrounded"),
        ({"query": "Plan a day for me, please."}, "not-pasted"),
        (
            {"query_compositions": FREE, "query": "According to the passage, what is lit with hessian?"},
            "points-outside",
        ),
        ({"query_compositions": FREE, "query": "Plan the day that is described in the text above."}, "points-outside"),
        ({"query": ""}, "unparsable"),
        ({"query_compositions": []}, "unparsable"),
        ({"query_compositions": "none"}, "unparsable"),
        ({"scene": None}, "unparsable"),
        ({"query": ["a", "b"]}, "unparsable"),
        ({"query": "word " * 2000}, "unparsable"),
    ],
)
def test_what_is_not_grounded_or_not_self_contained_is_dropped_with_its_reason(
    changed: dict[str, Any], reason: str
) -> None:
    asking = model(lambda document: composed(document, **changed))
    dataset, dropped = try_recipe(run, PASSAGES[:1], model=asking)
    assert not dataset.records
    assert [d["reason"] for d in dropped] == [reason]
    assert reason in REASONS
    assert len(asking.requests) == 3  # the author is told, twice
    assert "cannot be used" in str(asking.requests[1].messages[-1]["content"])


def test_a_query_may_speak_of_a_passage_that_it_brings_along() -> None:
    passage = next(p for p in read_corpus() if EXCERPT in p.text)
    query = f"My notes say: '{EXCERPT}'. Turn this passage into a checklist for rain."
    part = {"ability": "a", "knowledge": "b", "extra_information": [EXCERPT], "output": "c"}
    asking = model(lambda _: composed(passage.text, query=query, query_compositions=[part]))
    dataset, dropped = try_recipe(run, [passage], model=asking)
    assert dropped == [] and dataset.records[0].meta["excerpts"] == [EXCERPT]


def test_a_query_without_extra_information_is_grounded_in_nothing_that_could_be_checked() -> None:
    asking = model(lambda document: composed(document, query_compositions=FREE, query="Plan a day in a trade."))
    dataset, dropped = try_recipe(run, PASSAGES[:2], model=asking)
    assert dataset.records[0].meta["grounded"] is None
    assert [d["reason"] for d in dropped] == ["same-query"]
    assert dataset.tiles[1].value == 0


def test_the_best_and_the_worst_of_several_answers_become_a_preference() -> None:
    def answer(request: Request) -> str | Reply:
        text = says(request)
        if "is to be scored" in text:
            return {"fair": "Score: 5", "poor": "Score: 2", "fine": "Score: 9"}[shown(text, "answer")]
        assert (request.n, request.sampling["temperature"]) == (5, 0.8)
        return reply("fair", "poor", "fine", "fair", "I'm sorry, but I can't help with that.")

    dataset, _ = try_recipe(run, PASSAGES[:1], Config(n=5), model=model(answer=answer))
    sample, preference = dataset.records
    assert isinstance(sample, Sample) and sample.messages[-1]["content"] == "fine"
    assert isinstance(preference, Preference)
    assert (preference.chosen, preference.rejected, preference.meta["scores"]) == ("fine", "poor", [9.0, 2.0])


@pytest.mark.parametrize(("n", "sampling"), [(1, {}), (2, {"temperature": 0.8}), (5, {"temperature": 0.8})])
def test_several_answers_are_sampled_so_that_they_differ(n: int, sampling: dict[str, float]) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> str | Reply:
        if "is to be scored" in says(request):
            return "Score: 5"
        asked.append(request)
        return reply(*(f"answer {k}" for k in range(request.n)))

    try_recipe(run, PASSAGES[:1], Config(n=n), model=model(answer=answer))
    assert [(request.n, request.sampling) for request in asked] == [(n, sampling)]


def test_each_role_is_asked_for_its_own() -> None:
    def answer(request: Request) -> str | Reply:
        return "Score: 5" if "is to be scored" in says(request) else reply("one", "two")

    roles = {name: model(answer=answer) for name in ("author", "judge", "answerer", "scorer")}
    dataset, dropped = try_recipe(run, PASSAGES[:2], Config(n=2), roles=roles)
    assert (len(dataset.records), dropped) == (2, [])
    marks = {
        "author": "Find a new request",
        "judge": "list of questions",
        "answerer": "Given",
        "scorer": "to be scored",
    }
    for name, mark in marks.items():
        asked = [says(request) for request in roles[name].requests]
        assert len(asked) == (4 if name == "scorer" else 2)
        assert all(mark in text for text in asked)


def test_equal_answers_prefer_nothing() -> None:
    def answer(request: Request) -> str | Reply:
        return "Score: 5" if "is to be scored" in says(request) else reply("one", "two")

    dataset, _ = try_recipe(run, PASSAGES[:1], Config(n=2), model=model(answer=answer))
    assert [r.kind for r in dataset.records] == ["sample"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (reply("half", finish="length"), "cut-off"),
        (reply("", finish="content_filter"), "refused"),
        (reply("I'm sorry, but I can't help with that."), "refused"),
    ],
)
def test_answers_that_are_not_whole(given: Reply, reason: str) -> None:
    dataset, dropped = try_recipe(run, PASSAGES[:1], model=model(answer=lambda request: given))
    assert not dataset.records and [d["reason"] for d in dropped] == [reason]


QUESTIONS = [
    "My bees swarm from the hives each May: what should I do with queen cells?",
    "Whom may I call when all lanterns on the rig are out of focus?",
    "What is a monad?",
    "Hi",
]
KEYWORDS = {"bees": ["hives", "queen cells"], "rig": ["lanterns", "focus", "designer"], "monad": ["monads", "functors"]}


def asked_with_questions(tmp_path: Path, config: dict[str, Any]) -> tuple[Dataset, list[dict[str, Any]], FunctionModel]:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(b"\n".join(orjson.dumps({"prompt": text}) for text in QUESTIONS))

    def answer(request: Request) -> str:
        text = says(request)
        if '"keywords"' in text:
            asked = shown(text, "request")
            return orjson.dumps(
                {"intention": "x", "keywords": next(v for k, v in KEYWORDS.items() if k in asked)}
            ).decode()
        if "Who asked this" in text:
            return f'{{"user": "one with {len(shown(text, "document"))}", "motivation": "worry"}}'
        return "An answer."

    asking = model(met=lambda text: 6 if text == "Hi" else 7, answer=answer)
    made = try_recipe(run, read_corpus(), Config(questions=str(file), **config), model=asking)
    return *made, asking


def test_real_questions_become_the_demos(tmp_path: Path) -> None:
    dataset, dropped, asking = asked_with_questions(tmp_path, {})
    assert [(d["stage"], d["reason"]) for d in dropped] == [
        ("attribute", "no-document"),
        ("attribute", "weak-question"),
    ]
    first = next(t for r in asking.requests if "Find a new request" in (t := says(r)) and t.count("\nRequest: ") == 2)
    bees = next(p for p in PASSAGES if "Marta" in p.text)
    origin = f"Document: {' '.join(bees.text.split())}\nUser: one with {len(bees.text)}\nMotivation: worry"
    assert f"{origin}\nRequest: {QUESTIONS[0]}" in first
    assert QUESTIONS[1] in first and "ferry" not in first.partition("Find a new request")[0]
    demos, samples = dataset.records[:2], dataset.records[2:]
    assert demos[0].parents == (bees.id,)
    assert [d.prompt for d in demos if isinstance(d, Instruction)] == QUESTIONS[:2]
    assert demos[0].meta["motivation"] == "worry"
    assert len(samples) == 128
    for sample in samples:  # the passage that explains a real question is not shown that question
        assert set(sample.meta["demos"]) == {d.id for d in demos if d.parents != sample.parents}
    assert dataset.tiles[2].value == 2


def test_the_threshold_of_seeds(tmp_path: Path) -> None:
    _, dropped, _ = asked_with_questions(tmp_path, {"seed_criteria": 7})
    assert [d["evidence"]["criteria"]["useful"] for d in dropped if d["reason"] == "weak-question"] == [False]


MESSY = (
    "",
    "I'm sorry, I can't help with that.",
    "```json\n{\"user\": \"a\"",
    "Voici : aucune idée.",
    '{"user": "u", "motivation": "m", "scene": "s", "query": "q", "query_compositions": [1], "topic": 7}',
    '{"user": "u", "motivation": "m", "scene": "s", "query": "q", "query_compositions": [{"extra_information": {}}]}',
    '{"user": "u", "motivation": "m", "scene": "s", "query": "q", "query_compositions": [{"extra_information": 3}]}',
    '{"specific": "yes"} {"specific": "no"}',
    '["a", "b"]',
    '{"user": "u", "motivation": "m", "scene": "s", "query": "q {0} {x}", "query_compositions": [{"a": null}]} So.',
)  # fmt: skip


@pytest.mark.parametrize("n", [1, 3])
def test_messy_replies_break_nothing(n: int, tmp_path: Path) -> None:
    count = iter(range(10**6))

    def messy(request: Request) -> Reply:
        return reply(*(MESSY[next(count) * 7 % len(MESSY)] for _ in range(request.n)))

    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(f'{{"prompt": "{k}"}}' for k in range(5)), "utf-8")
    asking = FunctionModel(messy)
    _, dropped = try_recipe(run, PASSAGES, Config(questions=str(file), n=n), model=asking)
    assert {d["reason"] for d in dropped} <= REASONS.keys()

    half = model(lambda _: MESSY[-1], answer=messy)
    dataset, dropped = try_recipe(run, PASSAGES[:1], Config(n=n), model=half)
    assert len(dataset.records) + len(dropped) >= 1
    assert {d["reason"] for d in dropped} <= REASONS.keys()


def test_a_run_that_goes_on_asks_nothing_again(tmp_path: Path) -> None:
    first = model(met=lambda text: 3 + len(text) % 5)
    one, dropped = try_recipe(run, read_corpus(), Config(per_topic=20), model=first, out=tmp_path)
    silent = ScriptedModel([], name=first.name)
    two, again = try_recipe(run, read_corpus(), Config(per_topic=20), model=silent, out=tmp_path)
    assert silent.requests == [] and len(one.records) == 20
    assert [r.to_json() for r in one.records] == [r.to_json() for r in two.records]
    assert dropped == again and one.sections == two.sections


def test_a_file_of_questions_that_is_not_there(tmp_path: Path) -> None:
    asking = model()
    with pytest.raises(UsageError, match=r"--questions nowhere.jsonl: there is no such file"):
        try_recipe(run, PASSAGES, Config(questions="nowhere.jsonl"), model=asking)
    file = tmp_path / "questions.jsonl"
    file.write_text('{"prompt": "a"}\n{"prompt"', "utf-8")
    with pytest.raises(InputError, match="line 2"):
        try_recipe(run, PASSAGES, Config(questions=str(file)), model=asking)
    assert asking.requests == []


def test_no_passages_are_no_bug() -> None:
    dataset, _ = try_recipe(run, [Document(text="Short.")], model=FunctionModel(lambda _: "no"))
    assert not dataset.records and dataset.tiles[0].value == 0


def test_settings_that_cannot_be() -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"criteria": 8}, "--criteria 8: give 0 to 7"),
        ({"seed_criteria": -1}, "--seed-criteria -1: give 0 to 7"),
        ({"demos": 0}, "--demos 0: give 1 to 8"),
        ({"n": 0}, "--n 0: give 1 to 64"),
        ({"per_topic": -1}, "--per-topic -1: give at least 0"),
    )
    for settings, why in cases:
        with pytest.raises(ValueError, match=why):
            Config(**settings)
    assert len(set(TOPICS)) == 18 and TOPICS[-1] == "other" and len(CRITERIA) == 7
