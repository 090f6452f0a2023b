"""Near-duplicates and matches by embedding: cosine similarity of vectors, in blocks.

Every pair that matters is compared (SemDeDup, arXiv 2303.09540, compares within clusters alone). A vector without
length resembles nothing. Needs the ``curate`` extra.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from cultivar.core.extras import needed
from cultivar.curate.findings import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1024
"""Vectors compared at once; a block of similarities has ``BLOCK`` times ``8 * BLOCK`` values."""


def semantic_duplicates(vectors: Iterable[Sequence[float]], threshold: float = 0.95) -> Iterator[Finding | None]:
    """For each vector, in order, its finding if the cosine similarity to one that was kept before it is at least
    ``threshold``; or None, if it is to be kept.

    Evidence: ``of``, the position (from 0) of the most similar vector that was kept, and ``similarity``. Memory: the
    vectors that are kept, in single precision. Raises ValueError for a threshold outside (0, 1] and for vectors that
    are not of one length or hold what is no number; UsageError where the ``curate`` extra is missing.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold {threshold}: give a cosine similarity above 0 and up to 1, such as 0.95")
    np = needed("numpy", "curate")
    kept: list[Any] = []  # matrices of at most 8 blocks
    positions: list[int] = []
    given = iter(vectors)
    start = 0
    while rows := list(islice(given, BLOCK)):
        block = _units(rows, start, kept[0].shape[1] if kept else None)
        best, nearest = _most_similar(block, kept)
        within = block @ block.T
        fresh = np.zeros(len(block), dtype=bool)
        for at in range(len(block)):
            similarity, of = float(best[at]), int(nearest[at])
            earlier = np.flatnonzero(fresh[:at])
            if len(earlier):
                among = within[at, earlier]
                if float(among.max()) > similarity:
                    similarity, of = float(among.max()), len(positions) - len(earlier) + int(among.argmax())
            if similarity >= threshold - 1e-6:  # what single precision loses
                yield Finding("semantic-duplicate", {"of": positions[of], "similarity": round(min(similarity, 1.0), 4)})
            else:
                fresh[at] = True
                positions.append(start + at)
                yield None
        _append(kept, block[fresh])
        start += len(block)


def semantic_matches(
    vectors: Sequence[Sequence[float]] | NDArray[np.float32],
    queries: Sequence[Sequence[float]] | NDArray[np.float32],
    k: int = 5,
    *,
    threshold: float = -1.0,
) -> list[Finding | None]:
    """For each vector its finding if it is among the ``k`` nearest of any query, such as an item of a benchmark, with
    at least that cosine similarity. Evidence: ``query`` (position of the query that it resembles most), ``rank`` (from
    1) and ``similarity``. Arena Learning (arXiv 2407.10627) takes out the 5 nearest, however near they are.

    Raises ValueError as ``semantic_duplicates`` does.
    """
    if k < 1:
        raise ValueError(f"k {k}: give a number of neighbours from 1")
    np = needed("numpy", "curate")
    found: list[Finding | None] = [None] * len(vectors)
    if not len(vectors) or not len(queries):
        return found
    rows = _units(vectors, 0, None)
    asked = _units(queries, 0, rows.shape[1])
    for at, query in enumerate(asked):
        similar = rows @ query
        least = np.partition(similar, -min(k, len(rows)))[-min(k, len(rows))]
        nearest = np.flatnonzero(similar >= max(float(least), threshold - 1e-6))
        ranked = nearest[np.argsort(-similar[nearest], kind="stable")][:k]
        for rank, row in enumerate(ranked.tolist(), 1):
            similarity = round(min(float(similar[row]), 1.0), 4)
            before = found[row]
            if before is None or similarity > before.evidence["similarity"]:
                found[row] = Finding("semantic-match", {"query": at, "rank": rank, "similarity": similarity})
    return found


def _units(rows: Any, start: int, width: int | None) -> Any:
    np = needed("numpy", "curate")
    try:
        block = np.asarray(rows, dtype=np.float32)
    except (TypeError, ValueError):
        block = np.zeros(0, dtype=np.float32)
    if block.ndim != 2 or (width is not None and block.shape[1] != width):
        raise ValueError(f"the vectors {start} to {start + len(rows) - 1} are not all of one length, or no numbers")
    if not np.isfinite(block).all():
        raise ValueError(f"one of the vectors {start} to {start + len(rows) - 1} holds what is no finite number")
    lengths = np.linalg.norm(block.astype(np.float64), axis=1, keepdims=True)
    return np.divide(block, lengths, out=np.zeros_like(block), where=lengths > 0, casting="same_kind")


def _most_similar(block: NDArray[np.float32], kept: list[Any]) -> tuple[Any, Any]:
    """For each row the highest similarity to a kept vector, and which one that is, counted over all that are kept."""
    np = needed("numpy", "curate")
    best, nearest = np.full(len(block), -2.0, dtype=np.float32), np.zeros(len(block), dtype=np.int64)
    before = 0
    for part in kept:
        similar = block @ part.T
        at = similar.argmax(axis=1)
        value = similar[np.arange(len(block)), at]
        nearer = value > best
        best[nearer], nearest[nearer] = value[nearer], before + at[nearer]
        before += len(part)
    return best, nearest


def _append(kept: list[Any], fresh: Any) -> None:
    np = needed("numpy", "curate")
    if not len(fresh):
        return
    if kept and len(kept[-1]) + len(fresh) <= 8 * BLOCK:
        kept[-1] = np.concatenate([kept[-1], fresh])
    else:
        kept.append(fresh)
