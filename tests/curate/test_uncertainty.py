from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.curate.uncertainty import confidence, margin


def token(*probabilities: float) -> dict[str, Any]:
    tops = [{"token": "x", "logprob": math.log(p)} for p in probabilities]
    return {"token": "x", "logprob": math.log(probabilities[0]), "top_logprobs": tops}


def test_confidence_is_the_geometric_mean() -> None:
    assert confidence({"content": [token(0.9), token(0.4)]}) == pytest.approx(math.sqrt(0.36))
    assert confidence({"content": [token(0.5)] * 40}) == pytest.approx(0.5)  # a long reply is no less sure


def test_margin_is_between_the_two_best_in_whatever_order() -> None:
    assert margin({"content": [token(0.6, 0.3, 0.1)]}) == pytest.approx(0.3)
    assert margin({"content": [token(0.1, 0.3, 0.6), token(0.5, 0.5)]}) == pytest.approx(0.15)


def test_a_margin_needs_two_alternatives() -> None:
    assert margin({"content": [token(0.9, 0.1), token(0.9)]}) is None
    assert margin({"content": [{"logprob": -0.1}]}) is None


@pytest.mark.parametrize(
    "told",
    [None, [], "content", {}, {"content": None}, {"content": []}, {"content": "abc"}, {"content": [{}]},
     {"content": [{"logprob": "-1"}]}, {"content": [{"logprob": float("nan")}]}, {"content": [{"logprob": 3}]},
     {"content": [{"logprob": True}]}, {"content": [3, None]}],
)  # fmt: skip
def test_what_is_no_log_probability_gives_nothing(told: Any) -> None:
    assert confidence(told) is None
    assert margin(told) is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(
    st.sampled_from(["content", "logprob", "top_logprobs"]), s)))  # fmt: skip
def test_any_json_is_borne(told: Any) -> None:
    for found in (confidence(told), margin(told)):
        assert found is None or 0 <= found <= 1
