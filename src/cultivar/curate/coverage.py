"""How well a few rows stand for a pool, beside as many drawn at random: the figures of a selection's report."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cultivar.core.dataset import Dataset
from cultivar.core.figures import Bars, Example, Histogram, Section, Table, Tile, turns_of
from cultivar.core.records import Instruction, Sample
from cultivar.curate.distances import Vectors, matrix, nearest, nearest_other
from cultivar.curate.diversity import mean_similarity, vendi

DRAWS = 3
"""Random selections that a figure is the mean of."""
SHOWN = 1000
"""Characters of a message in an example."""


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
        Tile(label, round(mine, 3), f"{other:.4g} at random")
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
    left = sorted(set(range(len(points))) - set(chosen))
    apart = nearest(points, chosen)[0]
    between = nearest_other(points[list(chosen)])
    return Section(
        "Coverage and diversity",
        (
            Table("Rounds", columns, tuple(cells), f"at random: means of {DRAWS} selections of the same size"),
            *bars,
            Histogram.of("Distance of a row that was not chosen to its nearest chosen row", [apart[at] for at in left]),
            Histogram.of("Distance of a chosen row to the nearest other chosen row", between),
        ),
        "Measured in the space in which the round chose. A small radius leaves no row of the pool far from what was "
        "chosen; the Vendi score is the number of rows, all unlike each other, that would be as varied.",
    )


def selection(
    chosen: Sequence[Sample],
    pool: Sequence[Instruction],
    rounds: Sequence[Compared],
    last: tuple[Vectors, Sequence[int]] | None,
    method: str,
) -> Dataset:
    """What was chosen (``meta`` holds round and distance) out of a pool of prompts with references, and its figures;
    ``last`` are the vectors in which the last round chose, and its rows: None if there was no round."""
    tiles = [Tile("rows chosen", len(chosen), f"of {len(pool):,}")]
    if chosen:  # an embedder may take what is short, or long, for what is unusual
        mine = median(sum(len(m["content"]) for m in sample.messages) for sample in chosen)
        usual = median(len(row.prompt) + len(row.reference or "") for row in pool)
        tiles.append(Tile("median characters", round(mine), f"{round(usual):,} in the pool"))
    sections = []
    if last is not None:
        tiles += coverage_tiles(rounds[-1])
        sections.append(coverage_section(rounds, *last, method))
    return Dataset(chosen, tiles, sections, first_picks(chosen))


def first_picks(records: Sequence[Sample]) -> tuple[Example, ...]:
    """The first rows that a round chose (or that were drawn, if there was none): what is odd in a pool shows there."""
    picks = [record for record in records if record.meta["round"]] or records
    return tuple(
        Example(
            "Among the first picks",
            turns_of(record, SHOWN),
            {"round": record.meta["round"], "distance": record.meta["distance"], "record": record.id},
        )
        for record in picks[:3]
    )
