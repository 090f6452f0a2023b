from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="clusters need the extra 'curate'")
pytest.importorskip("rensa", reason="near-duplicates need the extra 'curate'")

from cultivar.core.dataset import Dataset
from cultivar.core.protocols import Engine
from cultivar.core.records import JSON, Instruction
from cultivar.curate import prompts
from cultivar.testing import FunctionModel, try_recipe

Found = list[Instruction]


def rows(*texts: str) -> Found:
    return [Instruction(prompt=text) for text in texts]


def engine_of(work: Any) -> tuple[Any, list[dict[str, JSON]]]:
    """What ``work(engine)`` gives, and what it discarded."""
    kept: list[Any] = []

    async def run(engine: Engine, items: Found) -> Dataset:
        kept.append(work(engine))
        return Dataset([])

    _, dropped = try_recipe(run, [], model=FunctionModel(lambda request: ""))
    return kept[0], dropped


def test_rows_are_long_enough_and_begin_and_read_differently() -> None:
    same = "a b c d e f g h i j"
    given = rows("Why?", f"{same} first", "How do bees dance?", f"{same.upper()} second", "How do wasps dance?")
    kept, dropped = engine_of(lambda engine: prompts.distinct(engine, given))
    assert kept == [given[1], given[2]]
    assert [(row["reason"], row["subject"]["id"]) for row in dropped] == [
        ("too-short", given[0].id),
        ("same-prefix", given[3].id),
        ("one-word-apart", given[4].id),
    ]
    assert dropped[1]["evidence"]["of"] == given[1].id
    assert {row["reason"] for row in dropped} <= set(prompts.REASONS)


def test_a_prompt_has_ten_characters_or_more() -> None:
    given = rows("Who is it", "Count fish", "   Sing!    ", "¿Qué hora es?")
    kept, dropped = engine_of(lambda engine: prompts.distinct(engine, given))
    assert kept == [given[1], given[3]]
    assert [(row["reason"], row["evidence"]) for row in dropped] == [("too-short", {"least": 10})] * 2


def test_the_nearest_to_a_benchmark_are_left_out() -> None:
    placed = [(row, [float(n), 1.0]) for n, row in enumerate(rows(*"abcdef"))]
    kept, dropped = engine_of(lambda engine: prompts.unlike(engine, placed, [[0.0, 1.0]], k=2))
    assert [row.prompt for row, _ in kept] == ["c", "d", "e", "f"]
    assert [row["reason"] for row in dropped] == ["semantic-match"] * 2


def test_some_of_every_cluster() -> None:
    placed = [(row, [float(n // 60), n % 7 / 100]) for n, row in enumerate(rows(*map(str, range(240))))]
    (first, others), _ = engine_of(lambda engine: prompts.from_clusters(engine, placed, 4, 2, 5))
    assert sorted(int(row.prompt) // 60 for row in first) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sorted({int(row.prompt) // 60 for row in others}) == [0, 1, 2, 3]
    assert len(others) == 20
    assert not {row.id for row in first} & {row.id for row in others}
    (few, _), _ = engine_of(lambda engine: prompts.from_clusters(engine, placed[:79], 4, 2, 5))
    assert len(few) == 2  # one cluster to forty rows
    assert engine_of(lambda engine: prompts.from_clusters(engine, [], 4, 2, 5))[0] == ([], [])


@given(st.integers(0, 50), st.integers(1, 9))
def test_parts_are_disjoint_of_equal_size_and_in_order(count: int, parts: int) -> None:
    given = rows(*map(str, range(count)))
    found = prompts.split(given, parts, random.Random(count))
    assert sorted(int(row.prompt) for part in found for row in part) == list(range(count))
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert all(part == sorted(part, key=lambda row: int(row.prompt)) for part in found)
