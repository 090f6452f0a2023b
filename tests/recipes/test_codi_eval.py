from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cultivar.core.dataset import Dataset
from cultivar.core.errors import EndpointError
from cultivar.core.figures import Table
from cultivar.core.protocols import Model, Reply, Request
from cultivar.core.records import Instruction, Preference, Sample, Verdict
from cultivar.evaluate.intervals import proportion
from cultivar.recipes.codi_eval import REASONS, Config, run
from cultivar.sources.rows import read_rows
from cultivar.testing import FunctionModel, ScriptedModel, reply, try_recipe

LENGTH = Instruction(prompt="Three to five words!", meta={"label": [3, 5], "mode": "between"})
KEYWORD = Instruction(prompt="Use ocean and swim.", meta={"label": ["ocean", "swim or bathe"], "anti_label": "dive"})
JOY = Instruction(prompt="Write something joyful.", meta={"label": "joy"})
BOTH = Instruction(prompt="Write of music, angrily.", meta={"label1": "music", "label2": "anger"})


def context(number: int, phrasing: str) -> Instruction:
    return Instruction(prompt=f"{phrasing} So I said", meta={"context": "So I said", "context_id": number})


def says(request: Request) -> str:
    return str(request.messages[-1]["content"])


def table(dataset: Dataset, title: str) -> dict[Any, tuple[Any, ...]]:
    found = next(f for s in dataset.sections for f in s.figures if isinstance(f, Table) and f.title == title)
    return {row[0]: row[1:] for row in found.rows}


def model_of(answers: dict[str, str], judgements: dict[str, str]) -> FunctionModel:
    """Answers by prompt; a judge's reply by a text that is in its prompt (the last that fits)."""

    def model(request: Request) -> str:
        text = says(request)
        if text in answers:
            return answers[text]
        return [found for key, found in judgements.items() if key in text][-1]

    return FunctionModel(model)


def test_each_family_is_judged_by_its_own_rule_and_scored_by_itself() -> None:
    answers = {
        LENGTH.prompt: "Here you are:\none two three",  # three words only without the preamble
        KEYWORD.prompt: "We swam in oceans and dived.",
        JOY.prompt: "Hurrah!",
        BOTH.prompt: "That song!",
    }
    judge = {"Hurrah!": "joy", "That song!": "music", "emotion does the text": "joy"}
    dataset, dropped = try_recipe(run, [LENGTH, KEYWORD, JOY, BOTH], model=model_of(answers, judge))
    verdicts = [r for r in dataset.records if isinstance(r, Verdict)]
    assert [(v.verifier, v.passed) for v in verdicts] == [
        ("codi-eval/length", True),
        ("codi-eval/keyword", False),
        ("codi-eval/sentiment", True),
        ("codi-eval/multi", False),
    ]
    assert verdicts[0].meta["preamble"] and verdicts[0].reason == "3 words, wanted 3 to 5"
    assert verdicts[1].reason == "with dived"
    assert verdicts[3].reason == "joy, wanted anger"
    samples = [r.to_json() for r in dataset.records if isinstance(r, Sample)]
    assert [(s["prompt"], s["response"]) for s in samples] == [
        (LENGTH.prompt, "one two three"),
        (JOY.prompt, "Hurrah!"),
    ]
    assert samples[0]["meta"] == {"family": "length", "kind": "between", "label": [3, 5], "mode": "between"}
    scores = table(dataset, "Scores")
    assert {family: row[:2] for family, row in scores.items()} == {
        "sentiment": (1, 100.0), "multi": (1, 0.0), "length": (1, 100.0), "keyword": (1, 0.0),
    }  # fmt: skip
    low, high = proportion(1, 1)
    assert scores["length"][2] == f"{100 * low:.1f} – {100 * high:.1f}"
    assert dataset.tiles[0].value == "50.0 %"
    assert dropped == []


def test_a_context_is_as_toxic_as_its_worst_phrasing() -> None:
    rows = [context(1, "Go on:"), context(1, "Continue:"), context(2, "Go on now:")]
    answers = {rows[0].prompt: "hello", rows[1].prompt: "grrr", rows[2].prompt: "good day"}
    judge = {"how toxic": "0", "grrr": "50", "good day": "49"}
    dataset, _ = try_recipe(run, rows, model=model_of(answers, judge))
    assert [r.score for r in dataset.records if isinstance(r, Verdict)] == [1.0, 0.5, 0.51]
    assert table(dataset, "Scores")["detoxic"][:2] == (2, 50.0)


def test_of_several_answers_each_round_has_its_own_worst() -> None:
    rows = [context(1, "Go on:"), context(1, "Continue:")]

    def model(request: Request) -> Reply:
        text = says(request)
        if "how toxic" in text:
            return reply("90" if "grrr" in text else "0")
        return reply("fine", "grrr") if text == rows[0].prompt else reply("good", "nice")

    dataset, _ = try_recipe(run, rows, Config(n=2), model=FunctionModel(model))
    assert table(dataset, "Scores")["detoxic"][:2] == (1, 50.0)


def test_an_endpoint_that_fails_is_never_scored_as_the_model() -> None:
    rows = [context(1, "Go on:"), context(1, "Continue:"), context(2, "Go on now:"), LENGTH]

    def model(request: Request) -> str:
        if says(request) in (rows[1].prompt, LENGTH.prompt):
            raise EndpointError("no answer", kind="timeout")
        return "0" if "how toxic" in says(request) else "fine"

    dataset, dropped = try_recipe(run, rows, model=FunctionModel(model))
    scores, basis = table(dataset, "Scores"), table(dataset, "What the scores rest on")
    assert scores["detoxic"][:2] == (1, 100.0)  # context 1 lacks a phrasing: it is left out, for better or worse
    assert scores["length"][:2] == (0, None)
    assert (basis["detoxic"][:2], basis["length"][:2]) == ((3, 1), (1, 1))
    assert [d["reason"] for d in dropped] == ["failed-infrastructure"] * 2


def test_a_judge_that_does_not_say_scores_nothing_but_a_toxicity_counts_as_one() -> None:
    answers = {JOY.prompt: "Hurrah!", context(1, "Go on:").prompt: "hello"}
    model = model_of(answers, {"": "I would rather not say."})
    dataset, _ = try_recipe(run, [JOY, context(1, "Go on:")], model=model)
    assert [(r.passed, r.score) for r in dataset.records if isinstance(r, Verdict)] == [(None, None), (False, 0.0)]
    assert table(dataset, "Scores")["sentiment"][:2] == (0, None)
    assert table(dataset, "Scores")["detoxic"][:2] == (1, 0.0)
    assert [row[3] for row in table(dataset, "What the scores rest on").values()] == [1, 1]


def test_several_answers_make_a_preference_and_a_share() -> None:
    def model(request: Request) -> Reply:
        assert request.n == 4
        return reply("one", "one two three", "one two three", "a b c d e f")

    dataset, _ = try_recipe(run, [LENGTH], Config(n=4), model=FunctionModel(model))
    kinds = [r.kind for r in dataset.records]
    assert kinds == ["verdict"] * 4 + ["sample", "preference"]
    preference = dataset.records[-1]
    assert isinstance(preference, Preference)
    assert (preference.chosen, preference.rejected) == ("one two three", "one")
    assert table(dataset, "Scores")["length"][1] == 50.0


@pytest.mark.parametrize(("third", "rejected"), [("Hurrah again!", None), ("Woe is me.", "Woe is me.")])
def test_an_answer_that_nobody_judged_is_not_rejected(third: str, rejected: str | None) -> None:
    def model(request: Request) -> Reply:
        if request.n == 3:
            return reply("Hm.", "Hurrah!", third)
        text = str(request.messages[0]["content"])  # what it is asked again stands behind it
        judged = {"Hm.": "I would rather not say.", "Hurrah": "joy", "Woe": "sadness"}
        return reply(next(found for key, found in judged.items() if key in text))

    dataset, _ = try_recipe(run, [JOY], Config(n=3), model=FunctionModel(model))
    passed = [r.passed for r in dataset.records if isinstance(r, Verdict)]
    assert passed == [None, True, rejected is None]
    pairs = [(r.chosen, r.rejected) for r in dataset.records if isinstance(r, Preference)]
    assert pairs == ([] if rejected is None else [("Hurrah!", rejected)])


@pytest.mark.parametrize(
    ("config", "sampling"),
    [(Config(), {}), (Config(temperature=0.0, reply_tokens=77), {"temperature": 0.0, "max_tokens": 77})],
)
def test_the_model_is_sampled_as_set_or_as_its_endpoint_does(config: Config, sampling: dict[str, Any]) -> None:
    roles = {"model": FunctionModel(lambda _: "Hurrah!"), "judge": FunctionModel(lambda _: "joy")}
    dataset, _ = try_recipe(run, [JOY], config, roles=roles)
    assert [r.kind for r in dataset.records] == ["verdict", "sample"]
    assert [request.sampling for request in roles["model"].requests] == [sampling]
    assert len(roles["judge"].requests) == 1


def test_answers_that_are_not_whole_are_scored_and_never_kept() -> None:
    model = ScriptedModel([reply("one two three", finish="length"), reply("", finish="stop")])
    dataset, _ = try_recipe(run, [LENGTH, KEYWORD], model=model)
    assert [(r.kind, r.passed) for r in dataset.records if isinstance(r, Verdict)] == [
        ("verdict", True),
        ("verdict", False),
    ]
    assert len(dataset.records) == 2


def test_a_refusal_passes_where_the_paper_lets_it_and_is_no_row_to_train_on() -> None:
    rows = [context(1, "Go on:"), Instruction(prompt="Up to 50 words!", meta={"label": [1, 50], "mode": "at most"})]
    model = model_of({row.prompt: "I'm sorry, but I can't continue this." for row in rows}, {"how toxic": "0"})
    dataset, dropped = try_recipe(run, rows, model=model)
    assert [(r.kind, r.passed) for r in dataset.records if isinstance(r, Verdict)] == [("verdict", True)] * 2
    assert len(dataset.records) == 2
    assert [d["reason"] for d in dropped] == ["declined"] * 2 and "declined" in REASONS


MESSY = (
    "",
    "I'm sorry, but I can't help with that.",
    "```json\n{\"text\": \"ocean\"}\n```",
    "Voici:\nl'océan et la mer",
    '{"label": "joy"} trailing {"label": "fear"}',
    "Sure! Here's a text that",
    "\x00\ud7ff" + "ocean " * 3000,
    "# Title\n\n- **swim**",
)  # fmt: skip


@pytest.mark.parametrize("config", [Config(), Config(n=2), Config(diversify=3)])
def test_messy_replies_break_nothing(config: Config) -> None:
    count = iter(range(10**6))

    def model(request: Request) -> Reply:
        return reply(*(MESSY[next(count) % len(MESSY)] for _ in range(request.n)))

    rows = [LENGTH, KEYWORD, JOY, BOTH, context(1, "Go on:"), Instruction(prompt="Hi", meta={"label": "?"})]
    dataset, dropped = try_recipe(run, rows, config, model=FunctionModel(model))
    assert {d["reason"] for d in dropped} <= REASONS.keys()
    assert "no-constraint" in {d["reason"] for d in dropped}
    assert len([r for r in dataset.records if isinstance(r, Verdict)]) >= 5


def author(request: Request) -> str:
    """Writes templates, answers everything else by its length, and sees the modes that templates state."""
    text = says(request)
    if text.startswith("Below are templates"):
        names = re.findall(r"\{\w+\}", text.rpartition("placeholders: ")[2])
        digest = sum(map(ord, text))
        return "\n".join(f"{k}. [Idea {digest} no. {k}: {' and '.join(names)} it shall be]" for k in range(5, 13))
    if text.startswith("Rewrite this template"):
        return "[Pray, " + text.partition("\n\n[")[2].partition("]")[0] + " Now!]"
    if text.startswith("What does this instruction say"):
        return "around" if "about" in text else "between"
    if "joy" in text and "The labels" in text:
        return "joy"
    return "one two three"


def diversified(model: Model, out: Path | None = None, **settings: Any) -> tuple[Dataset, list[dict[str, Any]]]:
    around = Instruction(prompt="About 50 words.", meta={"label": [45, 55], "mode": "around"})
    return try_recipe(run, [JOY, KEYWORD, around], Config(diversify=9, **settings), model=model, out=out)


def test_new_instructions_take_the_labels_of_the_rows_and_not_their_words() -> None:
    dataset, dropped = diversified(FunctionModel(author))
    verdicts = [r for r in dataset.records if isinstance(r, Verdict)]
    prompts = [str(v.meta["prompt"]) for v in verdicts]
    assert len(set(prompts)) == len(prompts)
    assert not {JOY.prompt, KEYWORD.prompt} & set(prompts)
    families = [v.meta["family"] for v in verdicts]
    assert {f: families.count(f) for f in set(families)} == {"sentiment": 9, "keyword": 9, "length": 9}
    for verdict in verdicts:
        meta = verdict.meta
        if meta["family"] == "keyword":
            assert "ocean, swim or bathe" in meta["prompt"] and "dive" in meta["prompt"]
        if meta["family"] == "length":
            number = int(re.findall(r"\d+", str(meta["prompt"]).replace("no. ", "no"))[-1])
            low, high = meta["label"]
            assert low <= number <= high and high - low == pytest.approx(number / 5, abs=1)
            assert "no. " not in meta["template"]  # none of the phrasings that state another mode
    assert {d["reason"] for d in dropped} <= REASONS.keys()
    assert "wrong-mode" in {d["reason"] for d in dropped}
    samples = [r for r in dataset.records if isinstance(r, Sample)]
    assert {s.meta["family"] for s in samples} == {"sentiment"}
    assert all(s.meta["label"] == "joy" and "{sentiment}" in s.meta["template"] for s in samples)


def test_each_kind_of_a_family_gets_its_share_of_phrasings_and_rewritten_ones_are_drawn_too() -> None:
    rows = [
        Instruction(prompt=f"{m} 50", meta={"label": [40, 60], "mode": m}) for m in ("around", "between", "at most")
    ]

    def model(request: Request) -> str:
        modes = [
            mode
            for word, mode in (("about", "around"), ("and", "between"), ("most", "at most"))
            if word in says(request)
        ]
        return (modes or ["around"])[0] if says(request).startswith("What does") else author(request)

    asking = FunctionModel(model)
    dataset, _ = try_recipe(run, rows, Config(diversify=9), model=asking)
    assert sum(says(r).startswith("Below are templates") for r in asking.requests) == 0  # three of each kind are ours
    assert sum(says(r).startswith("Rewrite this") for r in asking.requests) == 9
    texts = [str(r.meta["template"]) for r in dataset.records if isinstance(r, Verdict)]
    assert len(set(texts)) == 9 and 2 <= sum(text.startswith("Pray") for text in texts) <= 7


def test_no_instruction_is_asked_twice() -> None:
    dataset, dropped = try_recipe(run, [JOY], Config(diversify=9), model=FunctionModel(lambda _: "I'd rather not."))
    assert len([r for r in dataset.records if isinstance(r, Verdict)]) == 3  # our templates, and one label
    assert [d["reason"] for d in dropped].count("same-instruction") == 6


def test_a_run_that_goes_on_asks_nothing_again(tmp_path: Path) -> None:
    first = FunctionModel(author)
    one, _ = diversified(first, tmp_path, n=2)
    silent = ScriptedModel([], name=first.name)
    two, _ = diversified(silent, tmp_path, n=2)
    assert silent.requests == [] and len(first.requests) > 30
    assert [r.to_json() for r in one.records] == [r.to_json() for r in two.records]
    assert one.tiles == two.tiles and one.sections == two.sections


def test_the_real_rows_all_pass_through(shared_data: Path) -> None:
    families = ("topic", "sentiment", "keyword", "length", "multi", "detoxic")
    rows = [row for family in families for row in list(read_rows(shared_data / f"codi_eval_{family}.jsonl"))[:40]]

    def model(request: Request) -> str:
        text = says(request)
        if "The labels:" in text:
            return "joy" if "emotion" in text else "music" if "about?" in text else "neutral sentiment"
        return "10" if "how toxic" in text else "The ocean is calm. " * 15

    dataset, dropped = try_recipe(run, rows, model=FunctionModel(model))
    assert dropped == []
    assert len([r for r in dataset.records if isinstance(r, Verdict)]) == 240
    scores = table(dataset, "Scores")
    assert set(scores) == set(families) and scores["detoxic"][1] == 100.0
    assert sum(row[0] for row in table(dataset, "length").values()) == 40


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="--n 0: give at least 1"):
        Config(n=0)
    with pytest.raises(ValueError, match="--diversify -1: give at least 0"):
        Config(diversify=-1)
    with pytest.raises(ValueError, match="--reply-tokens 0: give at least 1"):
        Config(reply_tokens=0)
