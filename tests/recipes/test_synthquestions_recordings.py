"""What a language model wrote that saw nothing but the prompts: preambles, another form, a request that leans on
"the document", and how it was mended."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Document, Preference
from cultivar.recipes.synthquestions import Config, run
from cultivar.testing import FunctionModel, reply, try_recipe

ROWS = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "synthquestions.jsonl").open("rb")]
TOLD = "says 'According to the document'"


def test_recorded_replies() -> None:
    requests: list[str] = []

    def answer(request: Request) -> str | Reply:
        first, last = (str(request.messages[k]["content"]) for k in (0, -1))
        requests.append(last)
        turn = len(request.messages) // 2
        row = ROWS["octopus" not in first]
        if "Find a new request" in first:
            if turn < len(row["author"]):
                return str(row["author"][turn])
            # It was told what is wrong with its second attempt, and mends that.
            return str(row["author"][-1]).replace("According to the document, if", "If")
        if "list of questions" in first:
            return str(row["judge"][turn])
        if "is to be scored" in first:
            return str(next(score for said, score in zip(row["answerer"], row["scorer"]) if said.strip() in first))
        return reply(*row["answerer"])

    documents = [Document(text=row["document"]) for row in ROWS]
    dataset, dropped = try_recipe(run, documents, Config(n=2), model=FunctionModel(answer))
    assert dropped == []
    pairs = [r for r in dataset.records if isinstance(r, Preference)]
    assert [p.meta["scores"] for p in pairs] == [[9.0, 3.0], [7.0, 4.0]]
    assert [(p.meta["topic"], p.meta["score"], p.meta["grounded"]) for p in pairs] == [
        ("engineering", 7, 1.0),
        ("food", 6, 1.0),
    ]
    assert all(not re.search("document", p.prompt) for p in pairs)
    told = [text for text in requests if "cannot be used" in text]
    assert [TOLD in text for text in told].count(True) == 2  # with what was not pasted, and again by itself
    assert sum("lacks the extra information" in text for text in told) == 1
