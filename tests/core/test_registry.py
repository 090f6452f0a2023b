from __future__ import annotations

from dataclasses import dataclass

import pytest

from cultivar.core import registry
from cultivar.core.dataset import Dataset
from cultivar.core.errors import UsageError
from cultivar.core.protocols import Engine


@dataclass(frozen=True)
class Config:
    rounds: int = 4
    "Evolution rounds;\n    the paper uses 4."
    style: str | None = None
    deep: bool = False
    "Go deep."


@registry.recipe("test-recipe", paper="1234.5678", roles=("judge",))
async def run(engine: Engine, items: list[str], config: Config = Config()) -> Dataset:
    return Dataset([])


def test_a_registered_recipe_is_found() -> None:
    found = registry.get("test-recipe")
    assert (found.config, found.roles, found.paper) == (Config, ("judge",), "1234.5678")
    assert "test-recipe" in registry.names()


def test_options_come_from_the_config_with_their_docs() -> None:
    found = {o.name: o for o in registry.options(Config)}
    assert found["rounds"].doc == "Evolution rounds; the paper uses 4."
    assert (found["rounds"].default, found["style"].doc, found["deep"].doc) == (4, "", "Go deep.")


def test_an_unknown_recipe_gets_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="there is no recipe 'test-recipee'; did you mean 'test-recipe'"):
        registry.get("test-recipee")


def test_a_recipe_without_a_config_is_refused() -> None:
    with pytest.raises(UsageError, match="Config a dataclass"):

        @registry.recipe("wrong")
        async def wrong(engine: Engine, items: list[str]) -> Dataset:
            return Dataset([])


def test_every_shipped_recipe_imports_and_has_a_summary_and_a_doc_for_every_field() -> None:
    for name in registry.names():
        if name == "test-recipe":
            continue
        found = registry.get(name)
        assert found.name == name
        assert len(found.summary) > 20
        assert all(o.doc for o in registry.options(found.config)), name
