"""How varied a set of vectors is.

    vendi              effective number of different vectors (Friedman and Dieng 2022, arXiv 2210.02410)
    mean_similarity    mean cosine of two of them

Both look at directions: a vector's length plays no part. ``cultivar.curate.distances`` has the radius.
"""

from __future__ import annotations

import math
from typing import Any

from cultivar.core.extras import needed
from cultivar.curate.distances import BLOCK, Vectors, matrix


def vendi(vectors: Vectors, order: float = 1.0) -> float:
    """The Vendi score with the cosine as kernel: 1 for n equal vectors, n for n orthogonal ones.

    The exponential of the entropy of the eigenvalues of K/n, where K holds the n x n cosines; another ``order`` than 1
    is that of Rényi's entropy (2 weighs what is frequent more, ``math.inf`` looks at the largest eigenvalue alone).
    Eigenvalues are those of the d x d products where vectors are shorter than they are many: min(n, d)^3 operations.
    Raises ValueError for a vector of length 0, which has no direction, and for an order below 0.
    """
    np = needed("numpy", "curate")
    if not order >= 0:
        raise ValueError(f"the order {order}: give 0 or more")
    units = _units(vectors)
    count, width = units.shape
    if not count:
        return 0.0
    if count <= width:
        products = units @ units.T
    else:
        products = np.zeros((width, width))
        for start in range(0, count, BLOCK):
            part = units[start : start + BLOCK]
            products += part.T @ part
    shares = np.clip(np.linalg.eigvalsh(products / count), 0, None)
    shares = shares[shares > 1e-12]
    shares /= shares.sum()
    if order == 1:
        return float(np.exp(-(shares * np.log(shares)).sum()))
    if math.isinf(order):
        return float(1 / shares.max())
    return float((shares**order).sum() ** (1 / (1 - order)))


def mean_similarity(vectors: Vectors) -> float:
    """The mean cosine of two different members, over all pairs; 1 for fewer than two. ValueError as ``vendi``."""
    units = _units(vectors)
    count = len(units)
    if count < 2:
        return 1.0
    total = units.sum(axis=0)
    return float((total @ total - count) / (count * (count - 1)))


def _units(vectors: Vectors) -> Any:
    np = needed("numpy", "curate")
    points = matrix(vectors).astype(np.float64)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"vector {int(lengths.argmin())} is zero and has no direction; leave it out")
    return points / lengths
