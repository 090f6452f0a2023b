"""The curve of difficulty, its entropy, and where it sends evolution next."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES
from cultivar.environments.pddl.evolution.curve import curve, entropy, steer


@given(st.lists(st.integers(0, 60)))
def test_curve_counts_what_has_a_bucket(lengths: list[int]) -> None:
    counts = curve(lengths)
    assert tuple(counts) == BUCKET_NAMES
    assert sum(counts.values()) == sum(length >= 3 for length in lengths)
    assert 0 <= entropy(counts) <= math.log2(6) + 1e-9


def test_entropy_of_known_curves() -> None:
    assert entropy(dict.fromkeys(BUCKET_NAMES, 7)) == pytest.approx(math.log2(6))
    assert entropy({"3-4": 9, "5-6": 0}) == 0
    assert entropy({"3-4": 1, "5-6": 1}) == pytest.approx(1)
    assert entropy({}) == 0


def test_steer_goes_where_the_curve_is_empty() -> None:
    seeds = [4, 5, 8, 11, 16]
    for seed in range(20):
        order = steer(curve(seeds), seeds, random.Random(seed))
        assert order is not None
        assert (order.bucket, order.direction) == ("20+", "harder")
        assert seeds[order.seed] in (8, 11, 16)
    full = curve([4, 5, 8, 11, 16, 25])
    order = steer(full | {"3-4": 0}, [25], random.Random(0))
    assert order is not None
    assert (order.bucket, order.direction, order.seed) == ("3-4", "easier", 0)
    # A bucket that keeps failing lets others go first.
    order = steer(full | {"20+": 0}, seeds, random.Random(0), failed={"20+": 10})
    assert order is not None
    assert order.bucket != "20+"
    assert steer(full, [], random.Random(0)) is None
