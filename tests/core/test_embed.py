"""Scope.embed: journalled and replayed like a call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cultivar.core.dataset import Dataset
from cultivar.core.protocols import Engine, Request
from cultivar.core.records import Instruction
from cultivar.core.scope import Scope
from cultivar.core.vectors import packed
from cultivar.testing import FunctionModel, toy_embedding, try_recipe

FOUND: list[list[float]] = []


@dataclass(frozen=True)
class Config:
    pass


async def vector(row: Instruction, scope: Scope, config: Config) -> list[float]:
    return await scope.embed("embedder", row.prompt)


async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    FOUND[:] = await engine.map(vector, rows, config)
    return Dataset([])


ROWS = [Instruction(prompt=text) for text in ("a b", "a a", "c")]


def test_it_is_replayed(tmp_path: Path) -> None:
    model = FunctionModel(lambda request: packed(toy_embedding(request.input or "")))
    for _ in range(2):
        try_recipe(run, ROWS, Config(), model=model, out=tmp_path)
        assert [toy_embedding(row.prompt) for row in ROWS] == FOUND
    assert len(model.requests) == 3
    assert {request.to_json()["input"] for request in model.requests} == {"a b", "a a", "c"}


@pytest.mark.parametrize("text", ["no vector", "", packed([1.0, float("nan")])])
def test_what_is_no_vector_fails_the_item(text: str) -> None:
    _, dropped = try_recipe(run, ROWS[:1], Config(), model=FunctionModel(lambda request: text))
    assert [row["reason"] for row in dropped] == ["failed-model"]


def test_a_request_for_a_chat_has_no_input() -> None:
    assert "input" not in Request(({"role": "user", "content": "x"},)).to_json()
