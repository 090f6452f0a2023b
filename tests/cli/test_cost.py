"""cost and show --calls, over a journal whose numbers are known."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from cultivar.cli.main import main
from cultivar.core.protocols import Choice, Reply, Usage
from cultivar.core.records import Document, Sample
from cultivar.core.rundir import RunDirectory, RunSettings
from cultivar.core.vectors import packed

ASKED = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Why\x1b[31m?"}, {"type": "image_url", "image_url": {}}]},
    ],
    "sampling": {"temperature": 0.5},
}
ITEM, OTHER = "a" * 16, "b" * 16


def reply(seconds: float, *, cost: float | None = None, faults: tuple[str, ...] = ()) -> Reply:
    choice = Choice("Because.", reasoning="I wonder.", tool_calls=({"function": {"name": "look", "arguments": "{}"}},))
    return Reply((choice,), Usage(100, 10, cost), "m", seconds, 1 + len(faults), faults)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """100 calls of a writer in 1 to 100 s over two rounds, 3 of a judge whose price is known, and 2 proofs."""
    folder = RunDirectory(tmp_path / "run")
    journal = folder.open_for(RunSettings("answer"))

    async def fill() -> None:
        for n in range(100):
            path = f"round/pose-{n}" if n % 2 else "round-2"
            faults = ("429", "timeout") if n == 5 else ()
            key, item = f"w{n}".encode(), ITEM if n == 0 else OTHER
            await journal.put_call(key, item, path, "writer", "small", ASKED, reply(100.0 - n, faults=faults))
        for n in range(3):
            await journal.put_call(f"j{n}".encode(), OTHER, "judge", "judge", "big", ASKED, reply(2.0, cost=0.25))
        for n in range(2):
            await journal.put_effect(f"e{n}".encode(), ITEM, "round", "proof", {}, 1.5)

    asyncio.run(fill())
    journal.close()
    messages = ({"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."})
    between = Document(text="drawn from the row", parents=(ITEM,))
    folder.write_records([between, Sample(messages=messages, parents=(between.id,))])
    return folder.path


def test_cost_by_stage_role_and_model(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    judge, writer = found["calls"]
    assert (judge["stage"], judge["role"], judge["model"], judge["calls"], judge["dollars"]) == (
        *("judge", "judge", "big", 3),
        0.75,
    )
    assert (writer["stage"], writer["calls"], writer["prompt_tokens"], writer["completion_tokens"]) == (
        *("round", 100, 10_000),
        1000,
    )
    assert writer["seconds"] == {"p50": 50.0, "p90": 90.0, "p99": 99.0}
    assert (writer["dollars"], writer["unpriced_calls"], writer["retries"]) == (None, 100, 2)
    assert writer["faults"] == {"429": 1, "timeout": 1}
    assert (found["total"]["calls"], found["total"]["dollars"]) == (103, 0.75)
    assert found["once"] == [{"name": "proof", "times": 2, "cpu_seconds": 3.0}]


def test_cost_for_a_reader(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", str(run)]) == 0
    told = capsys.readouterr().out
    assert "round" in told
    assert "p99 s" in told
    assert "faults: 1 429, 1 timeout" in told
    assert "the price of 100 of 103 calls is not known" in told


def test_cost_of_a_run_that_asked_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RunDirectory(tmp_path / "run").open_for(RunSettings("agentgen")).close()
    assert main(["cost", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out == "no model was asked\n"
    assert main(["cost", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["seconds"] == {"p50": None, "p90": None, "p99": None}
    assert main(["cost", str(tmp_path / "none")]) == 1


def test_calls_are_readable_and_obey_no_control_characters(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run), ITEM[:6], "--calls"]) == 0
    told = capsys.readouterr().out
    assert told == (
        f"=== 1 · writer · small · 100.00 s · 100 + 10 tokens\n    item {ITEM} · round-2\n    temperature 0.5\n\n"
        "[system]\nBe brief.\n\n[user]\nWhy\ufffd[31m?\n(image_url, 38 characters)\n\n"
        "[reply]\n(I wonder.)\n\nBecause.\n-> look({})\n\n"
    )


def test_an_embedding_is_told_by_its_length_not_in_base64(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunDirectory(tmp_path / "run")
    journal = folder.open_for(RunSettings("answer"))
    asked = {"messages": [], "input": "Why?"}

    async def fill() -> None:
        for at, text in enumerate((packed([0.5, -0.25, 0.0, 1.0]), "no vector")):
            embedded = Reply((Choice(text),), Usage(1, 0), "m")
            await journal.put_call(f"k{at}".encode(), ITEM, "embed", "embedder", "words:4", asked, embedded)

    asyncio.run(fill())
    journal.close()
    assert main(["show", str(tmp_path / "run"), "--calls"]) == 0
    told = capsys.readouterr().out
    assert "[to be embedded]\nWhy?\n\n[reply]\n4 numbers: 0.5, -0.25, 0, ...\n" in told
    assert "[reply]\nno vector\n" in told


@pytest.mark.parametrize("named", ["1", "record"])
def test_the_calls_behind_a_record(named: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record stands for the items that it was made from, at any remove."""
    if named == "record":
        named = json.loads((run / "records.jsonl").read_text().splitlines()[1])["id"]
    assert main(["show", str(run), named, "--calls", "--json"]) == 0
    assert [call["item"] for call in json.loads(capsys.readouterr().out)] == [ITEM]


def test_all_calls_are_one_array(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run), "--calls", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 103
    assert (found[0]["usage"], found[0]["seconds"]) == ({"prompt_tokens": 100, "completion_tokens": 10}, 100.0)


def test_an_item_that_is_none(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run), "7", "--calls"]) == 1
    assert "a number from 1 to 1" in capsys.readouterr().err


def test_a_sample_is_shown_as_a_conversation(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run), "1"]) == 0
    told = capsys.readouterr().out
    assert "[user]\nWhy?\n\n[assistant]\nBecause.\n" in told
