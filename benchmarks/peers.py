"""Other frameworks beside ours: the same rows over the same endpoint, one after the other.

    python -m benchmarks.peers --peer raw_openai=VENV/bin/python --peer p_distilabel=OTHER/bin/python [--rows 1000]

A peer is a script of ``shared/bench/peers`` beside the repository (without its ``.py``), and the interpreter of a
virtual environment in which that framework is installed. Scripts whose names begin with ``m_`` make three dependent
calls to a row. Every one of them, the bare aiohttp loop and ours get the same prompts, 50 ms of latency and 256 in
flight, each in a process of its own, start-up included; with ``--faults`` the endpoint answers 10% with 429, 5% with
500, 2% with resets and 2% with malformed bodies, and the bare loop, which has no retries, is left out. Printed are CPU
and wall, also as multiples of the bare loop's (with faults: of ours), the rows that came back right, and the requests
that it took. A peer that fails, or takes longer than ``--timeout`` seconds, is reported as such.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.endpoint import BENCH, FAULTS, Bench, endpoint, stats

LATENCY = ("--latency", "0.05")
Text = Callable[[str], str]


@dataclass(frozen=True)
class Taken:
    """What one side took; ``right`` rows came back as the endpoint said them."""

    name: str
    cpu: float
    wall: float
    right: int
    requests: int
    end: str = ""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--peer", action="append", default=[], metavar="SCRIPT=PYTHON")
    arguments.add_argument("--rows", type=int, default=1000)
    arguments.add_argument("--faults", action="store_true")
    arguments.add_argument("--timeout", type=float, default=300.0)
    options = arguments.parse_args()
    if not BENCH.is_dir():
        print(f"the endpoint and the peers' scripts are in {BENCH}, which is not here: nothing measured")
        return 1
    peers = [tuple(peer.partition("=")[::2]) for peer in options.peer]
    with tempfile.TemporaryDirectory() as folder:
        side = Side(Path(folder), options.rows, options.faults, options.timeout)
        for work in ("answer", "three"):
            chosen = [(name, python) for name, python in peers if name.startswith("m_") == (work == "three")]
            if chosen or (work == "answer" and not peers):
                side.compare(work, chosen)
    return 0


class Side:
    """All sides of one comparison, against one endpoint."""

    def __init__(self, folder: Path, rows: int, faults: bool, timeout: float) -> None:
        self.folder, self.rows, self.faults, self.timeout = folder, rows, faults, timeout
        self.bench = Bench(folder, rows)
        self.text = endpoint_text()

    def compare(self, work: str, peers: list[tuple[str, str]]) -> None:
        calls = "one call" if work == "answer" else "three dependent calls"
        print(f"{self.rows:,} rows, {calls} each, 50 ms, 256 in flight" + (", with faults" if self.faults else ""))
        with endpoint(self.folder, *LATENCY, *(FAULTS if self.faults else ())) as port:
            found = [] if self.faults else [self.one("bare aiohttp loop", port, partial(self.bare, port, work))]
            found.append(self.one("cultivar", port, partial(self.ours, port, work)))
            for name, python in peers:
                found.append(self.one(name, port, partial(self.peer, port, name, python)))
        first = found[0]
        print(f"{'':20}{'CPU s':>8}{'x':>7}{'wall s':>9}{'x':>7}{'right':>8}{'requests':>10}")
        for side in found:
            ratios = side.cpu / first.cpu, side.wall / first.wall
            print(f"{side.name:20}{side.cpu:8.2f}{ratios[0]:7.1f}{side.wall:9.2f}{ratios[1]:7.1f}", end="")
            print(f"{side.right:8,}{side.requests:10,}  {side.end}".rstrip(), flush=True)

    def one(self, name: str, port: int, run: Callable[[], tuple[dict[str, Any], Path]]) -> Taken:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/reset", timeout=10).close()  # faults begin anew
        took, out = run()
        requests = int(stats(port)["received"])
        return Taken(name, took["cpu"], took["wall"], self.right(out), requests, took.get("end", ""))

    def bare(self, port: int, work: str) -> tuple[dict[str, Any], Path]:
        program = "raw_aiohttp.py" if work == "answer" else "raw3.py"
        return dict(self.bench.bare(port, self.rows, program=program)), self.folder / "bare.jsonl"

    def ours(self, port: int, work: str) -> tuple[dict[str, Any], Path]:
        found = self.bench.run(port, self.rows, 256, work)
        return found, Path(found["out"]) / "records.jsonl"

    def peer(self, port: int, name: str, python: str) -> tuple[dict[str, Any], Path]:
        """Its process and everything that it starts are in a session of their own, and end with it."""
        home = self.folder / f"{name}-{time.monotonic_ns()}"
        home.mkdir()
        out = home / "out.jsonl"
        environment = {**os.environ, "PORT": str(port), "N": str(self.rows), "OUTF": str(out), "SCRATCH": str(home)}
        environment |= {"PROMPTS": str(self.bench.prompts(self.rows))}
        began = time.monotonic()
        with (home / "log").open("wb") as log:
            command = [python, str(BENCH / "peers" / f"{name}.py")]
            process = subprocess.Popen(
                command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True
            )
            clock = threading.Timer(self.timeout, os.killpg, (process.pid, signal.SIGKILL))
            clock.start()
            _, status, used = os.wait4(process.pid, 0)
            clock.cancel()
        wall, code = time.monotonic() - began, os.waitstatus_to_exitcode(status)
        process.returncode = code
        said = (home / "log").read_text(errors="replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), "")[:100]
        end = (
            ""
            if code == 0
            else f"killed after {wall:.0f} s"
            if code == -signal.SIGKILL
            else f"exit code {code}: {last}"
        )
        return {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "end": end}, out

    def right(self, path: Path) -> int:
        """Rows, each prompt counted once, whose texts are what the endpoint answers."""
        prompts = set()
        for line in path.read_text().splitlines() if path.exists() else ():
            row = json.loads(line)
            asked = row["prompt"]
            if "evolved" in row:
                if row["evolved"] != self.text(f"EVOLVE: {row['prompt']}"):
                    continue
                asked = f"ANSWER: {row['evolved']}"
            if row.get("response") == self.text(asked):
                prompts.add(row["prompt"])
        return len(prompts)


def endpoint_text() -> Text:
    """What the endpoint answers to a prompt, by its own function."""
    spec = importlib.util.spec_from_file_location("bench_endpoint", BENCH / "endpoint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda prompt: str(module.text_for(hashlib.sha256(prompt.encode()).digest()))


if __name__ == "__main__":
    sys.exit(main())
