"""docs/papers.md is made from the recipes: ``python tests/test_papers.py`` writes it."""

from __future__ import annotations

from pathlib import Path

from cultivar.core import registry

PAGE = Path(__file__).resolve().parents[1] / "docs" / "papers.md"


def page() -> str:
    lines = ["# Papers", "", "One recipe, one paper. `cultivar list` prints the same.", ""]
    lines += ["| recipe | arXiv | what it does |", "|---|---|---|"]
    for found in (registry.get(name) for name in registry.names()):
        if found.module.startswith("cultivar.recipes."):
            lines.append(f"| `{found.name}` | {found.paper or '-'} | {found.summary} |")
    return "\n".join(lines) + "\n"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), f"write it again: python {Path(__file__).name}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
