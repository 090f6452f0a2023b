"""Vectors as a matrix, and distances between many of them: what selection and its figures share.

Distances are Euclidean. Products are taken in 32 bits, a block at a time, of vectors whose common mean has been taken
off: it carries no distance, and would cost digits. ``nearest`` and ``radius`` then measure what they tell in 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cultivar.core.extras import needed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float32]
    Numbers: TypeAlias = NDArray[np.int64]

Vectors: TypeAlias = "NDArray[np.floating[Any]] | Sequence[Sequence[float]]"
"""n vectors of one length: a matrix of n rows, or n sequences of numbers."""

BLOCK = 4096
"""Rows whose products are held at once."""

LARGEST = 1e15
"""Numbers in a vector at most, so that their squares and sums of these stay within 32 bits."""


def matrix(vectors: Vectors) -> Floats:
    """An n x d matrix of 32-bit floats; raises ValueError for vectors of several lengths, or beyond all bounds."""
    np = needed("numpy", "curate")
    try:
        found: Floats = np.ascontiguousarray(vectors, dtype=np.float32)
    except ValueError:
        raise ValueError("the vectors have several lengths; embed all of them with one model") from None
    if found.ndim != 2 or found.shape[1] == 0:
        raise ValueError(f"n vectors of one length are wanted, and this has the shape {found.shape}")
    if found.size and not np.abs(found).max() <= LARGEST:
        raise ValueError(f"a vector holds a number that is none, or larger than {LARGEST:.0e}; leave it out")
    return found


def centred(vectors: Vectors) -> Floats:
    """The matrix without the vectors' mean: distances stay what they are."""
    np = needed("numpy", "curate")
    points = matrix(vectors)
    if not len(points):
        return points
    moved: Floats = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)
    return moved


def squared_norms(points: Floats) -> Floats:
    np = needed("numpy", "curate")
    found: Floats = np.einsum("ij,ij->i", points, points)
    return found


def nearest(vectors: Vectors, among: Sequence[int]) -> tuple[list[float], list[int]]:
    """For every vector the distance to the nearest of the vectors ``among`` (numbers of rows), and that one's number.

    Of several at one distance it is the first in ``among``. Raises ValueError where ``among`` is empty.
    """
    np = needed("numpy", "curate")
    points, rows = matrix(vectors), np.asarray(among, dtype=np.int64)
    if not len(rows):
        raise ValueError("there is nothing to be near to: give at least one row")
    moved = centred(points)
    owners = rows[assigned(moved, moved[rows])]
    return _apart(points, owners), owners.tolist()


def nearest_other(vectors: Vectors) -> list[float]:
    """For every vector the distance to the nearest of the others; none for a single one."""
    points = matrix(vectors)
    if len(points) < 2:
        return []
    moved = centred(points)
    return _apart(points, assigned(moved, moved, others=True))


def _apart(points: Floats, owners: Numbers) -> list[float]:
    """The distance of each point to the point with its owner's number, in 64 bits."""
    np = needed("numpy", "curate")
    found: list[float] = []
    for start in range(0, len(points), BLOCK):
        part = slice(start, start + BLOCK)
        apart = points[part].astype(np.float64) - points[owners[part]]
        found += np.sqrt(np.einsum("ij,ij->i", apart, apart)).tolist()
    return found


def assigned(points: Floats, centres: Floats, *, others: bool = False) -> Numbers:
    """For every point the number of its nearest centre; the lower number of two that are as near. With ``others`` the
    centres are the points themselves, and none is its own."""
    np = needed("numpy", "curate")
    sizes = squared_norms(centres)[:, None]
    found: Numbers = np.empty(len(points), dtype=np.int64)
    for start in range(0, len(points), BLOCK):
        products = centres @ points[start : start + BLOCK].T
        products *= -2
        products += sizes
        if others:
            own = np.arange(products.shape[1])
            products[start + own, own] = np.inf
        found[start : start + BLOCK] = products.argmin(axis=0)
    return found


def radius(vectors: Vectors, among: Sequence[int]) -> float:
    """The largest distance from any vector to the nearest of those ``among``: how much of the set is left uncovered."""
    return max(nearest(vectors, among)[0])
