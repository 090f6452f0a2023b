from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cultivar.core.errors import EndpointError
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Trajectory
from cultivar.testing import FunctionModel, try_recipe
from tests.agents import attempts


def start(folder: Path, die_at: int) -> int:
    folder.mkdir(exist_ok=True)
    return subprocess.run([sys.executable, "-m", "tests.agents.attempts", str(folder), str(die_at)]).returncode


def test_after_kills_the_same_bytes(tmp_path: Path) -> None:
    assert start(tmp_path / "whole", 0) == 0
    rows = (tmp_path / "whole" / "rows").read_bytes()
    calls = len((tmp_path / "whole" / "calls").read_bytes())
    assert rows.count(b"\n") > 20 and calls > 100
    killed = tmp_path / "killed"
    assert [start(killed, calls // 3), start(killed, calls // 3), start(killed, 0)] == [-9, -9, 0]
    assert (killed / "rows").read_bytes() == rows
    made = len((killed / "calls").read_bytes())
    assert calls <= made <= calls + 2 * 5 * 3, "at most the calls in flight were made again"
    assert start(killed, 1) == 0, "nothing is asked any more"


def test_a_failure_of_the_infrastructure_is_no_score() -> None:
    """The task whose endpoint fails is missing among the records and named among the failures; the others stand."""

    def answer(request: Request) -> Reply:
        if "You are robot 2." in str(request.messages) and len(request.messages) > 4:
            raise EndpointError("the endpoint answered 503", status=503)
        return attempts.answer(request, 0)

    made, failed = try_recipe(attempts.run, attempts.TASKS, model=FunctionModel(answer))
    acted = {found.task for found in made.records if isinstance(found, Trajectory)}
    assert acted == {task.id for task in attempts.TASKS if task.goal != "2"}
    (row,) = failed
    assert row["reason"] == "failed-infrastructure" and "503" in row["evidence"]["message"]
