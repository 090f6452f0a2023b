"""Replies that a real model gave to the recipe's prompts, preambles and all."""

from __future__ import annotations

from pathlib import Path

import orjson

from cultivar.core.protocols import Request
from cultivar.core.records import Instruction
from cultivar.recipes.expertprompting import run
from cultivar.testing import FunctionModel, try_recipe

REPLIES = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "expertprompting.jsonl").open("rb")]
INSTRUCTIONS = list(dict.fromkeys(row["instruction"] for row in REPLIES))


def test_recorded_replies() -> None:
    left = list(REPLIES)

    def reply(request: Request) -> str:
        asked = str(request.messages[0]["content"])
        role = "imaginer" if asked.startswith("Somebody is going to answer") else "answerer"
        row = next(
            r for r in left if r["role"] == role and asked.removesuffix("\nDescription:").endswith(r["instruction"])
        )
        left.remove(row)
        return str(row["reply"])

    model = FunctionModel(reply)
    dataset, dropped = try_recipe(run, [Instruction(prompt=text) for text in INSTRUCTIONS], model=model)
    assert (left, dropped) == ([], [])
    # a preamble and a bold heading cost no second request; an assistant in the place of a person does
    assert len(model.requests) == 2 * len(INSTRUCTIONS) + 1
    assert all(str(r.meta["identity"]).startswith("You are a") for r in dataset.records)
    # no answer speaks as its expert: all stay as they are, the story that begins "After eleven years of ..." too
    answers = {row["instruction"]: row["reply"] for row in REPLIES if row["role"] == "answerer"}
    assert {r.to_json()["prompt"]: r.to_json()["response"] for r in dataset.records} == answers
    assert [r.meta["echo"] for r in dataset.records] == [""] * len(INSTRUCTIONS)
