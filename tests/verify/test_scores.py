from __future__ import annotations

import pytest

from cultivar.core.errors import Unparsable
from cultivar.verify.scores import read_scores


@pytest.mark.parametrize(
    ("reply", "high", "wanted"),
    [("6-8", 10, 7), ("Score: 7 to 8", 10, 7.5), ("3-4", 5, 3.5), ("60-80", 100, 70), ("7-7", 10, 7)],
)
def test_a_range_of_at_most_a_fifth_of_the_scale_stands_for_its_middle(reply: str, high: float, wanted: float) -> None:
    assert read_scores(reply, count=1, high=high) == (wanted,)


@pytest.mark.parametrize(
    ("reply", "high"), [("5-8", 10), ("Score: 4 to 8", 10), ("2-4", 5), ("50-75", 100), ("8-7", 10)]
)
def test_a_wider_range_is_no_score(reply: str, high: float) -> None:
    with pytest.raises(Unparsable, match="there is no score") as told:
        read_scores(reply, count=1, high=high)
    assert told.value.reason == "unreadable-score"
