"""Which solution to keep, and which tests to believe, when a model wrote both.

Neither is to be trusted by itself. Solutions that were sampled independently and pass the same assertion are evidence
for it and for each other (the idea of CodeT, arXiv 2207.10397). The rule here is the simplest of its kind: a test
counts if more than half of the solutions that were sampled pass it; the first solution that passes every test that
counts is kept, if enough of them count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cultivar.core.records import JSON
from cultivar.core.scope import Scope
from cultivar.verify.code.results import DEFAULT, Limits
from cultivar.verify.code.run import run_tests

REASONS = {
    "no-tests": "the tester's reply holds assertions that call a function of the solution",
    "no-code": "a reply holds Python code that defines what the tests call",
    "does-not-run": "a solution runs: some test of it passes, or fails by its own assertion",
    "disputed": "enough assertions are passed by more than half of the solutions",
    "fails-tests": "a solution passes every assertion that counts",
}
"""What is demanded of solutions and tests; the first two are reasons of Unparsable, from ``reading``."""


@dataclass(frozen=True)
class Agreement:
    """``counting`` are the numbers of the tests that count, ``best`` that of the solution to be kept.

    Where there is none, ``reason`` says why: no test of any solution passes or fails by its own assertion
    ("does-not-run"), fewer tests count than should ("disputed"), no solution passes all that count ("fails-tests").
    """

    counting: tuple[int, ...]
    best: int | None
    reason: Literal["", "does-not-run", "disputed", "fails-tests"]
    verdicts: Mapping[str, int]
    "Of all tests in all solutions."
    results: Sequence[Mapping[str, JSON]] = ()
    "Of the first solution, test by test."


def agreement(reports: Sequence[Mapping[str, JSON]], sampled: int, least: int = 1) -> Agreement:
    """What TestReports, as JSON, of the same tests come to.

    ``sampled`` counts solutions that could not be read too, ``least`` is how many tests have to count.
    """
    verdicts = Counter(str(each["verdict"]) for report in reports for each in report["tests"])
    passed = [[each["verdict"] == "passed" for each in report["tests"]] for report in reports]
    counting = tuple(n for n, votes in enumerate(zip(*passed, strict=True)) if 2 * sum(votes) > sampled)
    best = next((at for at, row in enumerate(passed) if counting and all(row[n] for n in counting)), None)
    reason: Literal["", "does-not-run", "disputed", "fails-tests"] = ""
    if not verdicts["passed"] + verdicts["failed"]:
        reason = "does-not-run"
    elif len(counting) < least:
        reason = "disputed"
    elif best is None:
        reason = "fails-tests"
    return Agreement(counting, None if reason else best, reason, verdicts, reports[0]["tests"] if reports else ())


async def agree(
    scope: Scope, solutions: Sequence[str], tests: Sequence[str], sampled: int, least: int, limits: Limits = DEFAULT
) -> Agreement:
    """Runs every solution with every test (``scope.once``); solutions that are the same text are run once."""
    reports = {text: await scope.once("run", run_tests, text, list(tests), limits) for text in dict.fromkeys(solutions)}
    return agreement([reports[text] for text in solutions], sampled, least)
