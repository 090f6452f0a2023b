"""Choosing a few of many vectors: K-center greedy, and the k-means that it is compared with.

    k_center    farthest first: each pick is the vector whose nearest chosen one is the farthest away
    central     k-means; of each cluster the vector nearest to its centre
    clusters    k-means; the cluster of each vector

``gaps_in_order`` says how far each pick of a method was from those before it.

All of them take n x d vectors (``cultivar.curate.distances.Vectors``) and give numbers of rows. Randomness comes from
the generator that is given. Sums are taken in another order by another machine's linear algebra, so that picks of two
candidates within rounding of each other may differ there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from cultivar.core.extras import needed
from cultivar.curate.distances import BLOCK, Vectors, assigned, centred, matrix, radius, squared_norms

if TYPE_CHECKING:
    from cultivar.curate.distances import Floats, Numbers

NOISE = 2e-6
"""Rounding of a squared distance, as a share of the squared norm of what it is measured from."""
PICKS = 128
"""Picks at most before all vectors are looked at again."""
FRONT = 1024
"""The farthest vectors, of which picks are made between two looks at all; it widens and narrows as picks go."""


@dataclass(frozen=True)
class Growth:
    """``picks`` in their order; ``distances[i]`` is that of pick i to its nearest chosen one when it was picked, and
    never grows; ``radius`` is the largest that is left when all are picked."""

    picks: list[int]
    distances: list[float]
    radius: float


def k_center(vectors: Vectors, count: int, chosen: Sequence[int]) -> Growth:
    """K-center greedy (Gonzalez 1985) from the rows ``chosen``: ``count`` picks, or all that are left.

    Exactly the greedy's picks, up to rounding; of several that are as far, the first. The greedy looks at every vector
    after each pick. Distances only shrink, so that most need no look: picks are made of the front, the vectors that
    were farthest, for as long as the farthest of these is farther than any vector outside was; then all vectors take in
    the picks at once, in one product of matrices. Raises ValueError where nothing is chosen.
    """
    np = needed("numpy", "curate")
    if not len(chosen):
        raise ValueError("K-center grows from what is chosen already: give at least one row")
    points = centred(vectors)
    space = _Space(points, squared_norms(points))
    gaps = np.full(len(points), np.inf, dtype=np.float32)
    space.take_in(gaps, np.asarray(chosen, dtype=np.int64))
    picks: list[int] = []
    distances: list[float] = []
    width = FRONT
    while len(picks) < count:
        picked, apart = space.pick(gaps, min(PICKS, count - len(picks)), width)
        if picked:
            space.take_in(gaps, np.asarray(picked, dtype=np.int64))
            picks += picked
            distances += apart
        elif width >= len(points):
            break  # everything is chosen
        if len(picked) < PICKS // 4:
            width = min(2 * width, len(points))
        elif len(picked) == PICKS:
            width = max(width // 2, PICKS)
    falling = list(accumulate(distances, min))  # two that tie may be told in the other order, apart by rounding
    return Growth(picks, falling, radius(vectors, [*chosen, *picks]))


def gaps_in_order(vectors: Vectors, picks: Sequence[int], chosen: Sequence[int] = ()) -> list[float | None]:
    """The distance of each pick to the nearest row chosen before it, None where there is none: what ``k_center`` tells
    of its own picks, for those of another method."""
    np = needed("numpy", "curate")
    points = matrix(vectors).astype(np.float64)
    held = [*chosen, *picks]
    found: list[float | None] = []
    for before, pick in enumerate(picks, len(chosen)):
        apart = points[held[:before]] - points[pick]
        found.append(float(np.sqrt(np.einsum("ij,ij->i", apart, apart).min())) if before else None)
    return found


@dataclass(frozen=True)
class _Space:
    """``gaps`` are squared distances to the nearest chosen vector, -inf for the chosen ones."""

    points: Floats
    norms: Floats

    def take_in(self, gaps: Floats, rows: Numbers) -> None:
        """All gaps, now that ``rows`` are chosen too."""
        np = needed("numpy", "curate")
        for first in range(0, len(rows), PICKS):
            some = rows[first : first + PICKS]
            centres, sizes = self.points[some], self.norms[some][:, None]
            for start in range(0, len(gaps), BLOCK):
                part = slice(start, start + BLOCK)
                products = centres @ self.points[part].T
                products *= -2
                products += sizes
                _shrink(gaps[part], products.min(axis=0) + self.norms[part], self.norms[part])
        gaps[rows] = -np.inf

    def pick(self, gaps: Floats, count: int, width: int) -> tuple[list[int], list[float]]:
        """Up to ``count`` of the greedy's next picks, as far as the ``width`` farthest vectors decide them."""
        np = needed("numpy", "curate")
        outside = -np.inf
        front = np.arange(len(gaps))
        if width < len(gaps):
            order = np.argpartition(gaps, len(gaps) - width - 1)
            outside = gaps[order[len(gaps) - width - 1]]
            front = np.sort(order[len(gaps) - width :])
        near, norms, left = self.points[front], self.norms[front], gaps[front]
        picks: list[int] = []
        distances: list[float] = []
        while len(picks) < count:
            top = int(left.argmax())
            least = left[top] - NOISE * norms[top]
            if left[top] == -np.inf or least <= outside:
                break
            at = int((left >= least).argmax())
            picks.append(int(front[at]))
            distances.append(float(np.sqrt(left[at])))
            _shrink(left, norms + norms[at] - 2 * (near @ near[at]), norms)
            left[at] = -np.inf
        return picks, distances


def _shrink(gaps: Floats, squared: Floats, norms: Floats) -> None:
    """The lesser of each, in place; what is within rounding of nothing is nothing, so that copies tie."""
    np = needed("numpy", "curate")
    squared[squared < NOISE * norms] = 0
    np.minimum(gaps, squared, out=gaps)


def clusters(vectors: Vectors, k: int, rng: random.Random, *, rounds: int = 50) -> list[int]:
    """The cluster of each vector by k-means (k-means++ for the start, then Lloyd's steps until nothing moves).

    At most ``k`` clusters, fewer where fewer vectors differ, numbered from 0 in the order of their first members.
    """
    return _k_means(centred(vectors), k, rng, rounds)[0]


def central(vectors: Vectors, count: int, rng: random.Random, chosen: Sequence[int] = ()) -> list[int]:
    """``count`` rows that are not ``chosen``: k-means of these into ``count`` clusters, and of each the vector nearest
    to the centre. Where there are fewer clusters, the next nearest of each."""
    np = needed("numpy", "curate")
    points = centred(vectors)
    free = np.setdiff1d(np.arange(len(points)), np.asarray(chosen, dtype=np.int64))
    if not len(free) or count < 1:
        return []
    labels, centres = _k_means(points[free], count, rng, 50)
    apart = squared_norms(points[free] - centres[labels])
    members: dict[int, list[int]] = {}
    for at in np.argsort(apart, kind="stable").tolist():
        members.setdefault(labels[at], []).append(at)
    ranked = sorted((rank, label, at) for label, group in members.items() for rank, at in enumerate(group))
    return [int(free[at]) for _, _, at in ranked[:count]]


def _k_means(points: Floats, k: int, rng: random.Random, rounds: int) -> tuple[list[int], Floats]:
    """Labels and centres."""
    np = needed("numpy", "curate")
    if k < 1:
        raise ValueError(f"{k} clusters: give at least 1")
    if not len(points):
        return [], points
    centres = points[_spread(points, min(k, len(points)), rng)]
    labels = assigned(points, centres)
    for _ in range(rounds):
        centres = _means(points, labels, centres)
        moved = assigned(points, centres)
        if (moved == labels).all():
            break
        labels = moved
    kept, first = np.unique(labels, return_index=True)
    order = kept[np.argsort(first)]
    names = np.zeros(len(centres), dtype=np.int64)
    names[order] = np.arange(len(order))
    return names[labels].tolist(), centres[order]


def _spread(points: Floats, k: int, rng: random.Random) -> list[int]:
    """Up to k rows by k-means++ (Arthur and Vassilvitskii 2007): each drawn with its squared distance as weight."""
    np = needed("numpy", "curate")
    norms = squared_norms(points)
    gaps = np.full(len(points), np.inf, dtype=np.float32)
    rows = [rng.randrange(len(points))]
    while True:
        at = rows[-1]
        _shrink(gaps, norms + norms[at] - 2 * (points @ points[at]), norms)
        gaps[at] = 0
        mass = np.cumsum(gaps, dtype=np.float64)
        if len(rows) == k or mass[-1] <= 0:
            return rows
        drawn = int(np.searchsorted(mass, rng.random() * mass[-1], side="right"))
        rows.append(min(drawn, int(np.flatnonzero(gaps)[-1])))


def _means(points: Floats, labels: Numbers, centres: Floats) -> Floats:
    """The mean of each cluster; an empty one takes the vector that is farthest from its own centre."""
    np = needed("numpy", "curate")
    order = np.argsort(labels, kind="stable")
    kept, starts = np.unique(labels[order], return_index=True)
    means = centres.copy()
    counts = np.diff([*starts, len(labels)])[:, None]
    means[kept] = np.add.reduceat(points[order], starts, axis=0, dtype=np.float64) / counts
    empty = np.setdiff1d(np.arange(len(centres)), kept)
    if len(empty):
        far = np.argsort(-squared_norms(points - means[labels]), kind="stable")
        means[empty] = points[far[: len(empty)]]
    return means
