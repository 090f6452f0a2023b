from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest

from cultivar.cli import progress as module
from cultivar.cli.progress import RunProgress
from cultivar.core.protocols import Usage
from cultivar.testing import reply


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def tell(progress: RunProgress) -> None:
    progress.stage_began("round", 4)
    progress.call_began("author")
    progress.call_ended("author", reply("two words"))
    progress.item_ended("round", "accepted", "", {"environment": 1, "task": 20, "trajectory": 20, "steps": 2})
    progress.discarded("round", "random-walk")
    progress.item_ended("round", "dropped", "delete-free", {})
    progress.item_ended("round", "failed", "infrastructure", {})


def test_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.0)
    out = io.StringIO()
    with RunProgress("run", out=out) as progress:
        tell(progress)
    last = out.getvalue().splitlines()[-1]
    for part in (
        "round: 3/4 proposed, 1 accepted",
        "20 trajectories",
        "2 steps ",
        "1 calls",
        "1 delete-free",
        "failed-infrastructure",
    ):
        assert part in last


def test_lines_are_seconds_apart() -> None:
    out = io.StringIO()
    with RunProgress("run", out=out) as progress:
        for _ in range(100):
            tell(progress)
    assert out.getvalue() == ""


def test_a_live_display() -> None:
    out = Terminal()
    with RunProgress("cultivar run x", out=out) as progress:
        tell(progress)
    for part in ("cultivar run x", "accepted", "trajectories", "dropped: delete-free"):
        assert part in out.getvalue()


def test_quiet() -> None:
    out = Terminal()
    with RunProgress("run", out=out, quiet=True) as progress:
        tell(progress)
    assert out.getvalue() == ""


def test_time_left_and_money(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = RunProgress("run", out=io.StringIO(), want=50)
    progress.stage_began("round", None)
    assert progress.left is None
    assert "left" not in progress.line()
    progress.call_began("author")
    progress.call_ended("author", replace(reply("two words"), usage=Usage(1_000, 500, 1.25)))
    for _ in range(10):
        progress.item_ended("round", "accepted", "", {"sample": 1})
    now[0] += 60
    assert progress.left == pytest.approx(240)  # ten of fifty in a minute
    assert "1 calls (0 in flight), 1,500 tokens, $1.25 \u00b7 4 min left" in progress.line()
    progress.stage_began("next", 40)
    progress.made.clear()
    now[0] += 10
    progress.item_ended("next", "accepted", "", {})
    assert progress.left == pytest.approx(390)
