"""The short form of ``benchmarks.kills``."""

from __future__ import annotations

from pathlib import Path

from benchmarks.kills import kill_and_restart


def test_a_killed_run_wastes_the_calls_in_flight_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    found = kill_and_restart(tmp_path, kills=2, rows=150, latency=0.02, pool=16)
    assert found.identical
    assert found.wasted <= sum(found.in_flight)
    assert max(found.in_flight) <= 16
