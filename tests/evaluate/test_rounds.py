from __future__ import annotations

import pytest

from cultivar.evaluate.rounds import Score, describe, fell


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ([], False),
        ([(5, 10)], False),
        ([(5, 10), (4, 10)], True),
        ([(5, 10), (5, 10)], False),
        ([(3, 10), (2, 5)], False),  # fewer were solved, of fewer that could be measured: 30 %, then 40 %
        ([(2, 5), (3, 10)], True),  # more were solved, of more
        ([(1, 2), (2, 4)], False),
        ([(2, 4), (1, 2)], False),
        ([(9, 10), (1, 10), (2, 10)], False),  # the last is held against the one before it
        ([(1, 10), (9, 10), (8, 10)], True),
    ],
)
def test_a_score_falls_as_a_share_of_what_was_measured(scores: list[Score], wanted: bool) -> None:
    assert fell(scores) is wanted


def test_the_best_score_is_the_largest_share() -> None:
    made = describe([[], []], [(3, 10), (2, 5)], [], ())
    tile = next(tile for tile in made.tiles if tile.label == "best held-out pass@1")
    assert (tile.value, tile.note) == ("40.0 %", "5 problems")
