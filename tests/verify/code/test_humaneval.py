"""Real problems: every canonical solution passes, every broken one fails."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from cultivar.verify.code import run_tests


def problems(folder: Path) -> list[dict[str, str]]:
    return [orjson.loads(line) for line in (folder / "humaneval.jsonl").read_bytes().splitlines()]


@pytest.mark.usefixtures("sandbox")
def test_canonical_solutions_pass_and_broken_ones_fail(shared_data: Path) -> None:
    wrong = []
    for row in problems(shared_data):
        test = f"{row['test']}\ncheck({row['entry_point']})"
        good = run_tests(row["prompt"] + row["canonical_solution"], [test])
        bad = run_tests(row["prompt"] + "    return None\n", [test])
        if good.verdict != "passed" or bad.verdict in ("passed", "forged"):
            wrong.append((row["task_id"], good, bad))
    assert not wrong
