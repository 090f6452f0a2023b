"""SIGKILL at random moments and a restart: calls wasted, rows lost, output compared byte by byte.

    python -m benchmarks.kills [--kills 20] [--rows 4000] [--latency 0.05] [--pool 256] [--seed 0]

Runs ``cultivar run answer`` against an endpoint on loopback that counts what it is asked. The run is killed each time
the endpoint has answered a random number of prompts, started again with the same command, and at last left to end; then
its files are compared with those of a run that nobody killed. A call is in flight until its reply is in the journal, so
that of each kill there are as many as the endpoint was asked and the journal has not. Bars: at no kill more than the
pool; calls that were made again at most those in flight (what was journalled is never asked again); no row lost,
doubled or changed, and the output byte for byte the same.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from cultivar.core.journal import Journal

FILES = ("records.jsonl", "dropped.jsonl")


class Endpoint:
    """Answers chat completions after ``latency`` seconds with words that follow from the prompt, on a thread."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.asked: Counter[str] = Counter()
        self.answered = self.in_flight = 0
        self.url = ""
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        threading.Thread(target=self._serve, daemon=True).start()
        self._ready.wait()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._loop.run_forever()

    async def _open(self) -> None:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._answer)
        runner = web.AppRunner(application, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._ready.set()

    async def _answer(self, request: web.Request) -> web.Response:
        prompt = (await request.json())["messages"][-1]["content"]
        self.asked[prompt] += 1
        self.in_flight += 1
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.in_flight -= 1
        self.answered += 1
        text = hashlib.sha256(prompt.encode()).hexdigest() * 4
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return web.json_response({"model": "fake", "choices": [choice], "usage": {"prompt_tokens": 9}})

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


@dataclass(frozen=True)
class Result:
    """``wasted`` calls were made more than once; ``in_flight`` were under way at each kill, ``answered`` of them were
    answered by the endpoint when the kill came, before the run could look at the reply."""

    calls: int
    wasted: int
    in_flight: list[int]
    answered: int
    identical: bool

    @property
    def good(self) -> bool:
        return self.identical and self.wasted <= sum(self.in_flight)


def kill_and_restart(folder: Path, *, kills: int, rows: int, latency: float, pool: int, seed: int = 0) -> Result:
    """``rows`` prompts, killed ``kills`` times."""
    endpoint, rng = Endpoint(latency), random.Random(seed)
    prompts = [f"prompt {number}" for number in range(rows)]
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts), "utf-8")
    command = [sys.executable, "-m", "cultivar.cli", "run", "answer", "--input", str(source), "--quiet", "--model"]
    command += [f"openai:fake@{endpoint.url}", "--concurrency", str(pool), "--out"]
    in_flight: list[int] = []
    waiting = 0
    try:
        for target in sorted(rng.sample(range(1, max(kills + 1, rows - pool)), kills)):
            process = subprocess.Popen([*command, str(folder / "killed")], stdout=subprocess.DEVNULL)
            while len(endpoint.asked) < target and process.poll() is None:
                threading.Event().wait(0.001)
            threading.Event().wait(rng.uniform(0, latency))
            process.kill()
            waiting += endpoint.in_flight
            process.wait()
            while endpoint.in_flight:  # the endpoint notices, or ends in vain
                threading.Event().wait(0.001)
            in_flight.append(sum(endpoint.asked.values()) - journalled(folder / "killed") - sum(in_flight))
        subprocess.run([*command, str(folder / "killed")], check=True, stdout=subprocess.DEVNULL)
        asked = endpoint.asked
        endpoint.asked = Counter()
        subprocess.run([*command, str(folder / "whole")], check=True, stdout=subprocess.DEVNULL)
    finally:
        endpoint.close()
    same = all((folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes() for name in FILES)
    calls = sum(asked.values())
    answered = sum(in_flight) - waiting
    return Result(calls, calls - len(asked), in_flight, answered, same and set(asked) == set(prompts))


def journalled(run: Path) -> int:
    path = run / "journal.sqlite"
    if not path.exists():
        return 0
    with Journal(path, read_only=True) as journal:
        return journal.counts()["calls"]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--rows", type=int, default=4_000)
    arguments.add_argument("--latency", type=float, default=0.05)
    arguments.add_argument("--pool", type=int, default=256)
    arguments.add_argument("--seed", type=int, default=0)
    options = vars(arguments.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_restart(Path(folder), **options)
    pool, flying = options["pool"], found.in_flight
    print(f"{len(flying)} kills of a run of {options['rows']:,} rows, with at most {pool} calls in flight")
    print(f"in flight at a kill: {sum(flying) / len(flying):.0f} in the mean, {max(flying)} at most (bar: {pool})")
    print(
        f"calls made again: {found.wasted:,} of {sum(flying):,} in flight (bar: at most these); {found.answered:,} of"
    )
    print("these lay answered on the way to the run, unread")
    print(f"records and drops: {'identical' if found.identical else 'DIFFERENT'}")
    return 0 if found.good and max(flying) <= pool else 1


if __name__ == "__main__":
    sys.exit(main())
