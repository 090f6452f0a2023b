"""run --dry-run: the first prompts, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cultivar.cli.main import main


def test_it_prints_the_first_prompts_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"prompt": "number {n}"}}\n' for n in range(100)))
    assert main(["run", "answer", "--input", "rows.jsonl", "--dry-run", "--temperature", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "=== 1 · answerer · temperature 0.5" in said and "[user]\nnumber 0" in said and "number 7" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "agentgen", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 5 and all(row["role"] == "author" and row["messages"] for row in found)


def test_a_recipe_that_asks_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "agentgen", "--proposer", "procedural", "--environments", "1", "--tasks", "1", "--dry-run"]
    assert main(words) == 1
    assert "asks no model anything" in capsys.readouterr().err


def test_texts_that_are_embedded_are_shown_where_nothing_is_asked_and_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"prompt": "Row {n}", "response": "Yes."}}\n' for n in range(9)))
    words = ["run", "diverse-evol", "--input", "rows.jsonl", "--dry-run", "--first", "2"]
    assert main(words) == 0
    assert "=== 1 · embedder\n\n[embedded]\nRow 0" in capsys.readouterr().out
    assert main([*words, "--train", "touch trained {rows}"]) == 2
    assert "a dry run trains nothing" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]
