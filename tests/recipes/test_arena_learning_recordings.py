"""Replies that a real model gave, as players and as a judge: scores below which a remark stands, scores in JSON, and a
judge that will not score a poem until it is asked again."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

pytest.importorskip("numpy", reason="ratings need the extra 'curate'")
pytest.importorskip("rensa", reason="near-duplicates need the extra 'curate'")

from cultivar.core.protocols import Request
from cultivar.core.records import Instruction
from cultivar.recipes.arena_learning import Config, run
from cultivar.testing import FunctionModel, try_recipe

REPLIES = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "arena_learning.jsonl").open("rb")]
PROMPTS = list(dict.fromkeys(row["prompt"] for row in REPLIES))
SAID = {(row["prompt"], row["role"]): str(row["reply"]) for row in REPLIES if row["role"] != "judge"}


def test_recorded_replies() -> None:
    left = [row for row in REPLIES if row["role"] == "judge"]

    def judge(request: Request) -> str:
        asked = str(request.messages[0]["content"])
        prompt = next(text for text in PROMPTS if text in asked)
        places = {role: asked.index(f"\n{SAID[prompt, role]}\n<<<") for role in ("student", "opponent")}
        first = min(places, key=lambda role: places[role])
        row = next(r for r in left if (r["prompt"], r["first"]) == (prompt, first))
        left.remove(row)
        return str(row["reply"])

    def player(role: str) -> FunctionModel:
        return FunctionModel(lambda request: SAID[str(request.messages[0]["content"]), role], name=role)

    roles = {"student": player("student"), "opponent-a": player("opponent"), "judge": FunctionModel(judge)}
    config = Config(iterations=1, clusters=0, sft_threshold=0, dpo_threshold=0)
    dataset, dropped = try_recipe(run, [Instruction(prompt=text) for text in PROMPTS], config, roles=roles)
    assert (left, dropped) == ([], [])  # every reply was asked for once, and none was refused but the refusal
    aspartame, _, theory, extrema = PROMPTS
    # a remark below the scores, scores in JSON; the orders disagree on the haiku, which is a tie and gives no row
    assert {r.to_json()["prompt"]: r.meta["battles"][0]["games"] for r in dataset.records} == {
        aspartame: [[1, 8], [1, 8]],
        theory: [[8, 8], [6, 9]],
        extrema: [[3, 10], [3, 10]],
    }
