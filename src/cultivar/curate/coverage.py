"""How well a few rows stand for a pool, beside as many drawn at random: the figures of a selection's report."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from cultivar.core.figures import Bars, Histogram, Section, Table, Tile
from cultivar.curate.distances import Vectors, matrix, nearest, nearest_other
from cultivar.curate.diversity import mean_similarity, vendi

DRAWS = 3
"""Random selections that a figure is the mean of."""


@dataclass(frozen=True)
class Coverage:
    """``radius`` is the largest and ``distance`` the mean distance of a row of the pool to its nearest chosen one;
    ``vendi`` and ``similarity`` are those of the chosen rows."""

    size: int
    radius: float
    distance: float
    vendi: float
    similarity: float


@dataclass(frozen=True)
class Compared:
    """What was chosen, and the mean of ``DRAWS`` random selections of its size."""

    chosen: Coverage
    random: Coverage


def coverage(vectors: Vectors, chosen: Sequence[int]) -> Coverage:
    """Raises ValueError as ``nearest`` and ``vendi`` do."""
    points = matrix(vectors)
    apart = nearest(points, chosen)[0]
    some = points[list(chosen)]
    return Coverage(len(chosen), max(apart), sum(apart) / len(apart), vendi(some), mean_similarity(some))


def compared(vectors: Vectors, chosen: Sequence[int], rng: random.Random) -> Compared:
    points = matrix(vectors)
    drawn = [coverage(points, rng.sample(range(len(points)), len(chosen))) for _ in range(DRAWS)]
    means = (sum(getattr(one, name) for one in drawn) / DRAWS for name in ("radius", "distance", "vendi", "similarity"))
    return Compared(coverage(points, chosen), Coverage(len(chosen), *means))


def coverage_tiles(last: Compared) -> tuple[Tile, ...]:
    return tuple(
        Tile(label, round(mine, 3), f"{round(other, 3)} at random")
        for label, mine, other in (
            ("radius", last.chosen.radius, last.random.radius),
            ("Vendi score", last.chosen.vendi, last.random.vendi),
        )
    )


def coverage_section(rounds: Sequence[Compared], last: Vectors, chosen: Sequence[int], method: str) -> Section:
    """``last`` are the vectors in which the last round chose, ``chosen`` its rows."""
    measures = ("radius", "distance", "vendi", "similarity")
    names = ("radius", "mean distance", "Vendi score", "mean cosine")
    columns = ("round", "rows", *(label for name in names for label in (name, f"{name} at random")))
    cells: list[tuple[int | float, ...]] = []
    for number, each in enumerate(rounds):
        pairs = ((getattr(each.chosen, m), getattr(each.random, m)) for m in measures)
        cells.append((number, each.chosen.size, *(round(value, 3) for pair in pairs for value in pair)))
    sizes = tuple(f"{each.chosen.size:,}" for each in rounds)
    series = {
        "radius": {"random": [r.random.radius for r in rounds], method: [r.chosen.radius for r in rounds]},
        "Vendi score": {"random": [r.random.vendi for r in rounds], method: [r.chosen.vendi for r in rounds]},
    }
    bars = tuple(
        Bars(f"{name} by number of rows", sizes, {who: tuple(round(x, 3) for x in v) for who, v in both.items()})
        for name, both in series.items()
    )
    points = matrix(last)
    between = nearest_other(points[list(chosen)])
    return Section(
        "Coverage and diversity",
        (
            Table("Rounds", columns, tuple(cells), f"at random: means of {DRAWS} selections of the same size"),
            *bars,
            Histogram.of("Distance of a row of the pool to its nearest chosen row", nearest(points, chosen)[0]),
            Histogram.of("Distance of a chosen row to the nearest other chosen row", between),
        ),
        "Measured in the space in which the round chose. A small radius leaves no row of the pool far from what was "
        "chosen; the Vendi score is the number of rows, all unlike each other, that would be as varied.",
    )
