"""AgentGen end to end: without a model, with a model that makes mistakes, and through kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cultivar.cli.main import main
from cultivar.core.journal import Journal
from cultivar.core.protocols import Choice, Reply, Request
from cultivar.core.records import Document, EnvironmentSpec, Task, Trajectory
from cultivar.core.rundir import RunDirectory
from cultivar.environments.pddl.auditing.recheck import recheck
from cultivar.recipes.agentgen import Config, run
from cultivar.testing import FunctionModel, try_recipe
from tests.cli.conftest import DOMAIN

PASSAGES = [
    Document(text="The night baker checks the ovens, fetches flour from the store and scores every loaf."),
    Document(text="In the harbour the pilot boards the ship from a launch, whatever the weather."),
    Document(text="The archivist unlocks the stacks, brings up the boxes and returns them before closing."),
]
DESCRIPTION = """You keep the lamps of an old house lit at night.

The actions defined in this domain include:
- walk <room> <room>: go from one room to the next. You must be in the first and there must be a door. Then you are in
  the second and no longer in the first.
- light <lamp> <room>: light a dark lamp in your room. Then it is lit and no longer dark.
- snuff <lamp> <room>: put out a lit lamp in your room. Then it is dark and no longer lit.

You have the following restrictions on your actions:
- You can only reach lamps in your own room.
"""
LANGUAGE = {
    "predicates": {
        "in": "you are in the {arg1}",
        "door": "a door leads from the {arg1} to the {arg2}",
        "lit": "the {arg1} is lit",
        "dark": "the {arg1} is dark",
        "at": "the {arg1} stands in the {arg2}",
    },
    "actions": {
        "walk": "Walk from the {arg1} to the {arg2}",
        "light": "Light the {arg1} in the {arg2}",
        "snuff": "Snuff the {arg1} in the {arg2}",
    },
}


def lamp_problem(lamps: int, rooms: int) -> str:
    names = [f"room{k}" for k in range(rooms)]
    doors = " ".join(f"(door {a} {b}) (door {b} {a})" for a, b in pairwise(names))
    things = " ".join(f"lamp{k}" for k in range(lamps))
    placed = " ".join(f"(at lamp{k} {names[(k + 1) % rooms]}) (dark lamp{k})" for k in range(lamps))
    goal = " ".join(f"(lit lamp{k})" for k in range(lamps))
    return (
        f"(define (problem p{lamps}-{rooms}) (:domain lamps) (:objects {' '.join(names)} - room {things} - lamp)\n"
        f"(:init (in room0) {doors} {placed}) (:goal (and {goal} (in room0))))"
    )


class Author:
    """Plays the author of one world: wrong at first, then right. What it says depends on the request alone."""

    def __call__(self, request: Request) -> str:
        first, last = str(request.messages[0]["content"]), str(request.messages[-1]["content"])
        mended = last.startswith("That reply cannot be used")
        rng = random.Random(first + last)
        if first.startswith("You design worlds"):
            return DESCRIPTION if mended else "A world of lamps."
        if first.startswith("Write the world described"):
            good = f"Here it is:\n```pddl\n{DOMAIN}\n```\nGood luck!"
            return good if mended else good.replace("(dark ?l)) :effect", "(drak ?l)) :effect")
        if first.startswith("An agent that knows no PDDL"):
            clash = {**LANGUAGE, "predicates": {**LANGUAGE["predicates"], "dark": "the {arg1} is lit"}}
            return f"```json\n{json.dumps(LANGUAGE if mended else clash)}\n```"
        if first.startswith("An agent is at work"):
            count = first.rpartition(" in all")[0].split()[-1]
            return json.dumps({k: f"I take step {k} because it is needed." for k in range(1, int(count) + 1)})
        if rng.random() < 0.15:
            return "I am sorry, I cannot write a problem."
        return f"```pddl\n{lamp_problem(rng.randint(2, 5), rng.randint(2, 4))}\n```"


def test_without_a_model(tmp_path: Path) -> None:
    config = Config(environments=2, tasks=6)
    made, dropped = try_recipe(run, PASSAGES, config, out=tmp_path)
    kinds = Counter(r.kind for r in made.records)
    assert kinds == {"environment": 2, "task": 12, "trajectory": 12}
    again, dropped_again = try_recipe(run, PASSAGES, config, out=tmp_path)
    assert again.records == made.records
    assert dropped_again == dropped
    found = recheck(made.records)
    assert found.findings == []
    assert found.checked == {"environments": 2, "tasks": 12, "trajectories": 12}
    for record in made.records:
        if isinstance(record, EnvironmentSpec):
            assert record.parents[0] in {p.id for p in PASSAGES}
        if isinstance(record, Trajectory):
            assert record.success
            assert record.reward == 1.0
        if isinstance(record, Task):
            assert record.meta["difficulty"]["plan_length"] >= 3


def test_another_seed_makes_another_world() -> None:
    config = Config(environments=1, tasks=2)
    keys = {try_recipe(run, PASSAGES, config, seed=s)[0].records[0].meta["key"] for s in range(3)}
    assert len(keys) > 1


def test_with_a_model_that_makes_mistakes(tmp_path: Path) -> None:
    model = FunctionModel(Author())
    config = Config(environments=1, tasks=8, thoughts="model")
    made, dropped = try_recipe(run, PASSAGES[:1], config, model=model, out=tmp_path)
    spec = made.records[0]
    assert isinstance(spec, EnvironmentSpec)
    assert spec.data["language"]["actions"]["walk"].startswith("Walk")
    tasks = [r for r in made.records if isinstance(r, Task)]
    assert 2 <= len(tasks) <= 8
    assert {t.meta["stage"] for t in tasks} == {"posed", "evolved"}
    assert recheck(made.records).findings == []
    reasons = {row["reason"] for row in dropped}
    assert "duplicate-task" in reasons
    thoughts = [t.thought for r in made.records if isinstance(r, Trajectory) for t in r.turns if t.role == "assistant"]
    assert all(t is not None and t.startswith("I take step") for t in thoughts)
    shown = [str(r.messages[-1]["content"]) for r in model.requests]
    assert any("unknown predicate 'drak'; did you mean 'dark'?" in text for text in shown)
    assert any("The sentences have mistakes" in text or "the sentences have mistakes" in text for text in shown)
    replayed = FunctionModel(Author())
    again, _ = try_recipe(run, PASSAGES[:1], config, model=replayed, out=tmp_path)
    assert again.records == made.records
    assert replayed.requests == []


def test_one_item_is_replayed_without_asking_anything(tmp_path: Path) -> None:
    words = ["run", "agentgen", "--environments", "2", "--tasks", "2", "--workers", "0", "--out", str(tmp_path)]
    assert main([*words, "--quiet"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "records.jsonl").open()]
    second = [r for r in rows if r["kind"] == "environment"][1]
    before = (tmp_path / "records.jsonl").read_bytes()
    with Journal(tmp_path / "journal.sqlite", read_only=True) as journal:
        counts = journal.counts()
    assert main([*words, "--only", second["parents"][0]]) == 0
    assert main([*words, "--only", "nosuchitem"]) == 2
    assert (tmp_path / "records.jsonl").read_bytes() == before
    with Journal(tmp_path / "journal.sqlite", read_only=True) as journal:
        assert journal.counts() == counts


def test_a_model_that_never_gets_it_right_is_dropped_with_the_reason() -> None:
    def author(request: Request) -> str:
        unmended = "Write the world described" in str(request.messages[0]["content"])
        return Author()(replace(request, messages=request.messages[:1]) if unmended else request)

    made, dropped = try_recipe(run, PASSAGES[:1], Config(environments=1, tasks=2), model=FunctionModel(author))
    assert made.records == []
    assert {row["reason"] for row in dropped} == {"domain-unreadable"}
    assert "did you mean" in dropped[0]["evidence"]["message"]


def test_replies_that_are_cut_off_are_no_bug() -> None:
    cut = FunctionModel(lambda request: Reply((Choice("You keep the lamps", "length"),)))
    made, dropped = try_recipe(run, PASSAGES[:1], Config(environments=1), model=cut)
    assert made.records == []
    assert "cut off" in dropped[0]["evidence"]["message"]


@pytest.mark.parametrize("told", [{"thoughts": "template", "observations": "delta"}, {"observations": "partial"}])
def test_thoughts_and_observations(told: dict[str, Any]) -> None:
    made, _ = try_recipe(run, PASSAGES, Config(environments=1, tasks=3, **told))
    trajectories = [r for r in made.records if isinstance(r, Trajectory)]
    assert len(trajectories) == 3
    assert all((t.thought is not None) == ("thoughts" in told) for t in trajectories[0].turns if t.train)
    assert recheck(made.records).findings == []


def test_killed_and_started_again_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Short form of benchmarks/replay.py."""
    words = ["agentgen", "--environments", "4", "--tasks", "6", "--quiet", "--workers", "2"]
    command = [sys.executable, "-m", "cultivar.cli", "run", *words, "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    rng = random.Random(5)
    for attempt in range(3):
        process = subprocess.Popen(
            [*command, str(tmp_path / "killed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        journal = tmp_path / "killed" / "journal.sqlite"
        while process.poll() is None and not journal.exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0.3, 1.0) * (1 + attempt))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([*command, str(tmp_path / "killed")], check=True, capture_output=True)
    for name in ("records.jsonl", "dropped.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    card = (tmp_path / "whole" / "card.md").read_text()
    told = card.replace(str(tmp_path / "whole"), str(tmp_path / "killed")).replace("whole", "killed")
    assert (tmp_path / "killed" / "card.md").read_text().replace("whole", "killed") == told
    assert recheck(RunDirectory(tmp_path / "killed").records()).findings == []
