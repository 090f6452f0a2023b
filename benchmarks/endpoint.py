"""Client, journal and engine against a bare aiohttp loop on the same endpoint: CPU, wall, a slow endpoint, faults.

    python -m benchmarks.endpoint [clean] [three] [slow] [faults] [--rows 5000] [--repeats 3]

The endpoint and the bare loops are those of ``shared/bench`` beside the repository (``endpoint.py``,
``peers/raw_aiohttp.py``, ``peers/raw3.py``); the endpoint runs on a free port of this machine. Each side is a process
of its own, so CPU includes start-up. In a pair the two run one after the other; the ratios are of the best of each.

    clean    50 ms latency, 256 in flight
    three    the same, with three dependent calls to a row, of which the second drops half of the rows
    slow     5 s latency, 2,000 in flight, 10,000 rows; the ceiling is in flight / latency
    faults   10% 429 (Retry-After: 1), 5% 500, 2% resets, 2% malformed bodies; compared with a clean run of our own
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT.parent / "shared" / "bench"
WHAT = ("clean", "three", "slow", "faults")
FAULTS = ["--r429", ".1", "--r500", ".05", "--reset", ".02", "--badjson", ".02"]


def main() -> int:
    if sys.argv[1:2] == ["--ours"]:
        return ours(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]), sys.argv[6])
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", default=list(WHAT), metavar="|".join(WHAT))
    arguments.add_argument("--rows", type=int, default=5000)
    arguments.add_argument("--repeats", type=int, default=3)
    options = arguments.parse_args()
    if not BENCH.is_dir():
        print(f"the endpoint and the bare loop are in {BENCH}, which is not here: nothing measured")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.rows)
        for what in options.what:
            getattr(bench, WHAT[WHAT.index(what)])(options.repeats)
    return 0


class Bench:
    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows = folder, rows

    def prompts(self, rows: int) -> Path:
        path = self.folder / f"prompts-{rows}.jsonl"
        topics = ("river", "ledger", "orbit", "village", "lantern", "contract", "violin", "harbour")
        with path.open("w") as file:
            for n in range(rows):
                one, other = topics[n % 8], topics[n // 8 % 8]
                prompt = f"Task {n}: write a short paragraph about a {one} and a {other} for grade {n % 10 + 3}."
                file.write(json.dumps({"id": n, "prompt": prompt}) + "\n")
        return path

    def bare(self, port: int, rows: int, in_flight: int = 256, program: str = "raw_aiohttp.py") -> dict[str, float]:
        environment = {"PORT": str(port), "PROMPTS": str(self.prompts(rows)), "N": str(rows)}
        environment |= {"OUTF": str(self.folder / "bare.jsonl"), "SCRATCH": str(self.folder)}
        peers = BENCH / "peers"
        code = (peers / program).read_text().replace("256", str(in_flight))  # its width is written in it
        return timed([sys.executable, "-c", code], {**environment, "PYTHONPATH": str(peers)})

    def run(self, port: int, rows: int, in_flight: int, work: str = "answer") -> dict[str, Any]:
        out = self.folder / f"run-{time.monotonic_ns()}"
        url = f"http://127.0.0.1:{port}/v1"
        words = ["--ours", str(self.prompts(rows)), str(out), url, str(in_flight), work]
        found: dict[str, Any] = timed([sys.executable, "-m", "benchmarks.endpoint", *words], {})
        found |= json.loads((out / "result.json").read_text())
        return found

    def clean(self, repeats: int) -> None:
        with endpoint(self.folder, "--latency", "0.05") as port:
            pairs = [(self.bare(port, self.rows), self.run(port, self.rows, 256)) for _ in range(repeats)]
        bare = {k: min(b[k] for b, _ in pairs) for k in ("cpu", "wall")}
        mine = {k: min(m[k] for _, m in pairs) for k in ("cpu", "wall")}
        print(f"clean: {self.rows:,} rows, 50 ms, 256 in flight, best of {repeats}; journal on")
        print(f"  bare aiohttp loop  CPU {bare['cpu']:.2f} s  wall {bare['wall']:.2f} s")
        print(f"  cultivar           CPU {mine['cpu']:.2f} s  wall {mine['wall']:.2f} s")
        print(f"  ratios             CPU {mine['cpu'] / bare['cpu']:.2f} (bar 2.0)", end="  ")
        print(f"wall {mine['wall'] / bare['wall']:.2f} (bar 1.6)", flush=True)

    def three(self, repeats: int) -> None:
        with endpoint(self.folder, "--latency", "0.05") as port:
            bare = min(self.bare(port, self.rows, program="raw3.py")["wall"] for _ in range(repeats))
            kept = (self.folder / "bare.jsonl").read_bytes().count(b"\n")
            runs = [self.run(port, self.rows, 256, "three") for _ in range(repeats)]
        mine = min(run["wall"] for run in runs)
        print(f"three: {self.rows:,} rows, three dependent calls, 256 in flight, best of {repeats}; journal on")
        print(f"  rows kept          bare {kept:,}  cultivar {runs[0]['rows']:,}")
        print(f"  bare aiohttp loop  {self.rows / bare:.0f} rows/s  cultivar {self.rows / mine:.0f} rows/s")
        print(f"  ratio              {bare / mine:.0%} (bar 60%)", flush=True)

    def slow(self, repeats: int) -> None:
        rows, in_flight, latency = 10_000, 2000, 5.0
        with endpoint(self.folder, "--latency", str(latency)) as port:
            bare = self.bare(port, rows, in_flight)
            found = self.run(port, rows, in_flight)
        ceiling = in_flight / latency
        rate = rows / found["span"]
        print(f"slow: {rows:,} rows, {latency:g} s, {in_flight:,} in flight")
        print(f"  {rate:.0f} rows/s = {rate / ceiling:.1%} of the ceiling of {ceiling:.0f} (bar 95%)")
        print(f"  bare aiohttp loop  CPU {bare['cpu']:.2f} s  wall {bare['wall']:.1f} s")
        print(f"  cultivar           CPU {found['cpu']:.2f} s  wall {found['wall']:.1f} s", flush=True)

    def faults(self, repeats: int) -> None:
        with endpoint(self.folder, "--latency", "0.05") as port:
            clean = min(self.run(port, self.rows, 256)["wall"] for _ in range(repeats))
        with endpoint(self.folder, "--latency", "0.05", *FAULTS) as port:
            found = self.run(port, self.rows, 256)
            served = stats(port)
        told = Counter({k: served[k] for k in ("r429", "r500", "reset", "badjson")})
        print(f"faults: {self.rows:,} rows, 10% 429, 5% 500, 2% resets, 2% malformed")
        print(f"  rows lost {self.rows - found['rows']} (bar 0); the endpoint made {dict(told)}")
        print(f"  counted here {found['faults']}; all of them: {sum(told.values()) == sum(found['faults'].values())}")
        print(
            f"  wall {found['wall']:.2f} s, {found['wall'] / clean:.2f} times the clean {clean:.2f} s (bar 2.5)",
            flush=True,
        )


def timed(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Wall and CPU seconds of a process."""
    began = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return {"wall": time.monotonic() - began, "cpu": used.ru_utime + used.ru_stime}


@contextmanager
def endpoint(folder: Path, *flags: str) -> Iterator[int]:
    """The port of a fresh endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(BENCH / "endpoint.py"), "--port", str(port), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def stats(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=10) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def ours(prompts: Path, out: Path, url: str, in_flight: int, work: str) -> int:
    """The same work as the bare loop's, with client, scope, journal and engine; runs in a process of its own."""
    import orjson

    from cultivar.core.journal import Journal
    from cultivar.core.scope import Scope
    from cultivar.engines.local import LocalEngine
    from cultivar.llm.client import ChatModel

    async def answer(row: dict[str, Any], scope: Scope) -> dict[str, Any]:
        choice = await scope.ask("answerer", row["prompt"])
        return {"prompt": row["prompt"], "response": choice.text}

    async def three(row: dict[str, Any], scope: Scope) -> dict[str, Any]:
        evolved = (await scope.ask("evolver", f"EVOLVE: {row['prompt']}")).text
        judged = (await scope.ask("judge", f"JUDGE: {evolved}")).text
        if int(hashlib.sha256(judged.encode()).hexdigest(), 16) % 2 == 0:
            scope.drop("judged")
        response = (await scope.ask("answerer", f"ANSWER: {evolved}")).text
        return {"prompt": row["prompt"], "evolved": evolved, "response": response}

    function = {"answer": answer, "three": three}[work]
    out.mkdir(parents=True)
    rows = [orjson.loads(line) for line in prompts.read_bytes().splitlines()]

    async def go() -> tuple[float, list[dict[str, Any]]]:
        with Journal(out / "journal.sqlite") as journal:
            model = ChatModel("fake", url, concurrency=in_flight)
            # Calls in flight are the model's to bound; items that wait for a Retry-After are not in flight.
            engine = LocalEngine(journal, {"*": model}, concurrency=2 * in_flight)
            began = time.monotonic()
            made = await engine.map(function, rows)
            span = time.monotonic() - began
            await engine.close()
        return span, list(made)

    span, made = asyncio.run(go())
    (out / "records.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in made))
    result: dict[str, Any] = {"rows": len({row["prompt"] for row in made}), "span": span}
    import sqlite3

    with sqlite3.connect(out / "journal.sqlite") as journal:
        found = journal.execute("SELECT faults FROM calls WHERE faults != ''").fetchall()
    result["faults"] = Counter(fault for (faults,) in found for fault in faults.split(","))
    (out / "result.json").write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
