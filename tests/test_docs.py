"""Every fenced python block of README and docs is run, in order, one namespace and folder to a file."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from cultivar.core import registry

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search(p.read_text("utf-8"))], ids=lambda p: p.name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("docs_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    text = page.read_text("utf-8")
    try:
        for block in BLOCK.finditer(text):
            line = text[: block.start()].count("\n") + 1
            code = compile("\n" * line + block.group(1), str(page), "exec", dont_inherit=True)
            exec(code, module.__dict__)  # noqa: S102  (our own documentation)
    finally:  # a page's recipes end with the page
        for name in [n for n, found in registry._REGISTERED.items() if found.module == module.__name__]:
            del registry._REGISTERED[name]


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
