"""The public names: explicit, importable, each from the one module that defines it; and cheap to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cultivar

PUBLIC = [
    "CultivarError",
    "Dataset",
    "Document",
    "Engine",
    "Environment",
    "EnvironmentSpec",
    "InputError",
    "Instruction",
    "Message",
    "Model",
    "Preference",
    "Ranking",
    "Record",
    "RunDirectory",
    "Sample",
    "Scope",
    "StepLabels",
    "Task",
    "Trajectory",
    "Turn",
    "Unparsable",
    "UsageError",
    "Verdict",
    "recipe",
]


def test_the_list() -> None:
    assert list(cultivar.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_comes_from_where_it_is_defined(name: str) -> None:
    assert getattr(cultivar, name).__module__ == cultivar._PLACE[name]


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Recipe'"):
        cultivar.Recipe  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_are_told_the_same() -> None:
    """The stub names every public name, and the place it comes from."""
    stub = Path(cultivar.__file__).with_suffix(".pyi").read_text("utf-8")
    told = {
        alias.name: node.module
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == cultivar._PLACE


def test_importing_loads_nothing_heavy() -> None:
    heavy = "{'aiohttp', 'pydantic', 'rich', 'jinja2', 'sqlite3', 'asyncio'}"
    script = f"import sys, cultivar, cultivar.cli.main; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
