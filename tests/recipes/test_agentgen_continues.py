"""A larger number continues a run: what was accepted before stays, and nothing is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cultivar.core.records import Document
from cultivar.recipes.agentgen import Config, run
from cultivar.testing import try_recipe

PASSAGES = [Document(text=f"Passage {n} is about ferries, locks and keys in harbour number {n}.") for n in range(5)]


def passages() -> Iterator[Document]:
    yield from PASSAGES


@pytest.mark.parametrize("round_size", [2, 3, 16])
def test_what_was_accepted_is_the_beginning_of_what_will_be(round_size: int, tmp_path: Path) -> None:
    demanding: dict[str, Any] = {"tasks": 2, "round_size": round_size, "max_random": 0.0, "evolve": False}
    before, _ = try_recipe(run, passages(), Config(environments=2, **demanding), out=tmp_path)
    after, _ = try_recipe(run, passages(), Config(environments=7, **demanding), out=tmp_path)
    whole, _ = try_recipe(run, passages(), Config(environments=7, **demanding))
    assert len(before.records) > 0
    assert list(after.records)[: len(before.records)] == list(before.records)
    assert list(after.records) == list(whole.records)
