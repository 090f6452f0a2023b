"""What the sandbox for model-written code costs: over a plain subprocess of the interpreter, and on 80 real problems.

    python -m benchmarks.sandbox [--rounds N] [--problems FILE.jsonl]

Every round starts, one after the other: ``python -I -S -c pass`` (the reference), an empty program in the sandbox, one
test, and eight tests of one problem. The overhead is the median of the differences to the reference of the same round.
FILE holds problems in HumanEval's form (``prompt``, ``canonical_solution``, ``test``, ``entry_point``): each canonical
solution must pass, and each with a broken body fail. Exit code 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cultivar.verify.code import require, run_program, run_tests
from cultivar.verify.code.bubblewrap import interpreter

MAX_OVERHEAD, MAX_PROBLEMS = 0.040, 30.0
SQUARE = "def square(x):\n    return x * x\n"


def plain() -> None:
    subprocess.run([interpreter(), "-I", "-S", "-c", "pass"], check=True, stdin=subprocess.DEVNULL)


def empty() -> None:
    assert run_program("pass").verdict == "passed"


def tests(count: int) -> None:
    assert run_tests(SQUARE, [f"assert square({n}) == {n * n}" for n in range(count)]).passed == count


def overhead(rounds: int) -> bool:
    """Prints the table; whether the bar is held."""
    what: dict[str, Callable[[], None]] = {
        "python -I -S -c pass": plain,
        "an empty program": empty,
        "one test": lambda: tests(1),
        "eight tests": lambda: tests(8),
    }
    taken: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(rounds + 1):  # the first warms the disk's cache
        for name, run in what.items():
            began = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - began)
    reference = taken["python -I -S -c pass"][1:]
    print(f"{'':24}median ms   least ms   over the reference, median ms")
    over = 0.0
    for name, seconds in taken.items():
        more = statistics.median(a - b for a, b in zip(seconds[1:], reference, strict=True))
        bar = f"  bar {1000 * MAX_OVERHEAD:g}" if name in ("an empty program", "one test") else ""
        over = max(over, more) if bar else over
        print(
            f"{name:24}{1000 * statistics.median(seconds[1:]):9.1f}{1000 * min(seconds):11.1f}{1000 * more:13.1f}{bar}"
        )
    return over <= MAX_OVERHEAD


def problems(path: Path) -> bool:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    passed = broken = 0
    began = time.perf_counter()
    for row in rows:
        test = f"{row['test']}\ncheck({row['entry_point']})"
        passed += run_tests(row["prompt"] + row["canonical_solution"], [test]).verdict == "passed"
    seconds = time.perf_counter() - began
    for row in rows:
        test = f"{row['test']}\ncheck({row['entry_point']})"
        broken += run_tests(row["prompt"] + "    return None\n", [test]).verdict not in ("passed", "forged")
    print(f"\n{len(rows)} problems, one after the other: {seconds:.1f} s  bar {MAX_PROBLEMS:g} s for 80")
    print(f"{passed} canonical solutions pass, {broken} broken ones fail")
    return passed == broken == len(rows) and seconds <= MAX_PROBLEMS * len(rows) / 80


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--problems", type=Path)
    given = parser.parse_args()
    require()
    held = overhead(given.rounds)
    if given.problems is not None:
        held &= problems(given.problems)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
