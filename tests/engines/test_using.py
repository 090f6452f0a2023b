"""A flywheel: maps in which another model plays a role, generation after generation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cultivar.core.dataset import Dataset, Flat
from cultivar.core.errors import UsageError
from cultivar.core.journal import Journal
from cultivar.core.protocols import Engine, Model, OpenModel
from cultivar.core.records import Instruction, Sample
from cultivar.core.scope import Scope
from cultivar.engines.local import LocalEngine
from cultivar.testing import FunctionModel, try_recipe


@dataclass(frozen=True)
class Config:
    generations: int = 2


async def battle(row: Instruction, scope: Scope) -> list[Sample]:
    answers = [(await scope.ask(role, row.prompt)).text for role in ("student", "opponent-a")]
    messages = tuple({"role": "assistant", "content": text} for text in answers)
    return [Sample(messages=messages, parents=(row.id,))]


async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    rows, found = list(rows), [await engine.map(battle, rows, stage="battle-0")]
    old = engine
    for generation in range(1, config.generations + 1):
        engine = engine.using(student=f"student-{generation}")
        assert engine.has_model("student") and engine.folder == old.folder and not engine.stopping
        assert engine.rng("split").random() == old.rng("split").random() != old.rng("other").random()
        assert [role for role in engine.roles if role.startswith("opponent-")] == ["opponent-a"]
        found.append(await engine.map(battle, rows, stage=f"battle-{generation}"))
    return Dataset(Flat([sample for part in found for sample in part]))


ROWS = [Instruction(prompt="one"), Instruction(prompt="two")]


def opened(made: list[FunctionModel]) -> OpenModel:
    def open_model(spec: str, role: str) -> Model:
        made.append(FunctionModel(lambda request: f"{spec} as {role}", name=spec))
        return made[-1]

    return open_model


def test_each_generation_asks_its_own_model_and_all_is_replayed(tmp_path: Path) -> None:
    made: list[FunctionModel] = []
    roles = {
        "student": FunctionModel(lambda request: "base", name="base"),
        "opponent-a": FunctionModel(lambda request: "rival", name="rival"),
    }
    found = [try_recipe(run, ROWS, Config(2), roles=roles, out=tmp_path, open_model=opened(made))[0] for _ in range(2)]
    for dataset in found:
        said = [
            tuple(m["content"] for m in sample.messages) for sample in dataset.records if isinstance(sample, Sample)
        ]
        generations = ["base", "student-1 as student", "student-2 as student"]
        assert said == [(student, "rival") for student in generations for _ in ROWS]
    assert [len(model.requests) for model in made] == [2, 2, 0, 0]
    assert len(roles["student"].requests) == 2 and len(roles["opponent-a"].requests) == 6


def test_without_a_way_to_open_models_it_says_so(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal, pytest.raises(UsageError, match="open_model"):
        LocalEngine(journal).using(student="openai:x@http://h/v1")
