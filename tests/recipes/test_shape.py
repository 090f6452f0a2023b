"""One paper, one file, under 150 lines of code: prompts, documentation, blanks and imports are not counted."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cultivar.recipes

FILES = sorted(p for p in Path(cultivar.recipes.__path__[0]).glob("*.py") if not p.name.startswith("_"))


def code_lines(source: str) -> int:
    tree = ast.parse(source)
    lines = {n for n, line in enumerate(source.splitlines(), 1) if line.strip() and not line.strip().startswith("#")}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        prompt = (
            isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if text or prompt or isinstance(node, ast.Import | ast.ImportFrom):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_is_short(path: Path) -> None:
    source = path.read_text("utf-8")
    assert code_lines(source) <= 150 or "Long:" in (ast.get_docstring(ast.parse(source)) or ""), code_lines(source)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_recipe_says_where_it_departs(path: Path) -> None:
    assert "Departures" in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
