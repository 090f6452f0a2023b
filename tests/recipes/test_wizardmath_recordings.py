"""Replies of a real model to the recipe's prompts: preambles, a title, an answer told, answers in bold, a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from cultivar.core.protocols import Request
from cultivar.core.records import Instruction, Preference, Ranking, Sample, StepLabels
from cultivar.recipes.wizardmath import Config, run
from cultivar.testing import FunctionModel, reply, try_recipe

pytest.importorskip("math_verify", reason="the extra 'math' is not installed")

ROWS = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "wizardmath.jsonl").open("rb")]
JOHN, AMY, CARLA = (Instruction(prompt=row["problem"]) for row in ROWS[:3])


def test_recorded_replies() -> None:
    left = [row for row in ROWS if row["role"] != "judge"]
    first_b, first_a = (row["replies"][0] for row in ROWS if row["role"] == "judge")

    def recorded(role: str, key: str, found: str) -> Any:
        row = next(row for row in left if row["role"] == role and row[key] == found)
        left.remove(row)
        return reply(*row["replies"])

    def world(request: Request) -> Any:
        asked = str(request.messages[0]["content"])
        if asked.startswith("Write a math problem"):
            return recorded("evolver", "problem", asked.rpartition("The problem below:\n")[2])
        if asked.startswith("Solve this"):
            return recorded("solver", "problem", asked.partition("\n\n")[2])
        if asked.startswith("Here is a task"):
            shown = asked.partition("\nA:\n")[2]
            return first_a if shown.index("Amy had one" if "Amy had one" in shown else "John") < 8 else first_b
        steps = asked.partition("\n1. ")[2].partition("\nLabel every")[0]
        if any(row.get("first_step") == steps.splitlines()[0] for row in left):
            return recorded("labeller", "first_step", steps.splitlines()[0])
        count = asked.rpartition(" steps, in their order")[0].rpartition(" ")[2]
        return orjson.dumps({"labels": ["correct"] * int(count)}).decode()

    config = Config(rounds=1, versions=2, solutions=3)
    dataset, dropped = try_recipe(run, [JOHN, AMY, CARLA], config, model=FunctionModel(world))
    assert left == []
    assert dropped == []
    records = list(dataset.records)

    samples = [record for record in records if isinstance(record, Sample)]
    assert [(s.meta["answer"], s.meta["votes"]) for s in samples] == [
        *(("25", 2), ("15", 3)),  # "#### $15.00" too
        *(("19", 3), ("6", 2)),  # "**#### 19**" too; a refusal has no vote
        *(("160 minutes", 2), ("60", 2)),
    ]
    prompts = [str(s.messages[0]["content"]) for s in samples]
    assert prompts[3].startswith("Amy had one eyeshadow palette")  # and not "Sure! Here's an easier version:"

    rankings = [record.ranked for record in records if isinstance(record, Ranking)]
    assert [[text[:15] for text in ranked] for ranked in rankings] == [
        ["John brings his", "Maria takes her"],
        ["Amy had one eye", "Emily owns two "],  # without its title
    ]  # of the two versions of Carla's problem, one told its answer

    pairs = [record for record in records if isinstance(record, Preference)]
    assert [pair.rejected.split()[-1] for pair in pairs] == ["61", "120"]  # "1 hour" is no wrong answer

    labels = [record for record in records if isinstance(record, StepLabels)]
    assert [r.labels for r in labels if not r.meta["right"]] == [
        (True, False, False, False),
        (True,) * 3 + (False,) * 2,
    ]
    assert [len(r.labels) for r in labels if r.meta["answer"] == "19"] == [6]  # at the second try
