"""A run killed with SIGKILL at random moments and restarted ends with byte-identical records.

    python -m benchmarks.replay [--kills 5] [--environments 12] [--tasks 10] [--seed 0]

Each round starts a fresh run directory, kills the run at as many random moments as ``--kills`` says (spread over the
time that the whole run takes), finishes it, and compares records.jsonl and dropped.jsonl with those of a run that was
left alone. It also says how many results were in the journal at each kill and how many of them were made again (none).
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cultivar.core.journal import Journal


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=5)
    arguments.add_argument("--environments", type=int, default=12)
    arguments.add_argument("--tasks", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    words = ["agentgen", "--environments", str(options.environments), "--tasks", str(options.tasks), "--quiet"]
    command = [sys.executable, "-m", "cultivar.cli", "run", *words, "--out"]
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        began = time.monotonic()
        subprocess.run([*command, str(whole)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        print(f"the whole run: {seconds:.1f} s, {results(whole):,} results in the journal")
        for kill in range(1, options.kills + 1):
            process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.4, max(1.0, seconds / options.kills)))
            alive = process.poll() is None
            if alive:
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            print(f"kill {kill}: {'killed' if alive else 'had ended'} with {results(killed):,} results in the journal")
        subprocess.run([*command, str(killed)], check=True, stdout=subprocess.DEVNULL)
        same = True
        for name in ("records.jsonl", "dropped.jsonl"):
            one, other = (whole / name).read_bytes(), (killed / name).read_bytes()
            same &= one == other
            print(f"{name}: {len(one):,} bytes, {'identical' if one == other else 'DIFFERENT'}")
        print(f"results after the end: {results(killed):,} (the same number: nothing was made twice)")
    return 0 if same else 1


def results(run: Path) -> int:
    """Calls and effects in a run's journal."""
    path = run / "journal.sqlite"
    if not path.exists():
        return 0
    with Journal(path, read_only=True) as journal:
        return sum(journal.counts().values())


if __name__ == "__main__":
    sys.exit(main())
