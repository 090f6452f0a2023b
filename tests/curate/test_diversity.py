from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cultivar.curate.diversity import mean_similarity, vendi

VECTORS = st.tuples(st.integers(1, 12), st.integers(1, 6)).flatmap(
    lambda s: arrays(np.float32, s, elements=st.integers(1, 9).map(float))
)


def by_definition(vectors: Any) -> float:
    points = np.asarray(vectors, dtype=np.float64)
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(units @ units.T / len(points))
    return float(np.exp(-sum(v * np.log(v) for v in values if v > 1e-12)))


@given(VECTORS, st.randoms(use_true_random=False))
def test_vendi_does_not_depend_on_the_order_or_the_lengths(vectors: Any, rng: Any) -> None:
    shuffled = list(range(len(vectors)))
    rng.shuffle(shuffled)
    assert vendi(vectors[shuffled] * 7) == pytest.approx(vendi(vectors), rel=1e-5)
    assert vendi(vectors) == pytest.approx(by_definition(vectors), rel=1e-5)
    assert 1 - 1e-6 <= vendi(vectors) <= min(vectors.shape) + 1e-6


@given(VECTORS)
def test_twice_the_same_set_is_as_varied_as_once(vectors: Any) -> None:
    assert vendi(np.concatenate([vectors, vectors])) == pytest.approx(vendi(vectors), rel=1e-4)


@pytest.mark.parametrize("n", [1, 2, 7, 500])
@pytest.mark.parametrize("order", [0.0, 0.5, 1.0, 2.0, math.inf])
def test_equal_vectors_count_as_one_and_orthogonal_ones_as_many(n: int, order: float) -> None:
    assert vendi(np.ones((n, 5)) * 0.3, order) == pytest.approx(1)
    assert vendi(np.eye(n) * 4, order) == pytest.approx(n)


def test_many_short_vectors_are_measured_by_their_products() -> None:
    vectors = np.random.default_rng(0).standard_normal((5000, 3))
    assert vendi(vectors) == pytest.approx(by_definition(vectors[:600]), rel=0.02)


def test_orders_weigh_what_is_frequent() -> None:
    vectors = np.eye(4)[[0, 0, 0, 0, 0, 1, 2, 3]]
    found = [vendi(vectors, order) for order in (0.0, 1.0, 2.0, math.inf)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(4)
    assert found[2] == pytest.approx(1 / (0.625**2 + 3 * 0.125**2))
    assert found[3] == pytest.approx(1 / 0.625)


@given(VECTORS)
def test_mean_similarity_is_that_over_all_pairs(vectors: Any) -> None:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [float(units[a] @ units[b]) for a in range(len(units)) for b in range(a)]
    assert mean_similarity(vectors) == pytest.approx(sum(pairs) / len(pairs) if pairs else 1.0, abs=1e-5)


def test_what_has_no_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="vector 1 is zero"):
        vendi([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="give 0 or more"):
        vendi([[1.0]], order=-1)
    assert vendi(np.zeros((0, 3))) == 0
