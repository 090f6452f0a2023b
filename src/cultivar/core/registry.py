"""Recipes by name: those that ship, those of other packages, and those in a user's file.

A shipped recipe is a module of ``cultivar.recipes`` named after it (``evol-instruct`` is ``evol_instruct``); another
package offers one through the entry-point group ``cultivar.recipes``; a user's own stands in a file that is named by
its path (``my_recipe.py``, or ``my_recipe.py:NAME`` where there are several). Modules are imported when their recipe is
asked for, so that the command line starts at once.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import pkgutil
import re
import sys
import traceback
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from cultivar.core.dataset import Dataset
from cultivar.core.errors import InputError, UsageError, did_you_mean
from cultivar.core.records import Document, Instruction, Record

Run = Callable[..., Awaitable[Dataset]]
F = TypeVar("F", bound=Run)


@dataclass(frozen=True)
class Recipe:
    """``config`` is the frozen dataclass whose fields become flags; ``roles`` are the model roles it may ask.

    ``takes`` is what its items are: Document (the passages of a corpus) or Instruction (the rows of an input). ``file``
    is where a user's own recipe stands, as it was named. ``whole``: its rows are decided by the whole set.
    """

    name: str
    run: Run
    config: type[Any]
    roles: tuple[str, ...]
    paper: str
    module: str
    takes: type[Record] = Document
    file: str = ""
    whole: bool = False

    @property
    def spec(self) -> str:
        """What stands behind ``cultivar run``."""
        return f"{self.file}:{self.name}" if self.file else self.name

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


def recipe(name: str, *, paper: str = "", roles: tuple[str, ...] = (), whole: bool = False) -> Callable[[F], F]:
    """Registers ``async def run(engine, items, config=Config())`` under a name that the command line knows.

    The annotation of ``items`` says what the recipe is run over: ``Iterable[Document]`` for the passages of a corpus,
    ``Iterable[Instruction]`` for the rows of an input. ``whole`` says that the set decides which rows there are (a
    selection, a split, rounds over a pool): such a run cannot end early at a number of rows (``--want``).
    """

    def register(function: F) -> F:
        parameter = inspect.signature(function).parameters.get("config")
        if parameter is None or not dataclasses.is_dataclass(parameter.default):
            raise UsageError(f"recipe {name!r} needs a parameter `config: Config = Config()`, Config a dataclass")
        module = function.__module__
        other = _REGISTERED.get(name)
        if other is not None and other.module == module and other.run.__qualname__ != function.__qualname__:
            raise UsageError(f"two recipes are called {name!r}; give one of them another name")
        config = type(parameter.default)
        _REGISTERED[name] = Recipe(name, function, config, roles, paper, module, _takes(name, function), whole=whole)
        return function

    return register


def _takes(name: str, function: Run) -> type[Record]:
    """Document or Instruction: the argument of the second parameter's annotation."""
    wanted = f"recipe {name!r}: annotate its items as Iterable[Document] (passages) or Iterable[Instruction] (rows)"
    parameters = list(inspect.signature(function).parameters)
    try:
        hint = typing.get_type_hints(function).get(parameters[1])
    except NameError as error:
        raise UsageError(f"{wanted}; {error}: import it where it is not only for type checkers") from None
    for found in (*typing.get_args(hint), hint):
        if found is Document or found is Instruction:
            return typing.cast("type[Record]", found)
    raise UsageError(f"{wanted}, and not as {'nothing' if hint is None else hint}")


def names() -> list[str]:
    """Every recipe that can be named, without importing any."""
    shipped = importlib.util.find_spec("cultivar.recipes")
    folders = (shipped.submodule_search_locations if shipped else None) or []
    found = {m.name.replace("_", "-") for m in pkgutil.iter_modules(folders) if not m.name.startswith("_")}
    found.update(point.name for point in importlib.metadata.entry_points(group="cultivar.recipes"))
    return sorted(found | set(_REGISTERED))


def get(name: str) -> Recipe:
    """The recipe of that name, or of a file (``PATH.py:NAME``); raises UsageError with the nearest name."""
    own = re.fullmatch(r"(.+\.py)(?::(.*))?", name, re.DOTALL)
    if own is not None:
        return from_file(Path(own.group(1)), own.group(2) or "")
    if name not in _REGISTERED:
        for point in importlib.metadata.entry_points(group="cultivar.recipes", name=name):
            point.load()
        module = f"cultivar.recipes.{name.replace('-', '_')}"
        if name not in _REGISTERED and name in names() and importlib.util.find_spec(module):
            importlib.import_module(module)
    if name not in _REGISTERED:
        known = names()
        file = Path(f"{name.replace('-', '_')}.py")
        near = f"; did you mean {str(file)!r}?" if file.is_file() else did_you_mean(name, known)
        raise UsageError(f"there is no recipe {name!r}{near} Recipes: {', '.join(known)} (see: cultivar list)")
    return _REGISTERED[name]


def from_file(path: Path, name: str = "") -> Recipe:
    """The recipe in a user's own file, which is run to find it, as ``python PATH`` would.

    ``name`` chooses among several. Raises UsageError if there is no such recipe, InputError if the file cannot be run.
    """
    module = _import(path)
    found = [each for each in _REGISTERED.values() if each.module == module.__name__]
    told = ", ".join(each.name for each in found)
    if not found:
        runs = [key for key, value in vars(module).items() if inspect.iscoroutinefunction(value)]
        raise UsageError(
            f"{path} holds no recipe; put @recipe({path.stem.replace('_', '-')!r}) above its run function"
            + (f" (`async def {runs[-1]}`?)" if runs else " (cultivar new recipe NAME writes one that works)")
        )
    if not name and len(found) > 1:
        raise UsageError(f"{path} holds several recipes; name one of them: {path}:{found[0].name} ({told})")
    chosen = [each for each in found if name in ("", each.name)]
    if not chosen:
        raise UsageError(f"{path} holds no recipe {name!r}{did_you_mean(name, (r.name for r in found))} It has: {told}")
    return replace(chosen[0], file=os.path.normpath(path))


def _import(path: Path) -> ModuleType:
    """Runs a file as the module that its name says, with its folder on the path, so that workers find it too."""
    if not path.is_file():
        near = did_you_mean(path.name, sorted(p.name for p in path.absolute().parent.glob("*.py")))
        raise UsageError(f"there is no file {path}{near or '; to write a recipe: cultivar new recipe NAME'}")
    full, stem = path.resolve(), path.stem
    old = sys.modules.get(stem)
    if old is not None and getattr(old, "__file__", None) == str(full):
        return old
    if old is not None or stem in sys.stdlib_module_names:
        raise UsageError(f"{path} has the name of another module, {stem!r}, which hides it; give it another name")
    spec = importlib.util.spec_from_file_location(stem, full)
    assert spec is not None and spec.loader is not None  # its name ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    sys.path.insert(0, str(full.parent))
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the file is the user's, and may do anything
        del sys.modules[stem]
        sys.path.remove(str(full.parent))
        for half in [each.name for each in _REGISTERED.values() if each.module == stem]:
            del _REGISTERED[half]
        raise InputError(f"{path} cannot be run: {_told(error, full)}") from error
    return module


def _told(error: BaseException, file: Path) -> str:
    """What went wrong in the file, with the last line of it that was running."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    where = f"line {lines[-1]}: " if lines else ""
    if isinstance(error, UsageError):
        return f"{where}{error}"
    if isinstance(error, ModuleNotFoundError):
        return f"{where}there is no module {error.name!r}; install it, or mend the import"
    return f"{where}{type(error).__name__}: {error}"


def options(config: type[Any]) -> list[Option]:
    """The fields of a Config with the string that stands below each as its documentation.

    Only what a flag can give is an option: a text, a number, yes or no, or nothing; other fields stay as they are.
    """
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
        if isinstance(f.default, str | int | float | None)
    ]


def _field_docs(config: type[Any]) -> dict[str, str]:
    """Field -> the bare string after it, read from the source: dataclasses do not keep it. Bases are read too."""
    docs: dict[str, str] = {}
    for base in filter(dataclasses.is_dataclass, reversed(config.__mro__)):
        docs |= _own_docs(base)
    return docs


def _own_docs(config: type[Any]) -> dict[str, str]:
    docs: dict[str, str] = {}
    for node in ast.walk(ast.parse(Path(inspect.getfile(config)).read_text("utf-8"))):
        if not isinstance(node, ast.ClassDef) or node.name != config.__name__:
            continue
        for field, after in zip(node.body, node.body[1:], strict=False):
            match field, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = " ".join(text.split())
    return docs
