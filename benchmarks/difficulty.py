"""The curve of difficulty with Bi-Evol beside stage 1 alone, at equal counts of tasks.

    python -m benchmarks.difficulty [--environments 30] [--tasks 18] [--seeds 3]

Prints, for each seed: the share of tasks in each bucket of best plan length, and the entropy of the curve in bits
(2.58 is flat). The bar: with Bi-Evol every bucket holds at least 5 % of the tasks.
"""

from __future__ import annotations

import argparse
import sys

from cultivar.core.records import Task
from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES
from cultivar.environments.pddl.evolution.curve import curve, entropy
from cultivar.recipes.agentgen import Config, run
from cultivar.sources.text import read_corpus
from cultivar.testing import try_recipe


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--environments", type=int, default=30)
    arguments.add_argument("--tasks", type=int, default=18)
    arguments.add_argument("--seeds", type=int, default=3)
    options = arguments.parse_args()
    least = 100.0
    print(f"{'':24}{'tasks':>7}" + "".join(f"{name:>8}" for name in BUCKET_NAMES) + f"{'entropy':>9}")
    for seed in range(options.seeds):
        for evolve in (False, True):
            config = Config(
                environments=options.environments, tasks=options.tasks, evolve=evolve, proposer="procedural"
            )
            made, _ = try_recipe(run, read_corpus(None), config, seed=seed)
            lengths = [r.meta["difficulty"]["plan_length"] for r in made.records if isinstance(r, Task)]
            counts = curve(lengths)
            shares = [100 * counts[name] / max(1, len(lengths)) for name in BUCKET_NAMES]
            if evolve:
                least = min(least, *shares)
            label = f"seed {seed}, {'with Bi-Evol' if evolve else 'stage 1 alone'}"
            cells = "".join(f"{share:7.1f}%" for share in shares)
            print(f"{label:24}{len(lengths):7,}{cells}{entropy(counts):9.2f}", flush=True)
    print(f"emptiest bucket with Bi-Evol: {least:.1f} % (bar: 5 %)")
    return 0 if least >= 5 else 1


if __name__ == "__main__":
    sys.exit(main())
