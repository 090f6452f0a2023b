"""Vectors: blocks give what one comparison after another gives."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from cultivar.curate import semantic  # noqa: E402
from cultivar.curate.findings import Finding  # noqa: E402
from cultivar.curate.semantic import semantic_duplicates, semantic_matches  # noqa: E402


def one_by_one(vectors: list[list[float]], threshold: float) -> list[int | None]:
    kept: list[int] = []
    found: list[int | None] = []
    for at, vector in enumerate(vectors):
        a = np.asarray(vector)
        cosines = [float(a @ np.asarray(vectors[k])) for k in kept]
        lengths = [float(np.linalg.norm(a) * np.linalg.norm(vectors[k])) for k in kept]
        similar = [c / n if n else 0.0 for c, n in zip(cosines, lengths)]
        best = max(range(len(kept)), key=lambda k: similar[k], default=None)
        if best is not None and similar[best] >= threshold:
            found.append(kept[best])
        else:
            kept.append(at)
            found.append(None)
    return found


@pytest.mark.parametrize("block", [1, 3, 7, 1024])
@pytest.mark.parametrize("threshold", [0.6, 0.9])
def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch, block: int, threshold: float) -> None:
    monkeypatch.setattr(semantic, "BLOCK", block)
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(200, 6)).tolist()
    vectors[50] = [0.0] * 6
    vectors[60] = [0.0] * 6
    vectors[150] = [3 * x for x in vectors[10]]
    found = list(semantic_duplicates(iter(vectors), threshold))
    assert [f and f.evidence["of"] for f in found] == one_by_one(vectors, threshold)
    assert found[150] == Finding(
        "semantic-duplicate", {"of": found[150] and found[150].evidence["of"], "similarity": 1.0}
    )


def test_the_nearest_of_each_query_are_found() -> None:
    vectors = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]]
    found = semantic_matches(vectors, [[1.0, 0.0], [0.0, 2.0]], k=2)
    assert [f and (f.evidence["query"], f.evidence["rank"]) for f in found] == [(0, 1), (0, 2), (1, 1), None, None]
    strict = semantic_matches(vectors, [[1.0, 0.0], [0.0, 2.0]], k=2, threshold=0.999)
    assert [f is not None for f in strict] == [True, False, True, False, False]
    assert semantic_matches(vectors, [], k=2) == [None] * 5
    assert semantic_matches([], vectors) == []
    assert all(semantic_matches(vectors, vectors, k=99))
    tied = semantic_matches([[1.0]] * 4, [[1.0]], k=2)
    assert [match is not None for match in tied] == [True, True, False, False]


@pytest.mark.parametrize("wrong", [[[1.0, 2.0], [1.0]], [[1.0, float("nan")]], [["a", "b"]], [1.0, 2.0]])
def test_what_is_no_matrix_is_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="vectors 0 to"):
        list(semantic_duplicates(wrong))


def test_limits_are_told() -> None:
    with pytest.raises(ValueError, match="cosine similarity above 0"):
        list(semantic_duplicates([[1.0]], threshold=0))
    with pytest.raises(ValueError, match="from 1"):
        semantic_matches([[1.0]], [[1.0]], k=0)
