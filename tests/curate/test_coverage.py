from __future__ import annotations

import random

import numpy as np
import pytest

from cultivar.core.figures import Bars, Histogram, Table
from cultivar.curate.coverage import compared, coverage, coverage_section, coverage_tiles
from cultivar.curate.select import k_center

CORNERS = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 5.0]])


def test_coverage_of_a_pool_by_hand() -> None:
    found = coverage(CORNERS, [0, 2])
    assert (found.size, found.radius, found.distance) == (2, 4, (0 + 1 + 0 + 4) / 4)
    assert found.vendi == pytest.approx(2)
    assert found.similarity == pytest.approx(0)


def test_farthest_first_covers_groups_that_random_draws_miss() -> None:
    made = np.random.default_rng(0)
    points = np.concatenate([made.standard_normal((500, 8)), 20 * np.eye(8)]) + 1
    growth = k_center(points, 20, [0])
    found = compared(points, [0, *growth.picks], random.Random(0))
    assert found.chosen.size == found.random.size == 21
    assert found.chosen.radius == pytest.approx(growth.radius)
    assert found.chosen.radius < 0.5 * found.random.radius
    assert found.chosen.vendi > found.random.vendi


def test_the_figures_say_what_was_measured() -> None:
    rounds = [compared(CORNERS, chosen, random.Random(0)) for chosen in ([0], [0, 3])]
    section = coverage_section(rounds, CORNERS, [0, 3], "k-center")
    table, radii, _, pool, between = section.figures
    assert isinstance(table, Table)
    assert [row[:3] for row in table.rows] == [(0, 1, 5.099), (1, 2, 1.414)]
    assert isinstance(radii, Bars)
    assert radii.labels == ("1", "2")
    assert radii.series["k-center"] == (5.099, 1.414)
    assert list(radii.series) == ["random", "k-center"]  # the last one is the result
    assert isinstance(pool, Histogram)
    assert sum(pool.counts) == 2  # the chosen rows are at no distance from themselves
    assert isinstance(between, Histogram)
    assert sum(between.counts) == 2
    tile = coverage_tiles(rounds[-1])[0]
    assert tile.value == 1.414
    assert len(str(tile.note)) <= len("1.234 at random")
