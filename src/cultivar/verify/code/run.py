"""Programs and tests, run in a sandbox."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cultivar.core.errors import ItemFailed, UsageError
from cultivar.verify.code import bubblewrap
from cultivar.verify.code.results import DEFAULT, Execution, Limits, TestReport, TestResult, Verdict

MOST_TESTS = 1_000


def run_program(source: str, *, stdin: str = "", limits: Limits = DEFAULT) -> Execution:
    """Runs ``source`` as a program (``__main__``) that reads ``stdin``; "passed" if its exit status is 0.

    Raises UsageError where no sandbox can be had, ItemFailed if the sandbox itself failed.
    """
    (done,) = bubblewrap.run([_job(source, None, stdin)], asdict(limits))
    return Execution(**{name: done[name] for name in Execution.__dataclass_fields__})


def run_tests(solution: str, tests: Sequence[str], limits: Limits = DEFAULT) -> TestReport:
    """Runs each test after the solution, in the solution's own module (``solution``), each in a fresh process.

    A test passes if it runs to its end; what it finds wrong it says with ``assert``. One sandbox serves all tests,
    another one follows a test that leaves files behind. The first test that passes is run again with a false assertion
    at its end: if that passes too, the solution passes whatever is asserted, and its passes are "forged". Raises as
    ``run_program`` does, and ValueError for no tests or more than 1,000.
    """
    if not 1 <= len(tests) <= MOST_TESTS:
        raise ValueError(f"{len(tests)} tests: give 1 to {MOST_TESTS:,}")
    took = asdict(limits)
    done: list[dict[str, Any]] = []
    while len(done) < len(tests):
        done += bubblewrap.run([_job(solution, test) for test in tests[len(done) :]], took)
    results = [TestResult(each["verdict"], each["detail"], each["where"]) for each in done]
    verdict: Verdict = next((result.verdict for result in results if result.verdict != "passed"), "passed")
    cpu, wall = (round(sum(each[name] for each in done), 4) for name in ("cpu_seconds", "wall_seconds"))
    return TestReport(verdict, sum(r.verdict == "passed" for r in results), tuple(results), cpu, wall)


@functools.cache
def require() -> None:
    """Raises UsageError where no sandbox can be had: for a recipe to call before it pays for anything."""
    try:
        run_program("")
    except ItemFailed as failure:
        raise UsageError(f"the sandbox for model-written code does not work here: {failure}") from None


def _job(solution: str, test: str | None = None, stdin: str = "") -> dict[str, Any]:
    return {"solution": solution, "test": test, "stdin": stdin.encode("utf-8", "replace")}
