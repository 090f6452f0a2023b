"""Recipes by name: those that ship, those of other packages, and those in a user's file.

A shipped recipe is a module of ``cultivar.recipes`` named after it (``evol-instruct`` is ``evol_instruct``); another
package offers one through the entry-point group ``cultivar.recipes``. Modules are imported when their recipe is asked
for, so that the command line starts at once.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cultivar.core.dataset import Dataset
from cultivar.core.errors import UsageError, did_you_mean

Run = Callable[..., Awaitable[Dataset]]
F = TypeVar("F", bound=Run)


@dataclass(frozen=True)
class Recipe:
    """``config`` is the frozen dataclass whose fields become flags; ``roles`` are the model roles it may ask."""

    name: str
    run: Run
    config: type[Any]
    roles: tuple[str, ...]
    paper: str
    module: str

    @property
    def summary(self) -> str:
        """The first line of the recipe's file."""
        module = importlib.import_module(self.module)
        return (inspect.getdoc(module) or self.name).splitlines()[0]


@dataclass(frozen=True)
class Option:
    """One field of a Config: what a flag needs to know."""

    name: str
    annotation: str
    default: Any
    doc: str
    choices: tuple[str, ...] = ()


_REGISTERED: dict[str, Recipe] = {}


def recipe(name: str, *, paper: str = "", roles: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Registers ``async def run(engine, items, config=Config())`` under a name that the command line knows."""

    def register(function: F) -> F:
        parameter = inspect.signature(function).parameters.get("config")
        if parameter is None or not dataclasses.is_dataclass(parameter.default):
            raise UsageError(f"recipe {name!r} needs a parameter `config: Config = Config()`, Config a dataclass")
        config = type(parameter.default)
        _REGISTERED[name] = Recipe(name, function, config, roles, paper, function.__module__)
        return function

    return register


def names() -> list[str]:
    """Every recipe that can be named, without importing any."""
    shipped = importlib.util.find_spec("cultivar.recipes")
    folders = (shipped.submodule_search_locations if shipped else None) or []
    found = {m.name.replace("_", "-") for m in pkgutil.iter_modules(folders) if not m.name.startswith("_")}
    found.update(point.name for point in importlib.metadata.entry_points(group="cultivar.recipes"))
    return sorted(found | set(_REGISTERED))


def get(name: str) -> Recipe:
    """The recipe of that name; raises UsageError with the nearest name."""
    if name not in _REGISTERED:
        for point in importlib.metadata.entry_points(group="cultivar.recipes", name=name):
            point.load()
        module = f"cultivar.recipes.{name.replace('-', '_')}"
        if name not in _REGISTERED and name in names() and importlib.util.find_spec(module):
            importlib.import_module(module)
    if name not in _REGISTERED:
        known = names()
        raise UsageError(
            f"there is no recipe {name!r}{did_you_mean(name, known)} Recipes: {', '.join(known)} (see: cultivar list)"
        )
    return _REGISTERED[name]


def options(config: type[Any]) -> list[Option]:
    """The fields of a Config with the string that stands below each as its documentation."""
    docs = _field_docs(config)
    hints = typing.get_type_hints(config)
    return [
        Option(
            f.name,
            str(f.type),
            f.default,
            docs.get(f.name, ""),
            typing.get_args(hints[f.name]) if typing.get_origin(hints[f.name]) is typing.Literal else (),
        )
        for f in dataclasses.fields(config)
    ]


def _field_docs(config: type[Any]) -> dict[str, str]:
    """Field -> the bare string after it, read from the source: dataclasses do not keep it."""
    source = Path(inspect.getfile(config)).read_text("utf-8")
    docs: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef) or node.name != config.__name__:
            continue
        for field, after in zip(node.body, node.body[1:], strict=False):
            match field, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = " ".join(text.split())
    return docs
