"""Replies that a real model gave to the recipe's prompts: preambles, remarks, slips in names, JSON without its list."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from cultivar.core.protocols import Request
from cultivar.core.records import Document, EnvironmentSpec, Trajectory
from cultivar.environments.simulated import read_script
from cultivar.recipes.agent_refine import SCRIPT, Config, run
from cultivar.testing import FunctionModel, try_recipe

FILE = Path(__file__).parent / "recordings" / "agent_refine.jsonl"
GERMAN, *REPLIES = sorted(map(orjson.loads, FILE.open("rb")), key=lambda row: "{behälter}" not in row["reply"])


def test_recorded_replies() -> None:
    left, asked = list(REPLIES), list[str]()

    def reply(request: Request) -> str:
        first, last = (str(request.messages[at]["content"]) for at in (0, -1))
        about = first.rpartition("<<<\n")[2].rpartition("\n>>>")[0]
        if not first.startswith(SCRIPT):
            found = re.search(r'"title": "([^"]*)"', first)
            about = found[1] if found else ""
        asked.append(last)
        row = next(row for row in left if row["about"] == about)
        left.remove(row)
        return str(row["reply"])

    passages = [Document(text=text) for text in dict.fromkeys(r["about"] for r in REPLIES if r["role"] == "author")]
    dataset, dropped = try_recipe(run, passages, Config(), model=FunctionModel(reply))
    assert left == [] and list(dropped) == []
    rows = [record for record in dataset.records if isinstance(record, Trajectory)]
    specs = [record.name for record in dataset.records if isinstance(record, EnvironmentSpec)]
    assert specs[:2] == ["Stocking the Ward B Cart", "Borrowing the Rotavator"]
    assert [row.meta["kinds"] for row in rows] == [
        ["logical", "location"],
        ["logical", "logical", "parameter", "logical"],
        ["logical", "location", "location"],
        ["logical", "logical"],  # "logical error" in the reply
    ]
    actions = [turn.action for turn in rows[1].turns if turn.action]
    assert "walk to the shed" not in actions and actions[-1] == "write in damage book"
    told = [text.rpartition("could not be used: ")[2] for text in asked if "could not be used: " in text]
    assert sorted(text.split(" fits")[0].split(" that")[0] for text in told) == [
        "'walk to the shed'",
        "of the 2 errors",
    ]
    assert any("takes 'key code', which is neither a place nor a thing" in text for text in asked)
    assert any("unexpected content after document: line 2" in text for text in asked)  # a JSON object to a line


def test_a_recorded_script_with_slots_in_german() -> None:
    assert read_script(GERMAN["reply"]).match("Schließe Magazin mit Magazinschlüssel auf.") is not None
