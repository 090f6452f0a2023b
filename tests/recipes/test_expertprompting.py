from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import Unparsable
from cultivar.core.figures import Bars, Table
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Instruction
from cultivar.core.rundir import record_line
from cultivar.export.rows import export
from cultivar.recipes.expertprompting import IMAGINE, REASONS, STATIC, Config, read_identity, run
from cultivar.sources.rows import read_rows
from cultivar.testing import FunctionModel, ScriptedModel, reply, try_recipe

ROW = Instruction(prompt="How long does a reef take to recover?", meta={"id": 7})
IDENTITY = (
    "You are a marine biologist who has counted corals on the same reefs for twenty years. You know how fast each kind "
    "grows, and you say what a recovery depends on before you give a number."
)
ANSWER = "Ten years at least, if the water stays cool."


class World:
    """A model that tells its roles apart by what it is asked; ``asked`` counts the requests of each."""

    def __init__(
        self,
        identity: Callable[[str, int], str | Reply] = lambda instruction, k: IDENTITY,
        under: Callable[[str], str | Reply] = lambda asked: f"As a marine biologist, I say: {ANSWER}",
        plain: Callable[[str], str | Reply] = lambda prompt: "Ten years.",
        judge: Callable[[str], str] = lambda asked: "8 6" if asked.find("cool") < asked.find("Ten years.\n") else "6 8",
    ) -> None:
        self.identity, self.under, self.plain, self.judge = identity, under, plain, judge
        self.asked: Counter[str] = Counter()
        self.model = FunctionModel(self.reply)

    def reply(self, request: Request) -> str | Reply:
        asked = str(request.messages[0]["content"])
        if asked.startswith("Somebody is going to answer"):
            self.asked["imaginer"] += 1
            return self.identity(
                asked.rpartition("Instruction: ")[2].removesuffix("\nDescription:"), self.asked["imaginer"]
            )
        if asked.startswith("You are a strict and fair judge"):
            self.asked["judge"] += 1
            return self.judge(asked)
        if "That is who you are" in asked:
            self.asked["under"] += 1
            return self.under(asked)
        self.asked["plain"] += 1
        return self.plain(asked)


def test_an_answer_under_an_identity_that_the_row_does_not_show(tmp_path: Path) -> None:
    world = World()
    dataset, dropped = try_recipe(run, [ROW], model=world.model)
    (sample,) = dataset.records
    assert sample.to_json()["messages"] == [
        {"role": "user", "content": ROW.prompt},
        {"role": "assistant", "content": f"I say: {ANSWER}"},
    ]
    assert sample.meta == {"id": 7, "identity": IDENTITY, "echo": "As a marine biologist, "}
    assert sample.parents == (ROW.id,)
    assert dropped == []
    imagine, answer = (str(r.messages[0]["content"]) for r in world.model.requests)
    assert (
        imagine.count("Instruction: ") == 4 and imagine.count("You are a ") == 3
    )  # three demonstrations, and this one
    assert IDENTITY in answer and answer.endswith(ROW.prompt)
    records = tmp_path / "records.jsonl"
    records.write_bytes(record_line(sample))
    export(records, "trl", tmp_path / "rows.jsonl")
    exported = (tmp_path / "rows.jsonl").read_text("utf-8")
    assert ANSWER in exported
    assert "biologist" not in exported


def test_the_identity_is_imagined_for_each_instruction() -> None:
    rows = [ROW, Instruction(prompt="Why is {bread} flat?")]
    world = World(
        lambda instruction, k: f"{IDENTITY} You were asked: {instruction}", lambda asked: asked.partition("asked: ")[2]
    )
    dataset, _ = try_recipe(run, rows, model=world.model)
    assert [r.meta["identity"].partition("asked: ")[2] for r in dataset.records] == [r.prompt for r in rows]
    assert [r.to_json()["response"].partition("\n")[0] for r in dataset.records] == [r.prompt for r in rows]


def test_the_report_shows_what_was_taken_off_and_what_is_trained_on() -> None:
    rows = [ROW, Instruction(prompt="Why?")]
    world = World(under=lambda asked: ANSWER if asked.endswith("Why?") else f"As a marine biologist, I say: {ANSWER}")
    dataset, _ = try_recipe(run, rows, model=world.model)
    table = dataset.sections[0].figures[1]
    assert isinstance(table, Table)
    assert table.rows == (("As a marine biologist,", f"I say: {ANSWER}"),)
    assert [(t.label, t.value) for t in dataset.tiles][1] == ("echoes taken off", 1)
    for example in dataset.examples:
        assert [(t.role, t.train) for t in example.turns] == [("tool", False), ("user", False), ("assistant", True)]
        assert example.turns[0].content == IDENTITY
        assert "in no row" in example.speakers["tool"]  # a system turn would be drawn as the row's system prompt
    plain, _ = try_recipe(run, [ROW], Config(identity="none"), model=World(plain=lambda prompt: ANSWER).model)
    assert [t.role for t in plain.examples[0].turns] == ["user", "assistant"]
    assert len(plain.sections[0].figures) == 1


def test_the_baselines() -> None:
    model = FunctionModel(lambda request: ANSWER)
    made = {}
    kinds: tuple[Any, ...] = ("static", "none")
    for kind in kinds:
        dataset, _ = try_recipe(run, [ROW], Config(identity=kind), model=model)
        made[kind] = dataset.records[0]
    static, none = (str(request.messages[0]["content"]) for request in model.requests)
    assert static.startswith(STATIC) and static.endswith(ROW.prompt)
    assert none == ROW.prompt
    assert (made["static"].meta["identity"], made["none"].meta["identity"]) == (STATIC, "")
    assert made["static"].to_json()["messages"] == made["none"].to_json()["messages"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"identity": lambda i, k: "The best agent is a marine biologist who " + "counts " * 20}, "identity-person"),
        ({"identity": lambda i, k: "I am a marine biologist who " + "counts " * 20}, "identity-person"),
        ({"identity": lambda i, k: "You are a marine biologist."}, "identity-length"),
        ({"identity": lambda i, k: "You are a marine biologist who " + "counts " * 400}, "identity-length"),
        ({"identity": lambda i, k: "You are a helpful assistant who " + "counts " * 20}, "identity-generic"),
        (
            {"identity": lambda i, k: "You are an expert in the relevant field who " + "counts " * 20},
            "identity-generic",
        ),
        ({"identity": lambda i, k: IMAGINE.partition("Description: ")[2].partition("\n")[0]}, "identity-generic"),
        ({"identity": lambda i, k: reply("You are a mar", finish="length")}, "unparsable"),
        ({"identity": lambda i, k: ""}, "unparsable"),
        ({"under": lambda a: "I'm sorry, but as an AI language model I cannot say."}, "refused"),
        ({"under": lambda a: reply("", finish="content_filter")}, "refused"),
        ({"under": lambda a: reply("Ten ye", finish="length")}, "cut-off"),
        ({"under": lambda a: " \n"}, "empty"),
        ({"under": lambda a: f"{ANSWER} As a marine biologist, I know."}, "echo"),
        ({"under": lambda a: f"{ANSWER} In my practice it was so."}, "echo"),
        ({"under": lambda a: f"{IDENTITY} {ANSWER}"}, "echo"),
        ({"under": lambda a: "As a marine biologist, "}, None),
    ],
)
def test_what_is_dropped(changes: dict[str, Any], reason: str | None) -> None:
    dataset, dropped = try_recipe(run, [ROW], model=World(**changes).model)
    assert [d["reason"] for d in dropped] == ([reason] if reason else [])
    assert len(dataset.records) == (0 if reason else 1)
    assert reason is None or reason in REASONS


def test_an_identity_is_asked_for_again_with_the_reason() -> None:
    def identity(instruction: str, k: int) -> str:
        return IDENTITY if k == 2 else "A marine biologist."

    world = World(identity)
    dataset, _ = try_recipe(run, [ROW], model=world.model)
    assert len(dataset.records) == 1
    assert 'begin with "You are"' in str(world.model.requests[1].messages[-1]["content"])
    once = World(identity)
    _, dropped = try_recipe(run, [ROW], Config(repairs=0), model=once.model)
    assert [d["reason"] for d in dropped] == ["identity-person"]
    assert once.asked["imaginer"] == 1


def test_an_answer_that_was_asked_for_in_a_voice_may_have_it() -> None:
    row = Instruction(prompt="Write a letter as a marine biologist who resigns.")
    text = "As a marine biologist, I resign. In my career I have seen much."
    dataset, dropped = try_recipe(run, [row], model=World(under=lambda asked: text).model)
    assert [r.to_json()["response"] for r in dataset.records] == [text]
    assert dropped == []


@pytest.mark.parametrize(
    "text",
    [
        IDENTITY,
        f"Description: {IDENTITY}",
        f"**Description:** {IDENTITY}",
        f"Sure!\n\n```\n{IDENTITY}\n```",
        f"Sure! Here's the description:\n\n{IDENTITY}",
        f"Sure! {IDENTITY}",
        f"Here is the person who could do it best:\n\n**{IDENTITY}**",
        f"Instruction: {ROW.prompt}\nDescription: {IDENTITY}",
        f'"{IDENTITY}"',
        IDENTITY.replace(". ", ".\n\n"),
        f"{IDENTITY}\n\nInstruction: Another one\nDescription: You are a baker.",
    ],
)
def test_identities_out_of_messy_replies(text: str) -> None:
    assert read_identity(text) == IDENTITY


def test_an_identity_is_told_what_is_wrong_with_it() -> None:
    for text, told in {
        "You are an AI assistant with humour who " + "counts corals " * 10: "no assistant",
        IMAGINE.partition("Description: ")[2].partition("\n")[0]: "an example's",
        "You are an expert in this field who " + "counts corals " * 10: "any instruction",
    }.items():
        with pytest.raises(Unparsable, match=told):
            read_identity(text)


@pytest.mark.parametrize(
    "beginning",
    ["You are a legal assistant", "You are an AI researcher", "You are a digital artist", "You're an expert in reefs"],
)
def test_identities_that_are_not_generic(beginning: str) -> None:
    text = f"{beginning} who " + "counts corals " * 10
    assert read_identity(text) == text.strip()


@given(st.text(max_size=100))
def test_any_text_is_an_identity_or_told_why_not(text: str) -> None:
    with pytest.raises(Unparsable) as told:
        read_identity(text)
    assert told.value.reason in REASONS


MESSY = (
    f"Certainly! As a marine biologist, I would wait. {ANSWER}",
    f"```\n{ANSWER}\n```",
    "珊瑚礁需要十年。",
    '{"answer": "ten years"}',
    "{instruction} {0} %s",
    "",
    "I cannot answer that.",
    "As a marine biologist, diver and teacher, count, count.",
    "I am a marine biologist.",
    "\x00",
)


def test_messy_answers() -> None:
    kept, reasons = [], []
    for text in MESSY:
        dataset, dropped = try_recipe(run, [ROW], model=World(under=lambda asked, text=text: text).model)  # type: ignore[misc]
        kept += [r.to_json()["response"] for r in dataset.records]
        reasons += [d["reason"] for d in dropped]
    assert kept[0] == f"I would wait. {ANSWER}"
    assert kept[1:5] == list(MESSY[1:5])
    assert reasons == ["empty", "refused", "echo"]


def test_a_second_run_asks_nothing_and_writes_the_same_bytes(tmp_path: Path) -> None:
    rows = [Instruction(prompt=f"How long does reef {n} take?") for n in range(6)]
    config = Config(compare=4)
    first, lost = try_recipe(run, rows, config, model=World(under=lambda a: MESSY[len(a) % 4]).model, out=tmp_path)
    nobody = ScriptedModel([], name="function")
    second, lost_again = try_recipe(run, rows, config, model=nobody, out=tmp_path)
    assert [record_line(r) for r in second.records] == [record_line(r) for r in first.records]
    assert (lost_again, nobody.requests) == (lost, [])
    assert second.sections == first.sections


def tables(dataset: Any) -> tuple[Table, Table, Bars]:
    wins, by_length, words = dataset.sections[1].figures
    return wins, by_length, words


def test_comparing_is_in_both_orders_and_shows_the_lengths(tmp_path: Path) -> None:
    rows = [Instruction(prompt=f"How long does reef {n} take?") for n in range(5)]
    world = World()
    dataset, _ = try_recipe(run, rows, Config(compare=3), model=world.model, out=tmp_path)
    assert world.asked == {"imaginer": 5, "under": 5, "plain": 3, "judge": 6}
    wins, by_length, words = tables(dataset)
    assert [row[:3] for row in wins.rows] == [("expert identity", 3, 100.0), ("tie", 0, 0.0), ("no identity", 0, 0.0)]
    assert wins.rows[0][3] == "43.9 to 100.0"  # Wilson, 3 of 3
    assert by_length.rows[2] == ("longer", 3, 3, 0, 0)
    assert words.series == {"words": (11.0, 2.0)}
    more = World()
    try_recipe(run, rows, Config(compare=5), model=more.model, out=tmp_path)
    assert more.asked == {"plain": 2, "judge": 4}


def test_a_judge_that_likes_what_stands_first_finds_ties() -> None:
    world = World(judge=lambda asked: "9 2")
    dataset, _ = try_recipe(run, [ROW], Config(compare=1), model=world.model)
    assert [row[1] for row in tables(dataset)[0].rows] == [0, 1, 0]
    assert "in 1 of them" in dataset.sections[1].text


def test_a_judge_that_likes_no_identity_is_believed() -> None:
    world = World(judge=lambda asked: "2 9" if asked.find("cool") < asked.find("Ten years.\n") else "9 2")
    dataset, _ = try_recipe(run, [ROW], Config(compare=1), model=world.model)
    assert [row[1] for row in tables(dataset)[0].rows] == [0, 0, 1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"judge": lambda asked: "Both are fine."}, "unreadable-score"),
        ({"plain": lambda prompt: ""}, "vanilla-empty"),
        ({"plain": lambda prompt: reply("Te", finish="length")}, "vanilla-cut-off"),
        ({"plain": lambda prompt: reply("", finish="refusal")}, "vanilla-refused"),
    ],
)
def test_what_cannot_be_compared_stays_a_row(changes: dict[str, Any], reason: str) -> None:
    dataset, dropped = try_recipe(run, [ROW], Config(compare=1), model=World(**changes).model)
    assert len(dataset.records) == 1
    assert [d["reason"] for d in dropped] == [reason]
    assert reason in REASONS
    assert len(dataset.sections) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"compare": -1}, "--compare -1: give at least 0"),
        ({"repairs": -1}, "--repairs -1: give at least 0"),
        ({"reply_tokens": 0}, "--reply-tokens 0: give at least 1"),
        ({"temperature": -1.0}, "--temperature -1.0: give at least 0"),
        ({"compare": 5, "identity": "none"}, "--compare needs an identity"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Config(**wrong)


@pytest.mark.parametrize(("file", "field"), [("self_instruct_seeds", None), ("wizardlm_testset", "Instruction")])
def test_real_instructions(file: str, field: str | None, shared_data: Path) -> None:
    rows = list(read_rows(shared_data / f"{file}.jsonl", field=field))[:60]
    world = World(under=lambda asked: MESSY[len(asked) % len(MESSY)])
    dataset, dropped = try_recipe(run, rows, Config(compare=3), model=world.model)
    of_rows = [d for d in dropped if d["stage"] == "expert"]
    assert len(dataset.records) + len(of_rows) == len(rows)
    assert {d["reason"] for d in dropped} <= set(REASONS)
    assert all("identity" in orjson.loads(record_line(r))["meta"] for r in dataset.records)
