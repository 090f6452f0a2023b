"""What commands print: JSON, or text for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import orjson


def print_json(value: Any) -> None:
    option = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(value, option=option).decode())


def table(rows: Sequence[tuple[str, ...]], *, header: tuple[str, ...] | None = None) -> str:
    """Columns two spaces apart; a cell that looks like a number stands to the right, and so does what heads numbers."""
    shown = [*([header] if header else []), *rows]
    if not shown:
        return ""
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    numbers = [all(_is_number(row[i]) for row in rows) for i in range(len(widths))]
    lines = []
    for row in shown:
        right = [n or _is_number(c) for c, n in zip(row, numbers, strict=True)]
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        lines.append("  ".join(cells).rstrip())
    if header:
        lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit() or cell[:1] in ("$", "–")
