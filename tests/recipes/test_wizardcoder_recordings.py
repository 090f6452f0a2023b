"""Replies of a real model to the recipe's prompts: several blocks, prose, tests in a function, errors that are due."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from cultivar.core.errors import UsageError
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Instruction, Sample
from cultivar.recipes.wizardcoder import Config, run
from cultivar.testing import FunctionModel, reply, try_recipe
from cultivar.verify.code import assertions, code_of, require, run_tests
from cultivar.verify.code.problems import completed

ROWS = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "wizardcoder.jsonl").open("rb")]
SEED = 1
"""Draws no erroneous code, which these replies do not have."""
SEEDS = [Instruction(prompt=row["task"]) for row in ROWS[:3]]


def replies(role: str, task: str) -> list[str]:
    (row,) = (row for row in ROWS if row["role"] == role and row["task"] == task)
    return list(row["replies"])


def recorded(request: Request) -> Reply:
    asked = str(request.messages[0]["content"])
    for opening, role in {"You write programming tasks": "evolver", "You test solutions": "tester"}.items():
        if asked.startswith(opening):
            return reply(*replies(role, asked.partition("<<<\n")[2].rpartition("\n>>>")[0]))
    return reply(*replies("answerer", asked.partition("\n\nWrite it in Python 3")[0]))


@pytest.fixture(autouse=True, scope="module")
def _sandbox() -> None:
    try:
        require()
    except UsageError as error:
        pytest.skip(str(error))


def test_recorded_replies() -> None:
    dataset, dropped = try_recipe(run, SEEDS, Config(rounds=1), model=FunctionModel(recorded), seed=SEED)
    assert [row["reason"] for row in dropped] == ["sorry"]
    samples = [record for record in dataset.records if isinstance(record, Sample)]
    assert [(s.meta["round"], s.meta["entry_point"], len(s.meta["tests"])) for s in samples] == [
        *((0, "merge_sorted_lists", 6), (0, "roman_to_int", 6), (0, "top_ten_words", 6)),
        *((1, "merge_unique", 6), (1, "evaluate_roman", 6)),  # the first six stood in a function
    ]
    assert sum("except ValueError" in test for test in samples[-1].meta["tests"]) == 2


def test_a_recorded_answer_in_two_blocks() -> None:
    task = next(row["task"] for row in ROWS if row["role"] == "answerer" and "evaluate_roman" in row["task"])
    (tests,), answers = replies("tester", task), replies("answerer", task)
    code = code_of(answers[2], "evaluate_roman")
    assert "def roman_to_int" in code
    verdicts = [each.verdict for each in run_tests(code, assertions(tests).tests).tests]
    assert verdicts == ["passed"] * 4 + ["failed", "error"]  # it looks at no numeral's form


def test_recorded_completions() -> None:
    checks = ("assert f([-4, 3, 9]) == (-4, 3)", 'assert f("Hello,world!") == ["Hello", "world!"]')
    for row, check in zip((row for row in ROWS if row["role"] == "student"), checks, strict=True):
        entry = row["task"].partition("def ")[2].partition("(")[0]
        whole = completed(Instruction(prompt=row["task"], meta={"entry_point": entry}), row["replies"][0])
        assert run_tests(whole, [check.replace("f(", f"{entry}(")]).verdict == "passed"
