"""K-center greedy: its CPU time, and its radius beside that of the textbook's loop.

    python -m benchmarks.kcenter [--rows 50000] [--width 384] [--picks 5000]

Two sets of vectors: directions at random (where all distances are alike, the hardest case for leaving any out), and
groups of several sizes. CPU seconds are of the process, threads of the linear algebra included. Beside them stands the
plain loop (one product of the matrix with a vector for each pick, 32 bits) over its first 100 picks, scaled to all.
The radius is compared on a sample with the loop in 64 bits that computes every difference. The bars: 60 CPU seconds,
and a radius within 1 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

from cultivar.curate.select import k_center

BAR_SECONDS, BAR_RADIUS = 60.0, 1.01
SAMPLE, OF_SAMPLE, PLAIN = 4000, 400, 100


def directions(rows: int, width: int) -> Any:
    found = np.random.default_rng(0).standard_normal((rows, width))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def groups(rows: int, width: int) -> Any:
    made = np.random.default_rng(1)
    centres = made.standard_normal((500, width))
    spread = 0.5 * made.gamma(2, 0.5, (rows, 1))
    found = centres[made.integers(0, 500, rows)] + spread * made.standard_normal((rows, width))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def plain(points: Any, picks: int) -> None:
    """The greedy with one product for each pick."""
    norms = (points * points).sum(axis=1)
    gaps = np.full(len(points), np.inf, dtype=np.float32)
    at = 0
    for _ in range(picks):
        np.minimum(gaps, norms + norms[at] - 2 * (points @ points[at]), out=gaps)
        at = int(gaps.argmax())


def textbook(points: Any, picks: int) -> float:
    """The radius that the greedy leaves, in 64 bits, every difference computed."""
    exact = points.astype(np.float64)
    gaps = ((exact - exact[0]) ** 2).sum(axis=1)
    for _ in range(picks):
        gaps = np.minimum(gaps, ((exact - exact[gaps.argmax()]) ** 2).sum(axis=1))
    return float(gaps.max() ** 0.5)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=50_000)
    arguments.add_argument("--width", type=int, default=384)
    arguments.add_argument("--picks", type=int, default=5000)
    options = arguments.parse_args()
    print(f"{options.rows:,} x {options.width} to {options.picks:,}")
    print(f"{'vectors':12}{'CPU s':>8}{'wall s':>8}{'plain loop, CPU s':>19}{'ratio':>7}{'radius / textbook':>19}")
    slowest, widest = 0.0, 0.0
    for make in (directions, groups):
        points = make(options.rows, options.width)
        cpu, wall = time.process_time(), time.monotonic()
        k_center(points, options.picks, [0])
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        began = time.process_time()
        plain(points, PLAIN)
        scaled = (time.process_time() - began) * options.picks / PLAIN
        sample = points[:SAMPLE]
        ratio = k_center(sample, OF_SAMPLE, [0]).radius / textbook(sample, OF_SAMPLE)
        print(f"{make.__name__:12}{cpu:8.1f}{wall:8.1f}{scaled:19.1f}{scaled / cpu:7.1f}{ratio:19.6f}", flush=True)
        slowest, widest = max(slowest, cpu), max(widest, ratio, 1 / ratio)
    print(
        f"most CPU: {slowest:.1f} s (bar: {BAR_SECONDS:.0f}); farthest from the textbook's radius: {widest:.6f} (1.01)"
    )
    return 0 if slowest < BAR_SECONDS and widest <= BAR_RADIUS else 1


if __name__ == "__main__":
    sys.exit(main())
