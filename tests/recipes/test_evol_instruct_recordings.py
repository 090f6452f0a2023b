"""Replies that a real model gave to the recipe's prompts: preambles, fences, a remark, a refusal, a verdict in bold."""

from __future__ import annotations

from pathlib import Path

import orjson

from cultivar.core.protocols import Request
from cultivar.core.records import Instruction
from cultivar.recipes.evol_instruct import Config, run
from cultivar.testing import FunctionModel, try_recipe

REPLIES = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "evol_instruct.jsonl").open("rb")]
SEEDS = [row["parent"] for row in REPLIES if row["role"] == "evolver"][:3]


def test_recorded_replies() -> None:
    left = list(REPLIES)

    def recorded(role: str, key: str, asked: str, otherwise: str) -> str:
        for row in left:
            if row["role"] == role and row[key] == asked:
                left.remove(row)
                return str(row["reply"])
        return otherwise

    def reply(request: Request) -> str:
        asked = str(request.messages[0]["content"])
        if asked.startswith(("You rewrite prompts", "You invent prompts")):
            return recorded("evolver", "parent", asked.rpartition("<<<\n")[2].partition("\n>>>\n")[0], "")
        if asked.startswith("Two prompts"):
            child = asked.partition(" second prompt>>>\n")[2].rpartition("\n<<<")[0]
            return recorded("judge", "child", child, "Not Equal")
        return recorded("answerer", "prompt", asked, "Here: 42.")

    seeds = [Instruction(prompt=text) for text in SEEDS]
    dataset, dropped = try_recipe(run, seeds, Config(rounds=3, difficulty=0), model=FunctionModel(reply))
    assert left == []
    assert [(d["reason"], d["evidence"]["round"], d["evidence"]["operator"]) for d in dropped] == [
        ("rewrite-refused", 3, "constraint"),
        ("no-gain", 2, "reason"),
    ]
    prompts = [str(r.to_json()["prompt"]) for r in dataset.records]
    assert [(r.meta["round"], r.meta.get("operator")) for r in dataset.records] == [
        *((0, None), (1, "complicate"), (2, "constraint")),
        *((0, None), (1, "complicate"), (3, "breadth")),
        *((0, None), (1, "deepen"), (2, "reason"), (3, "complicate")),
    ]
    assert prompts[1].startswith("Using the code below") and prompts[1].endswith("for e in staff])")
    assert prompts[2].endswith("for e in staff])\n```")  # a fence that belongs to the text
    assert prompts[-1].endswith("}\n```")  # and no remark on what was added
    answers = [str(r.to_json()["response"]) for r in dataset.records]
    assert "I'm sorry to say" in answers[1]  # in an answer of more than 80 words
