from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import cultivar.curate.select as select
from cultivar.curate.distances import matrix, nearest, nearest_other, radius
from cultivar.curate.select import central, clusters, gaps_in_order, k_center

COARSE = st.integers(-4, 4).map(float)
"""Few values, so that copies and ties are frequent."""
POINTS = st.tuples(st.integers(2, 40), st.integers(1, 5)).flatmap(lambda s: arrays(np.float32, s, elements=COARSE))


def textbook(vectors: Any, count: int, chosen: list[int]) -> tuple[list[int], list[float]]:
    """The greedy as it is written down: 64 bits, every distance, no tricks."""
    points = np.asarray(vectors, dtype=np.float64)
    gaps = np.min([((points - points[c]) ** 2).sum(axis=1) for c in chosen], axis=0)
    gaps[chosen] = -1
    picks: list[int] = []
    distances: list[float] = []
    while len(picks) < count and gaps.max() >= 0:
        at = int(gaps.argmax())
        picks.append(at)
        distances.append(float(gaps[at] ** 0.5))
        gaps = np.minimum(gaps, ((points - points[at]) ** 2).sum(axis=1))
        gaps[at] = -1
    return picks, distances


def cloud(n: int, d: int, seed: int, groups: int = 20) -> Any:
    made = np.random.default_rng(seed)
    centres = made.standard_normal((groups, d))
    return (centres[made.integers(0, groups, n)] + 0.3 * made.standard_normal((n, d))).astype(np.float32)


@given(POINTS, st.integers(1, 12), st.data())
def test_k_center_is_the_greedy_of_the_textbook(points: Any, count: int, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(points) - 1), min_size=1, max_size=3, unique=True))
    found = k_center(points, count, chosen)
    picks, distances = textbook(points, count, chosen)
    assert found.distances == pytest.approx(distances, abs=0.02)
    assert len(found.picks) == len(picks)
    assert not set(found.picks) & set(chosen)
    assert len(set(found.picks)) == len(found.picks)
    assert found.distances == sorted(found.distances, reverse=True)
    assert found.radius == pytest.approx(radius(points, [*chosen, *found.picks]))
    assert found.radius <= min(found.distances, default=math.inf) + 0.02
    assert found.radius <= k_center(points, count - 1, chosen).radius


@pytest.mark.parametrize(("front", "picks"), [(1, 1), (3, 2), (64, 16), (10_000, 1000)])
def test_the_width_of_the_front_changes_no_pick(front: int, picks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud(400, 12, seed=3)
    expected = textbook(points, 60, [7])
    monkeypatch.setattr(select, "FRONT", front)
    monkeypatch.setattr(select, "PICKS", picks)
    found = k_center(points, 60, [7])
    assert found.picks == expected[0]
    assert found.distances == pytest.approx(expected[1], rel=1e-5)


def test_k_center_among_copies_takes_the_first_and_only_then_a_copy() -> None:
    points = np.repeat(np.eye(4, 300, dtype=np.float32) + 3, 50, axis=0)  # far from the origin: digits are lost
    found = k_center(points, 6, [60])
    assert found.picks == [0, 100, 150, 1, 2, 3]
    assert found.distances == pytest.approx([2**0.5] * 3 + [0.0] * 3)
    assert found.radius == 0


def test_k_center_takes_all_that_is_left_and_no_more() -> None:
    points = cloud(30, 4, seed=1)
    found = k_center(points, 100, [3, 5])
    assert sorted([*found.picks, 3, 5]) == list(range(30))
    assert k_center(points, 0, [3]).picks == []
    with pytest.raises(ValueError, match="give at least one row"):
        k_center(points, 3, [])


def test_a_far_outlier_does_not_cost_the_others_their_digits() -> None:
    points = cloud(300, 8, seed=2)
    points[0] = 1e4
    assert k_center(points, 40, [5]).picks[0] == 0
    assert k_center(points, 40, [5]).distances == pytest.approx(textbook(points, 40, [5])[1], rel=0.02)


def test_vectors_that_are_none() -> None:
    with pytest.raises(ValueError, match="several lengths"):
        matrix([[1.0, 2.0], [1.0]])
    for number in (float("nan"), float("inf"), -1e20):
        with pytest.raises(ValueError, match=r"a number that is none, or larger than 1e\+15"):
            matrix([[1.0, number]])
    assert k_center([[1e15, 0.0], [-1e15, 0.0], [0.0, 1e15]], 2, [0]).picks == [1, 2]
    with pytest.raises(ValueError, match="n vectors of one length"):
        matrix([1.0, 2.0])  # type: ignore[list-item]


@given(POINTS)
def test_nearest_is_the_nearest(points: Any) -> None:
    among = list(range(0, len(points), 3))
    distances, owners = nearest(points, among)
    apart = np.linalg.norm(points[:, None].astype(np.float64) - points[None, among], axis=2)
    assert distances == pytest.approx(apart.min(axis=1).tolist(), abs=0.02)
    assert set(owners) <= set(among)
    with pytest.raises(ValueError, match="give at least one row"):
        nearest(points, [])


@given(POINTS)
def test_nearest_other_is_another(points: Any) -> None:
    apart = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert nearest_other(points) == pytest.approx(apart.min(axis=1).tolist(), abs=0.02)
    assert nearest_other(points[:1]) == []


def test_clusters_find_groups_that_are_apart() -> None:
    groups = np.repeat(np.arange(6), 40)
    points = np.eye(6)[groups] * 10 + np.random.default_rng(0).standard_normal((240, 6)) * 0.1
    order = np.random.default_rng(1).permutation(240)
    labels = clusters(points[order].astype(np.float32), 6, random.Random(4))
    assert len(set(zip(labels, groups[order].tolist(), strict=True))) == 6
    assert sorted(set(labels)) == list(range(6))
    assert list(dict.fromkeys(labels)) == list(range(6))  # numbered as they are met
    assert labels == clusters(points[order].astype(np.float32), 6, random.Random(4))


@given(POINTS, st.integers(1, 8), st.integers(0, 3))
def test_clusters_are_as_many_as_vectors_differ_at_most(points: Any, k: int, seed: int) -> None:
    labels = clusters(points, k, random.Random(seed))
    differ = len(np.unique(points, axis=0))
    assert len(labels) == len(points)
    assert len(set(labels)) <= min(k, differ)
    if k >= differ:
        assert len({(label, tuple(p)) for label, p in zip(labels, points.tolist(), strict=True)}) == differ


def test_lloyds_steps_leave_every_vector_with_its_nearest_mean() -> None:
    points = cloud(500, 6, seed=9)
    labels = np.array(clusters(points, 12, random.Random(0), rounds=200))
    means = np.stack([points[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    apart = np.linalg.norm(points[:, None] - means[None], axis=2)
    assert (apart.argmin(axis=1) == labels).mean() > 0.99


@given(POINTS, st.integers(0, 10), st.integers(0, 3))
def test_central_picks_are_new_and_as_many_as_there_are(points: Any, count: int, seed: int) -> None:
    chosen = [0, len(points) - 1]
    found = central(points, count, random.Random(seed), chosen)
    assert len(found) == len(set(found)) == min(count, len(points) - len(set(chosen)))
    assert not set(found) & set(chosen)


def test_central_takes_the_one_nearest_to_the_centre_of_each_group() -> None:
    group = np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 0.1]])
    points = np.concatenate([group, group + np.array([100, 0]), group + np.array([0, 100])]).astype(np.float32)
    assert sorted(central(points, 3, random.Random(0))) == [2, 5, 8]
    assert Counter(at // 3 for at in central(points, 6, random.Random(0))) == {0: 2, 1: 2, 2: 2}


def test_gaps_in_order_are_those_that_k_center_tells() -> None:
    points = cloud(200, 8, seed=5)
    found = k_center(points, 30, [3, 4])
    assert gaps_in_order(points, found.picks, [3, 4]) == pytest.approx(found.distances, rel=1e-4)
    assert gaps_in_order([[0.0], [3.0], [1.0]], [0, 1, 2]) == [None, 3, 1]
