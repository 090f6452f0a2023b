"""Numbers as solutions write them: "$1,234.50", "18 dollars", "3/4", "1 1/2", "50\\%", "2 million", "x = 5".

    Quantity      an exact value, how it was written, and its unit where that is one of those known here
    quantity      what a short text says, None where it is no plain number
    same_quantity whether two of them are equal
    may_be_meant  whether they would be equal if the one without a unit were meant in another unit than the other's

Units: "1 hour" is "60 minutes" and "5 kg" is not "5 m", but a unit that is not in ``UNITS`` ("18 apples", "18 eggs per
day"), or that stands on one side alone, is not looked at. A percentage equals its number and its value: "50%" is "50"
and "0.5" ("50" is not "0.5"). Decimals are equal where they differ by at most a millionth: "0.3333333" is "1/3".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_TEXT = 500
"""Characters of a text that may be a plain number."""
CLOSE = Fraction(1, 1_000_000)
"""How far apart two numbers may be of which one is written as a decimal (for those below 1: relatively)."""

_WORDS = {
    "time": {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86400, "week": 604800},
    "length": {
        "mm": 1, "millimeter": 1, "millimetre": 1, "cm": 10, "centimeter": 10, "centimetre": 10,
        "m": 1000, "meter": 1000, "metre": 1000, "km": 10**6, "kilometer": 10**6, "kilometre": 10**6,
    },
    "imperial length": {"inch": 1, "inche": 1, "foot": 12, "feet": 12, "ft": 12, "yard": 36, "yd": 36, "mile": 63360},
    "mass": {"mg": 1, "milligram": 1, "g": 1000, "gram": 1000, "kg": 10**6, "kilogram": 10**6},
    "volume": {"ml": 1, "milliliter": 1, "millilitre": 1, "l": 1000, "liter": 1000, "litre": 1000},
    "money": {"cent": 1, "¢": 1, "dollar": 100, "$": 100, "usd": 100},
    "percent": {"%": 1, "percent": 1, "per cent": 1},
}  # fmt: skip
UNITS = {word: (kind, factor) for kind, words in _WORDS.items() for word, factor in words.items()}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_FORMULA_WORDS = "and or to plus minus times over mod pi e i sqrt root sin cos tan log ln exp"
MATHS = frozenset(_FORMULA_WORDS.split())
"""Words after a number that make it part of a formula, or of a list."""

_QUANTITY = re.compile(
    r"(?:[A-Za-z]\w{0,20}\s?=\s?)?"
    r"(?:(?:approximately|approx\.?|about|around|roughly|only|exactly|a total of|≈|~|=)\s?)?"
    r"(?P<sign>[-+])?\s?(?P<currency>US\$|\$|€|£|¥)?\s?(?P<inner>-)?"
    r"(?:(?P<whole>\d{1,15})\s(?=\d+\s?/))?"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)"
    r"(?:\s?/\s?(?P<under>\d+(?:\.\d+)?)|e(?P<power>[-+]?\d{1,2})(?!\w))?"
    r"(?P<rest>[^\d].*)?",
    re.IGNORECASE | re.DOTALL,
)
_GLOSS = re.compile(r"(.*\S)\s*(?:\((?:or |i\.e\.,? |that is,? |= ?)?([^()]{1,80})\)| = ([^=]{1,80}))")
"""A number, and the same in other words: "60 minutes (1 hour)", "3/8 = 0.375"."""
_UNIT_WORDS = re.compile(r"[^\W\d_]+(?:[ .,'/-]{1,2}[^\W\d_]+)*\.?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """``value`` in the unit of its ``kind`` (seconds, millimetres, cents, ...), or as it stands where that is ""."""

    value: Fraction
    decimal: bool = False
    kind: str = ""
    factor: int = 1


def quantity(text: str) -> Quantity | None:
    """The plain number that a text states, with or without a unit; None where it states none, or more than that."""
    text = re.sub(r"(?<=\d)[\u00a0\u2009\u202f](?=\d)", "", text.strip())
    text = re.sub(r"\s+", " ", text.translate({0x2212: "-", 0x2013: "-"}))
    if len(text) > MAX_TEXT:
        return None
    if gloss := _GLOSS.fullmatch(text):
        one, other = quantity(gloss[1]), quantity(gloss[2] or gloss[3])
        if one is not None and other is not None and same_quantity(one, other):
            return one
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    value = Fraction(found["number"].replace(",", "").rstrip("."))
    if found["under"]:
        under = Fraction(found["under"])
        if not under:
            return None
        value /= under
    value += int(found["whole"] or 0)
    value *= Fraction(10) ** int(found["power"] or 0)
    if found["sign"] == "-" or found["inner"]:
        value = -value
    rest = _rest(found["rest"] or "")
    if rest is None:
        return None
    scale, unit = rest
    currency = "$" if (found["currency"] or "").endswith("$") and not unit else unit
    kind, factor = UNITS.get(currency, ("", 1))
    return Quantity(value * scale, "." in found["number"], kind, factor)


def _rest(text: str) -> tuple[int, str] | None:
    """What stands behind a number: a scale ("million") and a unit, in its simplest form; None for anything else."""
    attached = bool(text) and text[0] != " "
    rest = text.strip().rstrip(".").lower()
    if not rest or rest in ("%", "¢"):
        return 1, rest
    powered = re.sub(r"\s?(?:\^?\{?[23]\}?|[²³])$", "", rest)
    words = powered.split()
    if not _UNIT_WORDS.fullmatch(powered) or MATHS.intersection(re.split(r"[ .,'/-]+", powered)):
        return None
    scale = SCALES.get(words[0].rstrip("s"), 1)
    if scale != 1:
        words = words[1:]
    unit = " ".join(words)
    known = unit if unit in UNITS else unit.rstrip("s")
    if known not in UNITS and (attached or len(unit) == 1):
        return None  # "5x", "5 n": a variable
    return scale, known if powered == rest and known in UNITS else ""


def same_quantity(first: Quantity, second: Quantity) -> bool:
    """Equal in value, where their units can be compared at all."""
    a, b = first.value, second.value
    if first.kind and second.kind:
        if first.kind != second.kind:
            return False
        a, b = a * first.factor, b * second.factor
    close = first.decimal or second.decimal
    if first.kind == second.kind or "percent" not in (first.kind, second.kind):
        return _near(a, b, close)
    share = a if first.kind == "percent" else b
    other = b if first.kind == "percent" else a
    return _near(share, other, close) or _near(share / 100, other, close)


def may_be_meant(first: Quantity, second: Quantity) -> bool:
    """Whether one of them has no unit, and would equal the other with one of the other's kind: 60 and 1 hour."""
    if bool(first.kind) == bool(second.kind) or "percent" in (first.kind, second.kind):
        return False
    bare, known = (second, first) if first.kind else (first, second)
    factors = {factor for kind, factor in UNITS.values() if kind == known.kind}
    close = first.decimal or second.decimal
    return any(_near(bare.value * factor, known.value * known.factor, close) for factor in factors)


def _near(a: Fraction, b: Fraction, close: bool) -> bool:
    return a == b or (close and abs(a - b) <= CLOSE * min(Fraction(1), max(abs(a), abs(b))))
