from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.cli.main import main
from cultivar.core.errors import Unparsable
from cultivar.core.figures import Bars, Table
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Instruction, Sample
from cultivar.core.rundir import record_line
from cultivar.recipes import evol_instruct as module
from cultivar.recipes.evol_instruct import OPERATORS, REASONS, Config, read_verdict, run
from cultivar.sources.rows import read_rows
from cultivar.testing import FunctionModel, ScriptedModel, reply, try_recipe

SEED = Instruction(prompt="Name a river.", reference="The Po.", meta={"id": 7, "answer": "a key of the row"})


def text_of(request: Request) -> str:
    return str(request.messages[0]["content"])


def given_prompt(asked: str) -> str:
    return str(re.findall(r"<<<\n(.*?)\n>>>", asked, re.DOTALL)[-1])


class World:
    """A model that tells its roles apart by what it is asked; ``asked`` counts the requests of each."""

    def __init__(
        self,
        rewrite: Callable[[str, int], str | Reply] = lambda parent, k: f"{parent} Add {k}.",
        verdict: str | Reply = "Not Equal",
        answer: Callable[[str], str | Reply] = lambda prompt: f"It is so: {prompt}",
        score: Callable[[str], str] = lambda asked: f"Fine.\n{min(10, 1 + asked.count('Add'))}",
    ) -> None:
        self.rewrite, self.verdict, self.answer, self.score = rewrite, verdict, answer, score
        self.asked: Counter[str] = Counter()
        self.model = FunctionModel(self.reply)

    def reply(self, request: Request) -> str | Reply:
        asked = text_of(request)
        if asked.startswith(("You rewrite prompts", "You invent prompts")):
            self.asked["evolver"] += 1
            return self.rewrite(given_prompt(asked), self.asked["evolver"])
        if asked.startswith("Two prompts"):
            self.asked["equal"] += 1
            return self.verdict
        if asked.startswith("You are a strict and fair judge"):
            self.asked["rate"] += 1
            return self.score(asked)
        self.asked["answerer"] += 1
        return self.answer(asked)


def rows(dataset: Any) -> list[tuple[str, int]]:
    return [(r.to_json()["prompt"], r.meta["round"]) for r in dataset.records]


def test_survivors_replace_their_parents_and_all_rounds_are_rows() -> None:
    world = World()
    dataset, dropped = try_recipe(run, [SEED], Config(rounds=3), model=world.model)
    seed, one, two, three = dataset.records
    assert [r.to_json()["prompt"] for r in dataset.records] == [
        "Name a river.",
        "Name a river. Add 1.",
        "Name a river. Add 1. Add 2.",
        "Name a river. Add 1. Add 2. Add 3.",
    ]
    assert [r.to_json()["response"] for r in dataset.records][1] == "It is so: Name a river. Add 1."
    assert seed.parents == (SEED.id,)
    assert [r.parents for r in (one, two, three)] == [(SEED.id,), (one.id,), (two.id,)]
    assert seed.meta == {"id": 7, "answer": "a key of the row", "round": 0, "seed": SEED.id}
    assert [(r.meta["round"], r.meta["depth"], r.meta["seed"]) for r in (one, two, three)] == [
        (k, k, SEED.id) for k in (1, 2, 3)
    ]
    assert dropped == []
    assert world.asked == {"evolver": 3, "equal": 3, "answerer": 4, "rate": 4}
    compared = next(text_of(r) for r in world.model.requests if text_of(r).startswith("Two prompts"))
    assert re.findall(r"Name a river.*", compared) == ["Name a river.", "Name a river. Add 1."]  # the parent is first


def test_an_operator_is_drawn_for_each_round_with_equal_probability() -> None:
    seeds = [Instruction(prompt=f"Name river {n}.") for n in range(300)]
    dataset, _ = try_recipe(run, seeds, Config(rounds=2, difficulty=0), model=World().model)
    drawn = Counter(r.meta["operator"] for r in dataset.records if r.meta["round"])
    assert set(drawn) == set(OPERATORS)
    assert len(OPERATORS) == 6
    assert all(70 <= count <= 130 for count in drawn.values()), drawn  # 100 expected of 600, standard deviation 9
    operators = [r.meta["operator"] for r in dataset.records if r.meta["round"]]
    again = sum(first == second for first, second in zip(operators[::2], operators[1::2]))
    assert 25 <= again <= 75  # each round draws for itself: 50 expected of 300


def test_the_prompt_of_each_operator() -> None:
    asked: dict[str, str] = {}
    for operator in OPERATORS:
        asked[operator] = module.request("Name {it}.", operator, "JSON", Config(words=14))
        assert given_prompt(asked[operator]) == "Name {it}."
    in_depth = [asked[o] for o in OPERATORS if o != "breadth"]
    assert all("7 to 14 words" in text for text in in_depth)
    assert all('"given prompt"' in text for text in asked.values())
    assert "and put JSON into it" in asked["complicate"]
    assert asked["complicate"].count("Rewritten prompt:") == 4  # three demonstrations
    assert len(set(asked.values())) == 6


@pytest.mark.parametrize(
    ("changes", "reason", "answers"),
    [
        ({"verdict": "Equal"}, "no-gain", 1),
        ({"verdict": "No Request"}, "no-request", 1),
        ({"verdict": "Incomplete"}, "incomplete", 1),
        ({"verdict": "I like both."}, "unparsable", 1),
        ({"rewrite": lambda p, k: f"<<<\n{p}\n>>>"}, "unchanged", 1),
        ({"rewrite": lambda p, k: f"{p} As the rewritten prompt says."}, "leaked", 1),
        ({"rewrite": lambda p, k: f"{p} (given  Prompt)"}, "leaked", 1),
        ({"rewrite": lambda p, k: f"  {p.upper()}"}, "unchanged", 1),
        ({"rewrite": lambda p, k: f"{p} {'word ' * 300}"}, "too-long", 1),
        ({"rewrite": lambda p, k: "Answer: the Po."}, "no-request", 1),
        ({"rewrite": lambda p, k: "I'm sorry, but I can't rewrite that."}, "rewrite-refused", 1),
        ({"rewrite": lambda p, k: reply("", finish="content_filter")}, "rewrite-refused", 1),
        ({"rewrite": lambda p, k: reply("Name a ri", finish="length")}, "rewrite-cut-off", 1),
        ({"rewrite": lambda p, k: "Here is the rewritten prompt:\n"}, "rewrite-empty", 1),
        ({"rewrite": lambda p, k: " \n"}, "rewrite-empty", 1),
        ({"answer": lambda p: "I am sorry, no." if "Add" in p else "The Po."}, "sorry", 2),
        ({"answer": lambda p: "I cannot help with that." if "Add" in p else "The Po."}, "answer-refused", 2),
        ({"answer": lambda p: "It is, and so on ..." if "Add" in p else "The Po."}, "stop-words", 2),
        ({"answer": lambda p: reply("The P", finish="length") if "Add" in p else "The Po."}, "answer-cut-off", 2),
        ({"answer": lambda p: reply("", finish="refusal") if "Add" in p else "The Po."}, "answer-refused", 2),
        ({"answer": lambda p: "" if "Add" in p else "The Po."}, "answer-empty", 2),
    ],
)
def test_what_is_eliminated(changes: dict[str, Any], reason: str, answers: int) -> None:
    world = World(**changes)
    dataset, dropped = try_recipe(run, [SEED], Config(rounds=1, difficulty=0), model=world.model)
    assert [r.meta["round"] for r in dataset.records] == [0]
    assert [(d["reason"], d["evidence"]["parent"], d["evidence"]["round"]) for d in dropped] == [
        (reason, SEED.prompt, 1)
    ]
    assert reason in REASONS
    assert world.asked["answerer"] == answers  # an answer is asked for last


def test_what_is_not_eliminated() -> None:
    long = "sorry " + "word " * 80

    def answer(prompt: str) -> str:
        return long if "Add" in prompt else "No."

    seed = Instruction(prompt="Explain: 'the rewritten prompt' in a letter.")  # its own words leak nothing
    dataset, dropped = try_recipe(run, [seed], Config(rounds=1), model=World(answer=answer).model)
    assert [r.to_json()["response"] for r in dataset.records] == ["No.", long]
    assert dropped == []


def test_a_child_repeats_no_prompt_of_its_chain() -> None:
    """Neither its parent nor what its parent was made from."""

    def rewrite(parent: str, k: int) -> str:
        return "name a  RIVER." if k == 3 else f"{parent} Add {k}."

    dataset, dropped = try_recipe(run, [SEED], Config(rounds=3, difficulty=0), model=World(rewrite).model)
    assert [number for _, number in rows(dataset)] == [0, 1, 2]
    assert [(d["reason"], d["evidence"]["child"]) for d in dropped] == [("unchanged", "name a  RIVER.")]


@pytest.mark.parametrize(
    ("opening", "reason"), [("I was sorry to hear it.", "sorry"), ("I cannot help with that, no.", "answer-refused")]
)
def test_an_answer_of_80_words_may_say_sorry(opening: str, reason: str) -> None:
    for count, lost in ((79, True), (80, False)):
        answer = f"{opening} {'word ' * (count - len(opening.split()))}"
        world = World(answer=lambda prompt, text=answer: text if "Add" in prompt else "The Po.")  # type: ignore[misc]
        dataset, dropped = try_recipe(run, [SEED], Config(rounds=1, difficulty=0), model=world.model)
        assert len(dataset.records) == 2 - lost
        assert [d["reason"] for d in dropped] == [reason] * lost


@pytest.mark.parametrize("operator", OPERATORS)
def test_only_a_child_with_data_may_grow_by_250_words(operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPERATORS", (operator,))
    most = 250 if operator == "complicate" else 60  # three times --words
    for more, lost in ((most, False), (most + 1, True)):
        world = World(lambda parent, k, more=more: f"{parent}{' word' * more}")  # type: ignore[misc]
        dataset, dropped = try_recipe(run, [SEED], Config(rounds=1, difficulty=0), model=world.model)
        assert len(dataset.records) == 2 - lost
        assert [(d["reason"], d["evidence"]["added"]) for d in dropped] == [("too-long", more)] * lost


def test_rewrites_and_answers_are_sampled_as_set_and_judges_asked_at_0() -> None:
    roles = {name: World().model for name in ("evolver", "judge", "answerer")}
    config = Config(rounds=2, temperature=0.7, top_p=0.5, reply_tokens=99)
    try_recipe(run, [SEED], config, roles=roles)
    writing = {"temperature": 0.7, "top_p": 0.5, "max_tokens": 99}
    for name, count in (("evolver", 2), ("answerer", 3)):
        assert [request.sampling for request in roles[name].requests] == [writing] * count
    openings = Counter(text_of(request).split()[0] for request in roles["judge"].requests)
    assert openings == {"Two": 2, "You": 3}  # whether they amount to the same, and how hard they are
    assert {request.sampling["temperature"] for request in roles["judge"].requests} == {0}


def test_a_child_in_depth_that_leaves_the_data_out_is_eliminated() -> None:
    """Complicating puts the words of new data in the place of old ones, and a rarer prompt has words of its own."""
    data = " ".join(f"row {n};" for n in range(20))
    seeds = [Instruction(prompt=f"Add up table {n}: {data}") for n in range(60)]
    world = World(lambda parent, k: f"{parent.partition(':')[0]}, and say why. {k}")
    dataset, dropped = try_recipe(run, seeds, Config(rounds=1, difficulty=0), model=world.model)
    operators = {r.id: "" for r in dataset.records if not r.meta["round"]}
    assert len(operators) == 60
    assert {d["reason"] for d in dropped} == {"too-short"}
    assert {d["evidence"]["operator"] for d in dropped} == set(module.METHODS) | {"complicate"}
    assert {r.meta["operator"] for r in dataset.records if r.meta["round"]} == {"breadth"}
    near = World(lambda parent, k: parent.replace("row", ""))  # 20 words less
    for words, lost in ((20, False), (19, True)):
        _, dropped = try_recipe(run, seeds[:9], Config(rounds=1, words=words, difficulty=0), model=near.model)
        assert bool(dropped) == lost


def test_a_child_without_a_verdict_is_evidence() -> None:
    _, dropped = try_recipe(run, [SEED], Config(rounds=1), model=World(verdict="I like both.").model)
    assert dropped[0]["evidence"]["child"] == "Name a river. Add 1."
    assert "no single verdict" in dropped[0]["evidence"]["message"]


def test_a_refusal_counts_in_a_short_answer_alone() -> None:
    long = "As an AI language model, I have not been there. " + "word " * 80
    dataset, dropped = try_recipe(run, [SEED], Config(rounds=1), model=World(answer=lambda p: long).model)
    assert (len(dataset.records), dropped) == (2, [])


def test_an_eliminated_child_puts_its_parent_back() -> None:
    def rewrite(parent: str, k: int) -> str:
        return "The rewritten prompt" if k == 2 else f"{parent} Add {k}."

    dataset, dropped = try_recipe(run, [SEED], Config(rounds=3), model=World(rewrite).model)
    assert rows(dataset) == [
        ("Name a river.", 0),
        ("Name a river. Add 1.", 1),
        ("Name a river. Add 1. Add 3.", 3),
    ]
    assert dataset.records[2].parents == (dataset.records[1].id,)
    assert dataset.records[2].meta["depth"] == 2
    assert [d["evidence"]["parent"] for d in dropped] == ["Name a river. Add 1."]


def test_a_repeated_operator_asks_anew_after_a_rejection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The trap: the same request of the same parent must not be answered with the reply that was just rejected."""
    monkeypatch.setattr(module, "OPERATORS", ("deepen",))

    def rewrite(parent: str, k: int) -> str:
        return parent if k < 3 else f"{parent} Add {k}."

    world = World(rewrite)
    dataset, dropped = try_recipe(run, [SEED], Config(rounds=3, difficulty=0), model=world.model, out=tmp_path)
    first, second, third = [r.to_json() for r in world.model.requests if text_of(r).startswith("You rewrite")]
    assert first == second == third
    assert [d["reason"] for d in dropped] == ["unchanged", "unchanged"]
    assert [p for p, _ in rows(dataset)] == ["Name a river.", "Name a river. Add 3."]
    again, _ = try_recipe(
        run, [SEED], Config(rounds=3, difficulty=0), model=ScriptedModel([], name="function"), out=tmp_path
    )
    assert list(again.records) == list(dataset.records)


def test_more_rounds_continue_a_run_and_pay_for_these_alone(tmp_path: Path) -> None:
    seeds = [Instruction(prompt=f"Name river {n}.") for n in range(8)]

    def rewrite(parent: str, k: int) -> str:
        return parent if (len(parent) + k) % 4 == 0 else f"{parent} More of {len(parent)}."

    before = World(rewrite)
    short, _ = try_recipe(run, seeds, Config(rounds=4, difficulty=0), model=before.model, out=tmp_path)
    after = World(rewrite)
    long, _ = try_recipe(run, seeds, Config(rounds=6, difficulty=0), model=after.model, out=tmp_path)
    assert after.asked["evolver"] == 8 * 2
    assert [r for r in long.records if r.meta["round"] <= 4] == list(short.records)
    assert Config.growing == ("rounds", "difficulty")


def test_a_second_run_asks_nothing_and_writes_the_same_bytes(tmp_path: Path) -> None:
    seeds = [Instruction(prompt=f"Name river {n}.") for n in range(5)]
    first, lost = try_recipe(run, seeds, model=World(messy).model, out=tmp_path)
    nobody = ScriptedModel([], name="function")
    second, lost_again = try_recipe(run, seeds, model=nobody, out=tmp_path)
    assert [record_line(r) for r in second.records] == [record_line(r) for r in first.records]
    assert lost_again == lost
    assert second.sections == first.sections
    assert nobody.requests == []


MESSY = (
    lambda p: f"Sure! Here is the rewritten prompt:\n\n```\n{p} Say why.\n```\nLet me know if it should be harder.",
    lambda p: f'**Rewritten Prompt:** "{p} Say when."',
    lambda p: f"<think>Harder. Rewritten prompt: ...</think>{p} Say where.",
    lambda p: "I'm sorry, but as an AI language model I cannot do that.",
    lambda p: "",
    lambda p: reply(f"{p} And th", finish="length"),
    lambda p: '{"rewritten_prompt": "' + p + '"}',
    lambda p: f"{p} 请用中文解释原因。",
    lambda p: "The answer is: the Po.",
    lambda p: f"#Given Prompt#: {p}\n#Rewritten Prompt#: {p} Say how.",
    lambda p: "{given} {0} {words} %s " + p,
    lambda p: "a" * 2_000_000,
    lambda p: f"{p} \x00",
)


def messy(parent: str, k: int) -> str | Reply:
    return MESSY[(k + len(parent)) % len(MESSY)](parent)


def test_messy_replies() -> None:
    kept, reasons = [], []
    for number in range(len(MESSY)):
        shift = number - len(SEED.prompt) - 1
        world = World(lambda parent, k, by=shift: messy(parent, k + by), "**Not equal**, as one asks for more.")  # type: ignore[misc]
        dataset, dropped = try_recipe(run, [SEED], Config(rounds=1), model=world.model)
        kept += [r.to_json()["prompt"] for r in dataset.records if r.meta["round"]]
        reasons += [d["reason"] for d in dropped]
    assert kept == [
        "Name a river. Say why.",
        "Name a river. Say when.",
        "Name a river. Say where.",
        "Name a river. 请用中文解释原因。",
        "{given} {0} {words} %s Name a river.",
        "Name a river. \x00",
    ]
    assert reasons[:7] == [
        *("rewrite-refused", "rewrite-empty", "rewrite-cut-off", "leaked", "no-request", "leaked", "unparsable"),
    ]
    assert set(reasons) <= set(REASONS)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Equal", "same"),
        ("equal.", "same"),
        ("**Equal**", "same"),
        ("Not Equal", "other"),
        ("not-equal", "other"),
        ("Unequal", "other"),
        ("```\nNot Equal\n```", "other"),
        ("Verdict: Not Equal", "other"),
        ("Final verdict - Equal", "same"),
        ("No Request", "none"),
        ("**Incomplete**", "partial"),
        ("Incomplete: it speaks of a table, and there is none.", "partial"),
        ("They aren't equal: the second asks for more.", "other"),
        ("The prompts are not really equal.", "other"),
        ("Not Equal\nThey would be equal if the date were not asked for.", "other"),
        ("<think>Equal? No.</think>Not Equal", "other"),
    ],
)
def test_verdicts(text: str, verdict: str) -> None:
    assert read_verdict(text) == verdict


@pytest.mark.parametrize(
    "text", ["Equal, Not Equal, No Request or Incomplete?", "They differ.", "equally good", "Equal\nNot Equal"]
)
def test_what_is_no_verdict_is_asked_for_again(text: str) -> None:
    with pytest.raises(Unparsable, match="in a line of its own"):
        read_verdict(text)
    answers = iter([text, "Not Equal"])
    world = World()
    world.model = FunctionModel(lambda r: next(answers) if text_of(r).startswith("Two prompts") else world.reply(r))
    dataset, _ = try_recipe(run, [SEED], Config(rounds=1), model=world.model)
    assert [r.meta["round"] for r in dataset.records] == [0, 1]


@given(st.text(max_size=80))
def test_any_text_is_a_verdict_or_none(text: str) -> None:
    with contextlib.suppress(Unparsable):
        assert read_verdict(text) in ("same", "other", "none", "partial")


def test_the_seeds_are_answered_or_bring_their_answer_or_are_no_rows() -> None:
    bare_seed = Instruction(prompt="Name a lake.")
    answers = {}
    choices: tuple[Any, ...] = ("answered", "reference", "none")
    for seeds in choices:
        world = World()
        dataset, _ = try_recipe(run, [SEED, bare_seed], Config(rounds=1, seeds=seeds), model=world.model)
        answers[seeds] = [r.to_json()["response"] for r in dataset.records if not r.meta["round"]]
        evolved = [r for r in dataset.records if r.meta["round"]]
        assert len(evolved) == 2
        assert {r.meta["seed"] for r in evolved} == {SEED.id, bare_seed.id}
        assert [r.parents for r in evolved] == [(SEED.id,), (bare_seed.id,)]
    assert answers == {
        "answered": ["It is so: Name a river.", "It is so: Name a lake."],
        "reference": ["The Po.", "It is so: Name a lake."],
        "none": [],
    }


def test_a_seed_that_is_not_answered_still_evolves() -> None:
    world = World(answer=lambda p: "sorry" if p == SEED.prompt else "The Po.")
    dataset, dropped = try_recipe(run, [SEED], Config(rounds=1), model=world.model)
    assert [(r.meta["round"], r.parents) for r in dataset.records] == [(1, (SEED.id,))]
    assert [(d["reason"], d["evidence"]["round"]) for d in dropped] == [("sorry", 0)]


def test_the_report_says_who_survived_and_how_prompts_grew() -> None:
    def rewrite(parent: str, k: int) -> str:
        return parent if parent.endswith("lake.") else f"{parent} Add one."

    seeds = [SEED, Instruction(prompt="Name a big lake.")]
    dataset, _ = try_recipe(run, seeds, Config(rounds=2), model=World(rewrite).model)
    evolution, hard = dataset.sections
    survivors, rules, words = evolution.figures
    assert isinstance(survivors, Table) and isinstance(rules, Table) and isinstance(words, Bars)
    assert [row[0] for row in survivors.rows] == list(OPERATORS)
    assert (sum(int(r[1] or 0) for r in survivors.rows), sum(int(r[2] or 0) for r in survivors.rows)) == (4, 2)
    assert [(row[0], sum(int(n or 0) for n in row[1:])) for row in rules.rows] == [("unchanged", 2)]
    by_operator = {str(row[0]): row for row in survivors.rows}
    assert survivors.columns[4:] == ("words added", "difficulty gained")
    assert {row[4:] for row in by_operator.values()} == {(2.0, 1.0), (None, None)}
    assert all((row[4] is None) == (row[2] == 0) for row in by_operator.values())
    assert (words.labels, words.series) == (("round 1", "round 2"), {"before": (3.0, 5.0), "after": (5.0, 7.0)})
    judged = hard.figures[0]
    assert isinstance(judged, Bars)
    assert judged.series == {"before": (1.0, 2.0), "after": (2.0, 3.0)}
    assert [t.content for t in dataset.examples[0].turns][:3] == [
        "Name a river.",
        "Name a river. Add one.",
        "Name a river. Add one. Add one.",
    ]
    assert [t.train for t in dataset.examples[0].turns] == [False, False, False, True]


def test_the_report_counts_prompts_that_several_chains_reached() -> None:
    seeds = [Instruction(prompt=f"Name river {n}.") for n in range(3)]

    def rewrite(parent: str, k: int) -> str:
        return "Name a long river." if "1" not in parent else "name a long  RIVER"

    for chains, again in ((1, 0), (3, 2)):
        dataset, _ = try_recipe(run, seeds[:chains], Config(rounds=1), model=World(rewrite).model)
        assert {t.label: t.value for t in dataset.tiles}["met again"] == again


def test_difficulty_is_judged_on_a_sample_that_stays_when_it_grows(tmp_path: Path) -> None:
    seeds = [Instruction(prompt=f"Name river {n}.") for n in range(9)]
    for chains, calls in ((0, 0), (4, 4 * 3), (6, 2 * 3)):  # the later ones are paid for, and no more
        world = World(lambda parent, k: f"{parent} Add one.")
        dataset, _ = try_recipe(run, seeds, Config(rounds=2, difficulty=chains), model=world.model, out=tmp_path)
        assert world.asked["rate"] == calls
        assert len(dataset.sections) == (2 if chains else 1)


def test_a_number_that_cannot_be_read_costs_no_row() -> None:
    dataset, dropped = try_recipe(run, [SEED], Config(rounds=1), model=World(score=lambda asked: "Hard.").model)
    assert len(dataset.records) == 2
    assert [d["reason"] for d in dropped] == ["unreadable-score"] * 2
    assert len(dataset.sections) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rounds": 0}, "--rounds 0: give at least 1"),
        ({"words": 1}, "--words 1: give at least 2"),
        ({"difficulty": -1}, "--difficulty -1: give at least 0"),
        ({"reply_tokens": 0}, "--reply-tokens 0: give at least 1"),
        ({"temperature": -0.1}, "--temperature -0.1: give at least 0"),
        ({"top_p": 0.0}, "--top-p 0.0: give a number above 0"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Config(**wrong)


@pytest.mark.parametrize(("file", "field"), [("self_instruct_seeds", None), ("wizardlm_testset", "Instruction")])
def test_real_seeds(file: str, field: str | None, shared_data: Path) -> None:
    seeds = list(read_rows(shared_data / f"{file}.jsonl", field=field))[:40]
    dataset, dropped = try_recipe(run, seeds, Config(rounds=2, difficulty=5), model=World(messy).model)
    assert {r.meta["seed"] for r in dataset.records} == {s.id for s in seeds}
    assert all(isinstance(r, Sample) for r in dataset.records)
    assert {d["reason"] for d in dropped} <= set(REASONS)
    evolved = [r for r in dataset.records if r.meta["round"]]
    assert len(evolved) + len([d for d in dropped if d["evidence"].get("round")]) == 2 * len(seeds)
    assert all(orjson.loads(record_line(r)) for r in dataset.records)


def test_from_the_command_line_more_rounds_continue_and_fewer_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds, out = tmp_path / "seeds.jsonl", tmp_path / "run"
    seeds.write_bytes(orjson.dumps({"prompt": "Name a river."}))
    command = [
        "run",
        "evol-instruct",
        "--input",
        str(seeds),
        "--out",
        str(out),
        "--concurrency",
        "1",
        "--difficulty",
        "0",
    ]
    for role in ("evolver", "judge", "answerer"):
        command += ["--role", f"{role}=scripted:{tmp_path / role}.jsonl"]

    def go(rounds: int, replies: dict[str, list[str]]) -> int:
        for role, lines in replies.items():
            (tmp_path / f"{role}.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
        return main([*command, "--rounds", str(rounds)])

    assert go(1, {"evolver": ["Name a long river."], "judge": ["Not Equal"], "answerer": ["The Po."] * 2}) == 0
    before = (out / "records.jsonl").read_bytes()
    assert go(2, {"evolver": ["Name two long rivers."], "judge": ["Not Equal"], "answerer": ["Nile, Amazon."]}) == 0
    after = (out / "records.jsonl").read_bytes()
    assert after.startswith(before)
    assert [orjson.loads(line)["prompt"] for line in after.splitlines()][1:] == [
        "Name a long river.",
        "Name two long rivers.",
    ]
    assert go(1, {}) == 2
    assert "rounds was 2 and is 1" in capsys.readouterr().err
