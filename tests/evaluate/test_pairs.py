from __future__ import annotations

import pytest

from cultivar.core.figures import Bars, Table
from cultivar.evaluate.pairs import Pair, section


@pytest.mark.parametrize(
    ("first", "second", "length"),
    [
        (100, 110, "about as long"),
        (100, 111, "shorter"),
        (111, 100, "longer"),
        (0, 0, "about as long"),
        (0, 1, "shorter"),
    ],
)
def test_length(first: int, second: int, length: str) -> None:
    assert Pair("tie", True, first, second).length == length


def test_a_win_by_length_is_seen() -> None:
    pairs = [Pair("first", True, 200, 100)] * 6 + [Pair("second", True, 100, 100)] * 3 + [Pair("tie", False, 50, 100)]
    found = section(pairs, "long", "short")
    wins, by_length, words = found.figures
    assert isinstance(wins, Table) and isinstance(by_length, Table) and isinstance(words, Bars)
    assert [row[:3] for row in wins.rows] == [("long", 6, 60.0), ("tie", 1, 10.0), ("short", 3, 30.0)]
    assert wins.rows[0][3] == "31.3 to 83.2"  # Wilson, 6 of 10
    assert by_length.rows == (("shorter", 1, 0, 1, 0), ("about as long", 3, 0, 0, 3), ("longer", 6, 6, 0, 0))
    assert words.series == {"words": (155.0, 100.0)}
    assert by_length.columns[0] == "long, beside short"
    assert "in 1 of them" in found.text
