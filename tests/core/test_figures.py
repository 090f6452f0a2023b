"""Figures: what they hold, how they are counted, how they travel."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.figures import Bars, Cost, Example, Histogram, Report, Table, total
from cultivar.core.text import clean, clip, money, number, one_line, round_step
from tests.export.fake_run import report, trajectory


def test_a_report_survives_json() -> None:
    made = report()
    assert Report.from_json(orjson.loads(orjson.dumps(made.to_json()))) == made


def test_json_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="provenance"):
        Report.from_json({"title": "x", "about": "y"})


VALUES = st.lists(st.integers(-50, 5_000) | st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(values=VALUES, bins=st.integers(1, 40))
def test_a_histogram_counts_every_value_once(values: list[float], bins: int) -> None:
    found = Histogram.of("h", values, bins=bins)
    assert sum(found.counts) == len(values)
    assert len(found.edges) == len(found.counts) + 1 == len(found.labels()) + 1
    assert len(found.counts) <= bins + 2
    assert list(found.edges) == sorted(set(found.edges))
    span = max(abs(edge) for edge in found.edges)
    assert found.edges[0] <= min(values) + 1e-9 * span
    assert found.edges[-1] >= max(values) - 1e-9 * span


def test_bins_of_whole_numbers_are_named_by_them() -> None:
    assert Histogram.of("h", [3, 4, 4, 6]).labels() == ("3", "4", "5", "6")
    assert Histogram.of("h", [3, 4, 4, 6]).counts == (1, 2, 0, 1)
    assert Histogram.of("h", [0, 99], bins=10).labels()[:2] == ("0–9", "10–19")
    assert Histogram.of("h", [0.12, 0.5, 0.88], bins=10).edges[0] == pytest.approx(0.1)
    assert Histogram.of("h", []).counts == Histogram.of("h", [math.nan]).counts == ()


def test_figures_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="series 'x' has 1 values, labels are 2"):
        Bars("b", ("a", "b"), {"x": (1,)})
    for value in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="negative or no number"):
            Bars("b", ("a",), {"x": (value,)})
    with pytest.raises(ValueError, match="1 cells, the table 2 columns"):
        Table("t", ("a", "b"), ((1,),))
    with pytest.raises(ValueError, match="2 bins need 3 edges"):
        Histogram("h", (1, 2), (3, 4))


def test_a_sum_of_costs_knows_what_is_not_known() -> None:
    assert total([Cost("a", 1, 2, 3, 0.5), Cost("b", 1, cpu_seconds=2.0)]) == Cost("all stages", 2, 2, 3, 0.5, 2.0)
    assert total([Cost("a"), Cost("b")]).dollars is None


def test_an_example_of_a_trajectory_says_how_it_ended() -> None:
    made = trajectory(1)
    assert Example.of(made, "x", {"plan": 3}).facts == {
        "plan": 3,
        "outcome": "solved",
        "reward": 1.0,
        "record": made.id,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1234567, "1,234,567"),
        (2.0, "2"),
        (0.123456, "0.123"),
        (1234.5, "1,234"),
        (math.nan, "–"),
        ("x", "x"),
    ],
)
def test_numbers_are_written_for_a_reader(value: float | str | None, text: str) -> None:
    assert number(value) == text


def test_money_and_steps() -> None:
    assert [money(x) for x in (None, 0, 0.01234, 12.345)] == ["–", "$0.00", "$0.0123", "$12.35"]
    assert [round_step(x) for x in (0.03, 1, 1.1, 3, 7, 0, -1, math.inf)] == [0.05, 1, 2, 5, 10, 1, 1, 1]


@given(text=st.text(), limit=st.integers(1, 50))
def test_clipped_text_is_bounded_and_printable(text: str, limit: int) -> None:
    found = clip(text, limit)
    assert len(found) <= limit + len(f" … [{len(text):,} more characters]")
    assert clean(found) == found
    assert found.encode("utf-8", "strict").decode() == found
    assert "\n" not in one_line(text, limit)


def test_what_is_left_out_is_counted() -> None:
    assert clip("a" * 12, 5) == "aaaaa … [7 more characters]"
    assert clip("a\x00b\r\nc\ud800", 10) == "a\ufffdb\nc\ufffd"


def test_intervals_belong_to_the_values_of_a_series() -> None:
    Bars("b", ("a",), {"x": (1,)}, intervals={"x": ((0.5, 2.0),)})
    for wrong in ({"y": ((0.5, 2.0),)}, {"x": ()}, {"x": ((2.0, 0.5),)}, {"x": ((-1.0, 0.5),)}):
        with pytest.raises(ValueError, match="interval"):
            Bars("b", ("a",), {"x": (1,)}, intervals=wrong)
