"""Client, journal and engine against a bare aiohttp loop on the same endpoint: CPU, wall, a slow endpoint, faults.

    python -m benchmarks.endpoint [clean] [three] [slow] [faults] [--rows 5000] [--repeats 3]

The endpoint and the bare loops are those of ``shared/bench`` beside the repository (``endpoint.py``,
``peers/raw_aiohttp.py``, ``peers/raw3.py``); the endpoint runs on a free port of this machine. Each side is a process
of its own, so CPU includes start-up. In a pair the two run one after the other; the ratios are of the best of each.

    clean    50 ms latency, 256 in flight
    three    the same, with three dependent calls to a row, of which the second drops half of the rows
    slow     5 s latency, 2,000 in flight, 10,000 rows; the ceiling is in flight / latency. Beside it the least client
             (_least_client.py), which shows what the endpoint itself takes, and the bare loop; and the CPU that is used
             while nothing arrives
    faults   10% 429 (Retry-After: 1), 5% 500, 2% resets, 2% malformed bodies; compared with a clean run of our own.
             The endpoint draws the faults of a prompt's n-th attempt by prompt, n and seed, so that the least wall of a
             client that obeys Retry-After can be told: rows begun at the pace of the clean run, each tried again at
             once, or exactly when it may be. Several seeds of the endpoint, each with its least wall
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
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
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
        found |= json.loads((out / "result.json").read_text()) | {"out": str(out)}
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
        ideal = rows / in_flight * latency
        with endpoint(self.folder, "--latency", str(latency)) as port:
            command = [sys.executable, str(ROOT / "benchmarks" / "_least_client.py"), str(port)]
            least = float(subprocess.check_output([*command, str(rows), str(in_flight)]))
            bare = self.bare(port, rows, in_flight)
            found = self.run(port, rows, in_flight)
        print(f"slow: {rows:,} rows, {latency:g} s, {in_flight:,} in flight; the ideal is {ideal:g} s")
        for name, wall, more in (
            ("least client", least, "from the first connection on"),
            ("bare aiohttp loop", bare["wall"], f"with start-up; CPU {bare['cpu']:.2f} s"),
            ("cultivar", found["wall"], f"with start-up; CPU {found['cpu']:.2f} s"),
            ("  without start-up", found["span"], "(bar 95%)"),
        ):
            print(f"  {name:<20}{wall:.2f} s, {ideal / wall:.1%} of the ceiling  {more}")
        print(f"  cultivar / bare loop  {found['wall'] / bare['wall']:.3f}")
        quiet, used = found["quiet"]
        print(f"  CPU while nothing arrived: {used:.2f} s in {quiet:.1f} s, {used / max(quiet, 0.1):.1%}", flush=True)

    def faults(self, repeats: int, seeds: int = 4) -> None:
        with endpoint(self.folder, "--latency", "0.05") as port:
            clean = min((self.run(port, self.rows, 256) for _ in range(repeats)), key=lambda run: float(run["wall"]))
        print(f"faults: {self.rows:,} rows, 10% 429, 5% 500, 2% resets, 2% malformed; clean {clean['wall']:.2f} s")
        prompts = [json.loads(line)["prompt"] for line in self.prompts(self.rows).open()]
        for seed in range(seeds):
            with endpoint(self.folder, "--latency", "0.05", *FAULTS, "--seed", str(seed)) as port:
                found = self.run(port, self.rows, 256)
                served = stats(port)
            least, chain = least_wall(prompts, seed, clean["wall"], clean["span"])
            made = {kind: served[f"r{kind}"] for kind in ("429", "500")}
            made |= {"reset": served["reset"], "malformed": served["badjson"]}
            print(f"  seed {seed}: lost {self.rows - found['rows']} (bar 0); counted", end=" ")
            print(f"{found['faults']}, {'as' if found['faults'] == made else 'NOT as'} the endpoint made them")
            wall = found["wall"]
            print(f"    wall {wall:.2f} s, {wall / clean['wall']:.2f} times clean (bar 2.5)", end="; ")
            print(
                f"obeying Retry-After takes at least {least:.2f} s, {least / clean['wall']:.2f} times clean", end="; "
            )
            print(f"wall / least {wall / least:.2f}; the row that ends last: {', '.join(chain)}", flush=True)


def least_wall(prompts: list[str], seed: int, wall: float, span: float) -> tuple[float, list[str]]:
    """Of a run with faults, by the wall and span of one without: the seconds, and the faults of the row that ends last.

    Row i begins when it did without faults, though more is asked now; it waits for nothing but Retry-After.
    """
    latency, kinds = (
        0.05,
        (("429", 0.1, 0.01 + 1), ("500", 0.05, 0.01), ("reset", 0.02, 0.025), ("malformed", 0.02, 0.05)),
    )
    last: tuple[float, list[str]] = (0.0, [])
    for row, prompt in enumerate(prompts):
        digest, met, seconds = hashlib.sha256(prompt.encode()).digest(), list[str](), latency
        while True:
            drawn = hashlib.sha256(digest + b"%d/%d" % (len(met), seed)).digest()
            share = int.from_bytes(drawn[:7], "big") / (1 << 56)
            for kind, likely, takes in kinds:
                if share < likely:
                    met.append(kind)
                    seconds += takes
                    break
                share -= likely
            else:
                break
        last = max(last, (row / len(prompts) * (span - latency) + seconds, met))
    return wall - span + last[0], last[1]


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
    from cultivar.engines.local import LocalEngine, NoProgress
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

    class Watch(NoProgress):
        """Samples the CPU clock ten times a second."""

        def __init__(self) -> None:
            self.calls = 0
            self.samples: list[tuple[float, float, int]] = []
            self.over = threading.Event()
            self.thread = threading.Thread(target=self.look)
            self.thread.start()

        def call_began(self, role: str) -> None:
            self.calls += 1

        def call_ended(self, role: str, reply: Any) -> None:
            self.calls += 1

        def look(self) -> None:
            while not self.over.wait(0.1):
                self.samples.append((time.monotonic(), time.process_time(), self.calls))

        def quiet(self) -> tuple[float, float]:
            """(seconds in which no call began or ended, nor shortly before and after; CPU seconds in them)."""
            self.over.set()
            self.thread.join()
            same = [a[2] == b[2] for a, b in pairwise(self.samples)]
            still = [n for n in range(1, len(same) - 1) if all(same[n - 1 : n + 2])]
            pairs = [(self.samples[n], self.samples[n + 1]) for n in still]
            return sum(b[0] - a[0] for a, b in pairs), sum(b[1] - a[1] for a, b in pairs)

    function = {"answer": answer, "three": three}[work]
    out.mkdir(parents=True)
    rows = [orjson.loads(line) for line in prompts.read_bytes().splitlines()]

    async def go() -> tuple[float, list[dict[str, Any]], tuple[float, float]]:
        with Journal(out / "journal.sqlite") as journal:
            model = ChatModel("fake", url, concurrency=in_flight)
            # Calls in flight are the model's to bound; items that wait for a Retry-After are not in flight.
            watch = Watch()
            engine = LocalEngine(journal, {"*": model}, concurrency=2 * in_flight, progress=watch)
            began = time.monotonic()
            made = await engine.map(function, rows)
            span = time.monotonic() - began
            await engine.close()
        return span, list(made), watch.quiet()

    span, made, quiet = asyncio.run(go())
    (out / "records.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in made))
    result: dict[str, Any] = {"rows": len({row["prompt"] for row in made}), "span": span, "quiet": quiet}
    import sqlite3

    with sqlite3.connect(out / "journal.sqlite") as journal:
        found = journal.execute("SELECT faults FROM calls WHERE faults != ''").fetchall()
    result["faults"] = Counter(fault for (faults,) in found for fault in faults.split(","))
    (out / "result.json").write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
