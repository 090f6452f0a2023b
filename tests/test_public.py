"""The public names: explicit, importable, each from the one module that defines it; and cheap to import."""

from __future__ import annotations

import subprocess
import sys

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
    "Record",
    "RunDirectory",
    "Sample",
    "Scope",
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
        cultivar.Recipe  # noqa: B018


def test_importing_loads_nothing_heavy() -> None:
    heavy = "{'aiohttp', 'pydantic', 'rich', 'jinja2', 'sqlite3', 'asyncio'}"
    script = f"import sys, cultivar, cultivar.cli.main; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
