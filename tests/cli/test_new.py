"""What ``cultivar new recipe`` writes: its test passes, and it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cultivar.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_it_passes_its_test_and_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "recipe", "short-answers"]) == 0
    assert "cultivar run short_answers.py" in capsys.readouterr().out
    assert sorted(p.name for p in folder.iterdir()) == ["short_answers.py", "test_short_answers.py"]
    tested = python("pytest", "-q", "-p", "no:cacheprovider", "test_short_answers.py")
    assert "3 passed" in tested.stdout, tested.stdout
    Path("rows.jsonl").write_text('{"id": 1, "prompt": "Why?"}\n{"id": 2, "prompt": "How?"}\n')
    Path("replies.jsonl").write_text('"Because of it."\n"As an AI I do not know."\n')
    words = ("--input", "rows.jsonl", "--model", "scripted:replies.jsonl", "--concurrency", "1", "--words", "9")
    done = python("cultivar.cli", "run", "short_answers.py", *words)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in Path("runs/short-answers/records.jsonl").read_text().splitlines()]
    assert [(r["prompt"], r["response"], r["meta"]) for r in rows] == [("Why?", "Because of it.", {"id": 1})]
    dropped = json.loads(Path("runs/short-answers/dropped.jsonl").read_text())
    assert dropped["reason"] == "speaks-of-itself"


def test_what_it_writes_is_clean(folder: Path) -> None:
    assert main(["new", "recipe", "my_recipe.py", "--json"]) == 0
    for words in (
        ("ruff", "check", "--isolated", "--line-length=120", "--select=E,F,I,UP,B", "."),
        ("ruff", "format", "--isolated", "--line-length=120", "--check", "."),
    ):
        done = python(*words)
        assert done.returncode == 0, done.stdout
    assert 'recipe("my-recipe"' in Path("my_recipe.py").read_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Short Stories!", "such as short-stories"),
        ("3-times", "such as times"),
        ("", "small letters"),
        ("../x", "such as x"),
        ("answer", "a recipe that ships is called 'answer'"),
        ("json", "is the name of a Python module"),
        ("class", "is the name of a Python module or word"),
        ("pytest", "is the name of a Python module"),
        ("taken", "taken.py exists"),
        ("tested", "test_tested.py exists"),
    ],
)
def test_a_name_that_cannot_be(name: str, told: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken.py").write_text("mine")
    Path("test_tested.py").write_text("mine")
    assert main(["new", "recipe", name]) == 2
    assert told in capsys.readouterr().err
    assert sorted(p.name for p in folder.iterdir()) == ["taken.py", "test_tested.py"]
