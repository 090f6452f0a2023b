"""Numbers for a reader, and hostile text made fit to be drawn."""

from __future__ import annotations

import json
import math
import re
from typing import TypeAlias

from cultivar.core.records import JSON

Cell: TypeAlias = str | int | float | None

# Control characters that HTML forbids or a terminal obeys, and halves of surrogate pairs; tab and newline stay.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """Line ends as newlines, what cannot be printed as U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def clip(text: str, limit: int) -> str:
    """At most ``limit`` characters and a word on what was left out."""
    left_out = len(text) - limit
    return clean(text[:limit]) + (f" … [{left_out:,} more characters]" if left_out > 0 else "")


def one_line(text: str, limit: int) -> str:
    """As ``clip``, with every run of white space as one space."""
    return clip(" ".join(text.split()), limit)


def shown(value: JSON) -> str:
    """A setting's value: a text as it is, all else as JSON (keys sorted); what is no JSON by its own name."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def number(value: Cell) -> str:
    """Thousands apart, fractions to three significant digits, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def money(dollars: float | None) -> str:
    """Two decimals, and four for what is less than a dollar."""
    if dollars is None:
        return "–"
    return f"${dollars:,.2f}" if dollars >= 1 or dollars == 0 else f"${dollars:.4f}"


def seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f} s"


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below ``least``; 1 if that is no positive number."""
    if not (0 < least < math.inf):
        return 1.0
    exponent = math.floor(math.log10(least))
    return next(step for digit in (1, 2, 5, 10) if (step := float(f"{digit}e{exponent}")) >= least * (1 - 1e-9))
