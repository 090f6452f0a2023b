from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cultivar.core import registry
from cultivar.core.dataset import Dataset
from cultivar.core.errors import CultivarError, UsageError
from cultivar.core.protocols import Engine
from cultivar.core.records import Document, Instruction


@dataclass(frozen=True)
class Config:
    rounds: int = 4
    "Evolution rounds;\n    the paper uses 4."
    style: str | None = None
    deep: bool = False
    "Go deep."


@registry.recipe("test-recipe", paper="1234.5678", roles=("judge",))
async def run(engine: Engine, items: list[Document], config: Config = Config()) -> Dataset:
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
        async def wrong(engine: Engine, items: list[Document]) -> Dataset:
            return Dataset([])


def test_the_annotation_says_what_a_recipe_takes() -> None:
    @registry.recipe("test-rows")
    async def rows(engine: Engine, items: Iterable[Instruction], config: Config = Config()) -> Dataset:
        return Dataset([])

    assert registry.get("test-rows").takes is Instruction
    assert registry.get("test-recipe").takes is Document
    with pytest.raises(UsageError, match=r"annotate its items as Iterable\[Document\].*not as .*list\[str\]"):

        @registry.recipe("test-texts")
        async def texts(engine: Engine, items: list[str], config: Config = Config()) -> Dataset:
            return Dataset([])


def test_every_shipped_recipe_imports_and_has_a_summary_and_a_doc_for_every_field() -> None:
    for name in registry.names():
        if name.startswith("test-"):
            continue
        found = registry.get(name)
        assert found.name == name
        assert len(found.summary) > 20
        assert all(o.doc for o in registry.options(found.config)), name


# recipes of one's own, in files

HEAD = """
'''Mine: the first line.'''
from collections.abc import Iterable
from dataclasses import dataclass
from cultivar import Dataset, Engine, Instruction, recipe

@dataclass(frozen=True)
class Config:
    least: int = 3
    "Least of it."
"""
ONE = """
@recipe({name!r})
async def {function}(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    return Dataset([])
"""


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What a file leaves in the process is gone after each test."""
    path = list(sys.path)
    yield
    sys.modules.pop("own_recipe", None)
    sys.path[:] = path
    for name in ("mine", "one", "other"):
        registry._REGISTERED.pop(name, None)


def own(folder: Path, *bodies: str, name: str = "own_recipe.py") -> Path:
    path = folder / name
    path.write_text("".join(bodies))
    return path


def test_a_recipe_in_a_file(tmp_path: Path) -> None:
    path = own(tmp_path, HEAD, ONE.format(name="mine", function="run"))
    for spec in (str(path), f"{path}:mine"):
        found = registry.get(spec)
        assert (found.name, found.takes, found.summary) == ("mine", Instruction, "Mine: the first line.")
        assert (found.file, found.spec, found.module) == (str(path), f"{path}:mine", "own_recipe")
        assert [o.doc for o in registry.options(found.config)] == ["Least of it."]


def test_of_several_one_has_to_be_named(tmp_path: Path) -> None:
    path = own(tmp_path, HEAD, ONE.format(name="one", function="a"), ONE.format(name="other", function="b"))
    with pytest.raises(UsageError, match=r"several recipes; name one of them: .*own_recipe.py:one \(one, other\)"):
        registry.get(str(path))
    assert registry.get(f"{path}:other").name == "other"
    with pytest.raises(UsageError, match="holds no recipe 'othr'; did you mean 'other'"):
        registry.get(f"{path}:othr")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("x = 1\n", r"holds no recipe; put @recipe\('own-recipe'\) above its run function"),
        ("async def go(engine): ...\n", r"`async def go`\?"),
        ("x = 1\ndef f(:\n", r"cannot be run: line 2: invalid syntax: def f\(:"),
        ("\nimport not_there_at_all\n", "line 2: there is no module 'not_there_at_all'; install it"),
        ("def f():\n    return 1 / 0\nf()\n", "line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "line 1: SystemExit: 3"),
        (HEAD + ONE.replace("config: Config = Config()", "n: int = 1"), "needs a parameter `config: Config"),
        (HEAD + ONE.replace("Iterable[Instruction]", "Iterable[int]"), "annotate its items as"),
        (HEAD + ONE.format(name="a", function="x") + ONE.format(name="a", function="y"), "two recipes are called 'a'"),
    ],
)
def test_a_file_that_is_no_recipe_gets_a_sentence(tmp_path: Path, body: str, told: str) -> None:
    path = own(tmp_path, body.replace("{name!r}", "'a'").replace("{function}", "run"))
    for _ in range(2):  # a failure leaves nothing behind
        with pytest.raises(CultivarError, match=told) as caught:
            registry.get(str(path))
        assert "\n" not in str(caught.value)
        sys.modules.pop("own_recipe", None)


def test_the_ending_of_a_file_was_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no recipe 'own-recipe'; did you mean 'own_recipe\.py'\?"):
        registry.get("own-recipe")


def test_a_file_that_is_not_there_or_hides_another_module(tmp_path: Path) -> None:
    own(tmp_path, "")
    with pytest.raises(UsageError, match=r"did you mean 'own_recipe\.py'"):
        registry.get(str(tmp_path / "own_recip.py"))
    for name in ("json.py", "cultivar.py"):
        with pytest.raises(UsageError, match="has the name of another module"):
            registry.get(str(own(tmp_path, HEAD, ONE.format(name="mine", function="run"), name=name)))
