"""Many items in one run: peak memory, a constant rate, and the replay of a finished run.

    python -m benchmarks.items [--items 200000] [--rows 5000]

Runs the recipe ``answer`` over a source that is never in memory, with a model in the same process that answers at once
with about 200 tokens, journal on, records and drops written; every hundredth item is dropped. Bars: peak memory at most
300 MB; the CPU time of the last tenth of the items within 15% of that of the first (CPU, and over that of a loop of
additions that runs in between, so that a busy machine does not count); a replay of a finished run of ``--rows`` takes
at most 3 s and asks nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cultivar.core.journal import Journal
from cultivar.core.protocols import Choice, Reply, Request, Usage
from cultivar.core.records import Instruction
from cultivar.core.rundir import RunDirectory
from cultivar.engines.local import LocalEngine, NoProgress
from cultivar.recipes import answer

WORDS = ("quantum", "river", "ledger", "copper", "orbit", "village", "protein", "lantern", "contract", "violin")
POOL = 256


class Words:
    """Answers with 190 words that follow from the prompt; every hundredth prompt with nothing."""

    name = "words"

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, request: Request) -> Reply:
        self.calls += 1
        prompt = str(request.messages[-1]["content"])
        await asyncio.sleep(0)
        text = "" if prompt.endswith("00") else " ".join(random.Random(prompt).choices(WORDS, k=190))
        return Reply((Choice(text),), Usage(40, 200), self.name)

    async def close(self) -> None:
        return None


class Tenths(NoProgress):
    """CPU seconds of every tenth of the items, and of the loop of additions that runs 50 times in each."""

    def __init__(self, items: int) -> None:
        self.tenth, self.ended = max(50, items // 10), 0
        self.cpu: list[float] = []
        self.loop: list[float] = [0.0]
        self._began = time.process_time()

    def item_ended(self, stage: str, status: str, reason: str, kinds: Mapping[str, int]) -> None:
        self.ended += 1
        if self.ended % (self.tenth // 50) == 0:
            began = time.thread_time()
            for number in range(20_000):
                number += number
            self.loop[-1] += time.thread_time() - began
        if self.ended % self.tenth == 0:
            now = time.process_time()
            self.cpu.append(now - self._began - self.loop[-1])
            self._began = now
            self.loop.append(0.0)


def prompts(items: int) -> Iterator[Instruction]:
    for number in range(items):
        yield Instruction(prompt=f"Write a paragraph about a river for grade {number % 9}; mention number {number}")


async def run(folder: Path, items: int) -> dict[str, Any]:
    """One run; what it took, with the CPU seconds of each tenth."""
    model, tenths, directory = Words(), Tenths(items), RunDirectory(folder)
    began = time.monotonic()
    with Journal(folder / "journal.sqlite") as journal:
        engine = LocalEngine(journal, {"*": model}, concurrency=POOL, progress=tenths)
        made = await answer.run(engine, prompts(items))
        directory.write_records(made.records)
        directory.write("dropped.jsonl", (json.dumps(row).encode() + b"\n" for row in engine.dropped))
        await engine.close()
    return {
        "calls": model.calls,
        "records": len(made.records),
        "dropped": len(engine.dropped),
        "seconds": time.monotonic() - began,
        "cpu": tenths.cpu,
        "loop": tenths.loop,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def apart(folder: Path, items: int) -> tuple[dict[str, Any], float, float]:
    """``run`` in a process of its own; wall seconds of that process, and its CPU seconds without the loop."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "benchmarks.items", "--folder", str(folder), "--items", str(items)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found, wall, cpu - sum(found["loop"])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--items", type=int, default=200_000)
    arguments.add_argument("--rows", type=int, default=5_000)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.folder is not None:
        print(json.dumps(asyncio.run(run(options.folder, options.items))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder) / "many", Path(folder) / "few"
        many.mkdir()
        few.mkdir()
        found, _, _ = apart(many, options.items)
        journal = (many / "journal.sqlite").stat().st_size / 2**20
        over = [cpu / loop for cpu, loop in zip(found["cpu"], found["loop"], strict=False)]
        ratio = over[-1] / over[0]
        print(f"{found['records']:,} records and {found['dropped']:,} drops of {options.items:,} items")
        print(f"peak memory: {found['peak_mb']:.0f} MB (bar: 300); the journal: {journal:.0f} MB")
        print(f"CPU of the last tenth over the first: {ratio:.2f} (bar: 0.85 to 1.15)")
        print("CPU over that of the loop, by tenths: " + " ".join(f"{value:.1f}" for value in over))
        print("CPU us an item, by tenths: " + " ".join(f"{c / options.items * 1e7:.0f}" for c in found["cpu"]))
        apart(few, options.rows)
        before = (few / "records.jsonl").read_bytes()
        again, wall, cpu = apart(few, options.rows)
        same = before == (few / "records.jsonl").read_bytes()
        print(
            f"replay of {options.rows:,} rows: {wall:.2f} s wall with start-up (bar: 3), {cpu:.2f} s CPU, "
            f"{again['calls']} calls (bar: 0), records {'identical' if same else 'DIFFERENT'}"
        )
    good = found["peak_mb"] <= 300 and 0.85 <= ratio <= 1.15 and wall <= 3 and again["calls"] == 0 and same
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
