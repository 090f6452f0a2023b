"""Whole runs over batches: the same records as a live endpoint's, and nothing submitted twice after a SIGKILL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from cultivar.core.journal import Journal
from cultivar.core.protocols import Model
from cultivar.core.records import Instruction, Sample
from cultivar.core.scope import Scope
from cultivar.engines.local import LocalEngine
from cultivar.llm.batch import BatchModel
from cultivar.llm.batch_folder import Folder
from cultivar.llm.batch_provider import ProviderCarrier
from cultivar.llm.client import ChatModel
from tests.llm.fake_batch_server import KEY, FakeBatchServer

ROOT = Path(__file__).resolve().parents[2]


async def chain(seed: Instruction, scope: Scope) -> Sample:
    """Three calls, each needing the one before; the first is the same for two items."""
    first = await scope.ask("author", f"topic {seed.prompt[:-1]}", temperature=1.0)
    second = await scope.ask("author", f"{seed.prompt}: {first.text}")
    third = await scope.ask("judge", f"judge {second.text}", n=2)
    return Sample(messages=tuple({"role": "user", "content": c.text} for c in (first, second, *third)))


def seeds(count: int) -> list[Instruction]:
    return [Instruction(prompt=f"seed {number // 2} {'ab'[number % 2]}") for number in range(count)]


def opened(folder: Path) -> Journal:
    folder.mkdir(exist_ok=True)
    return Journal(folder / "journal.sqlite")


async def records(model: Model, folder: Path, count: int) -> bytes:
    """records.jsonl of the chain over a model."""
    with opened(folder) as journal:
        engine = LocalEngine(journal, {"*": model}, concurrency=count)
        try:
            made: Sequence[Sample] = await engine.map(chain, seeds(count))
            return b"".join(orjson.dumps(r.to_json()) + b"\n" for r in made)
        finally:
            await engine.close()


def batch_model(url: str, folder: Path) -> BatchModel:
    carrier = ProviderCarrier("m", url, poll=0.01, longest_poll=0.05, backoff=0.01)
    return BatchModel(carrier, Folder(folder / "batches"), quiet=0.25, pause=0.01)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBatchServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    started = await FakeBatchServer().start()
    yield started
    await started.stop()


async def test_the_records_are_those_of_the_live_endpoint(server: FakeBatchServer, tmp_path: Path) -> None:
    live = await records(ChatModel("m", server.url), tmp_path / "live", 200)
    assert server.live_calls == 600
    batched = await records(batch_model(server.url, tmp_path / "batched"), tmp_path / "batched", 200)
    assert batched == live
    assert live.count(b"\n") == 200
    assert [len(server.rows(b)) for b in server.batches.values()] == [200, 200, 200]
    assert server.live_calls == 600


async def test_the_records_are_the_same_through_every_misfortune(server: FakeBatchServer, tmp_path: Path) -> None:
    live = await records(ChatModel("m", server.url), tmp_path / "live", 60)
    server.noise = True
    server.fates = ["expired", "completed", "failed", "completed", "lost", "cancelled"]
    server.row_faults.update({("seed 3 a", 500): 2, ("seed 7 b", 429): 1, ("judge", 503): 5})
    server.http = {
        ("POST", "files"): [503, "reset", 429],
        ("POST", "batches"): ["lost", 429, 500],
        ("GET", "batches"): [500, "reset", "half", 429],
        ("GET", "files"): ["reset", 502],
    }
    batched = await records(batch_model(server.url, tmp_path / "batched"), tmp_path / "batched", 60)
    assert batched.splitlines() == live.splitlines()
    assert len(server.paid) == 180
    assert set(server.paid.values()) == {1}


@pytest.mark.parametrize(("moment", "wave"), [("held", 1), ("created", 2), ("uploaded", 3), ("held", 3)])
async def test_killed_and_started_again_nothing_is_submitted_twice(
    server: FakeBatchServer, tmp_path: Path, moment: str, wave: int
) -> None:
    """Killed while a wave is at the provider, between its creation and the note of it, or before that."""
    live = await records(ChatModel("m", server.url), tmp_path / "live", 20)
    process = await _start(server.url, tmp_path / "out")
    if moment == "created":
        server.after_create = lambda count: process.kill() if count == wave else None
    elif moment == "uploaded":  # two files to a wave: requests and output
        server.after_upload = lambda count: process.kill() if count == 2 * wave - 1 else None
    else:
        server.after_create = lambda count: setattr(server, "hold", count == wave)
        for _ in range(1000):
            await asyncio.sleep(0.02)
            if server.hold and any(b["looks"] > 2 for b in list(server.batches.values())[wave - 1 :]):
                break
        process.kill()
    await process.wait()
    server.after_create = server.after_upload = None
    server.hold = False
    assert sum(server.paid.values()) < 60
    again = await _start(server.url, tmp_path / "out")
    out, _ = await again.communicate()
    assert again.returncode == 0
    assert out == live
    assert [len(server.rows(b)) for b in server.batches.values()] == [20, 20, 20]
    assert set(server.paid.values()) == {1}


async def _start(url: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.llm.test_batch_runs", url, str(folder)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )


if __name__ == "__main__":
    where = Path(sys.argv[2])
    sys.stdout.buffer.write(asyncio.run(records(batch_model(sys.argv[1], where), where, 20)))
