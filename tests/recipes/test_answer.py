from __future__ import annotations

import pytest

from cultivar.core.protocols import Choice, Reply, Request, Usage
from cultivar.core.records import Instruction, Sample, record_from_json
from cultivar.recipes.answer import REASONS, Config, run
from cultivar.testing import FunctionModel, ScriptedModel, reply, try_recipe

ROWS = [Instruction(prompt="Name a river.", meta={"id": 7}), Instruction(prompt="Name a lake.")]


def test_a_reply_to_each_prompt_in_the_order_of_the_rows() -> None:
    model = FunctionModel(lambda request: f"To: {request.messages[-1]['content']}")
    dataset, dropped = try_recipe(run, ROWS, model=model)
    rows = [r.to_json() for r in dataset.records]
    assert [(r["prompt"], r["response"]) for r in rows] == [
        ("Name a river.", "To: Name a river."),
        ("Name a lake.", "To: Name a lake."),
    ]
    assert rows[0]["meta"] == {"id": 7}
    assert rows[0]["parents"] == [ROWS[0].id]
    assert dropped == []


def test_what_is_asked_is_what_the_settings_say() -> None:
    model = ScriptedModel(["one", "two"])
    try_recipe(run, ROWS, Config(system="Be brief.", temperature=0.2, reply_tokens=9), model=model)
    assert [m["role"] for m in model.requests[0].messages] == ["system", "user"]
    assert dict(model.requests[0].sampling) == {"temperature": 0.2, "max_tokens": 9}
    plain = ScriptedModel(["one", "two"])
    try_recipe(run, ROWS, model=plain)
    assert dict(plain.requests[0].sampling) == {}


def test_the_system_prompt_is_part_of_the_sample_but_not_of_its_prompt() -> None:
    dataset, _ = try_recipe(run, ROWS[:1], Config(system="Be brief."), model=ScriptedModel(["The Po."]))
    row = dataset.records[0].to_json()
    assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
    assert (row["prompt"], row["response"]) == ("Name a river.", "The Po.")
    assert record_from_json(row).id == dataset.records[0].id


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (reply("The Rhi", finish="length"), "cut-off"),
        (reply("No.", finish="content_filter"), "refused"),
        (reply("No.", finish="refusal"), "refused"),
        (reply("  \n"), "empty"),
    ],
)
def test_a_reply_that_is_not_whole_is_dropped_with_its_reason(given: Reply, reason: str) -> None:
    dataset, dropped = try_recipe(run, ROWS, model=ScriptedModel([given, "Como."]))
    assert [r.to_json()["response"] for r in dataset.records] == ["Como."]
    assert [(d["reason"], d["evidence"]["reply"]) for d in dropped] == [(reason, given.text)]
    assert reason in REASONS


def test_cut_off_replies_are_kept_if_asked_for() -> None:
    dataset, dropped = try_recipe(
        run, ROWS[:1], Config(cut_off=True), model=ScriptedModel([reply("The Rhi", finish="length")])
    )
    assert len(dataset.records) == 1
    assert dropped == []


def test_several_replies_to_a_prompt() -> None:
    def model(request: Request) -> Reply:
        assert request.n == 3
        return reply("The Po.", " ", "The Rhine.")

    dataset, dropped = try_recipe(run, ROWS[:1], Config(n=3), model=FunctionModel(model))
    assert [r.to_json()["response"] for r in dataset.records] == ["The Po.", "The Rhine."]
    assert [d["reason"] for d in dropped] == ["empty"]


def test_reasoning_is_kept_apart_from_the_answer() -> None:
    thought = Reply((Choice("The Po.", reasoning="Italy has one."),), Usage(), "m")
    dataset, _ = try_recipe(run, ROWS[:1], model=ScriptedModel([thought]))
    sample = dataset.records[0]
    assert isinstance(sample, Sample)
    assert sample.messages[-1] == {"role": "assistant", "content": "The Po."}
    assert sample.meta == {"id": 7, "reasoning": "Italy has one."}


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="--n 0: give at least 1"):
        Config(n=0)
    with pytest.raises(ValueError, match="--reply-tokens 0: give at least 1"):
        Config(reply_tokens=0)
