"""Answers and judgements of a language model that saw nothing but the prompts: preambles, bold, counts, a refusal."""

from __future__ import annotations

from pathlib import Path

import orjson

from cultivar.core.protocols import Request
from cultivar.core.records import Instruction, Sample, Verdict
from cultivar.recipes.codi_eval import run
from cultivar.testing import FunctionModel, try_recipe

ROWS = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "codi_eval.jsonl").open("rb")]


def test_recorded_replies() -> None:
    judgements = [list(row["judge"]) for row in ROWS]

    def reply(request: Request) -> str:
        asked = str(request.messages[-1]["content"])
        for row, left in zip(ROWS, judgements):
            if asked == row["row"]["instruction"]:
                return str(row["reply"])
            if row["reply"][-60:] in asked:
                return str(left.pop(0))  # what one aspect after the other was said to be, at the first attempt
        raise AssertionError(asked)

    rows = [
        Instruction(prompt=r["row"]["instruction"], meta={k: v for k, v in r["row"].items() if k != "instruction"})
        for r in ROWS
    ]
    dataset, dropped = try_recipe(run, rows, model=FunctionModel(reply))
    assert judgements == [[]] * len(ROWS)
    verdicts = [r for r in dataset.records if isinstance(r, Verdict)]
    assert [(v.passed, v.reason) for v in verdicts] == [
        (True, "sports"),
        (True, "science_&_technology, social concern"),  # a label on each of two lines
        (True, "arts_&_culture, music, travel_&_adventure, positive sentiment"),
        (True, "relationships, fear"),
        (True, "46 words, wanted 1 to 54"),  # two of them say how many there are
        (False, "68 words, wanted 54 to 66"),  # five are a preamble that ends with no colon
        (True, "all words as wanted"),
        (True, "all words as wanted"),
        (True, "toxicity 0.02"),
    ]
    assert [v.meta["preamble"] for v in verdicts] == [True, False, False, False, True, *[False] * 4]
    samples = [s.to_json()["response"] for s in dataset.records if isinstance(s, Sample)]
    assert len(samples) == 7 and str(samples[0]).startswith("In the 2016 Premier League season")
    assert [(d["reason"], d["subject"][:9]) for d in dropped] == [("declined", "I'm sorry")]
