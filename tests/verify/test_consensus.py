from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.verify.consensus import Vote, vote
from cultivar.verify.math import same_answer


def test_answers_that_are_the_same_count_together() -> None:
    found = vote(["18", "$18.00", "17", None, "18 dollars"], same_answer)
    assert found == Vote("18", 0.6, ((0, 1, 4), (2,)))
    assert (found.votes, found.tied) == (3, False)
    assert found.agreed(0.6)
    assert not found.agreed(0.61)


def test_a_sample_without_an_answer_is_no_vote_but_counts() -> None:
    assert vote([None, None]) == Vote(None, 0.0, ())
    assert vote([]) == Vote(None, 0.0, ())
    assert not vote([None]).agreed(0.0)
    assert vote([None, "4"]) == Vote("4", 0.5, ((1,),))


def test_a_tie_goes_to_the_first_and_is_no_agreement() -> None:
    found = vote(["b", "a", "a", "b"])
    assert (found.answer, found.share, found.tied) == ("b", 0.5, True)
    assert not found.agreed(0.5)


def test_a_group_is_of_answers_that_all_equal_each_other() -> None:
    assert vote(["50%", "50", "0.5"], same_answer).groups == ((0, 1), (2,))
    assert vote(["0.5", "50%", "50"], same_answer).groups == ((0, 1), (2,))


def test_same_is_asked_of_distinct_texts_only() -> None:
    asked: list[tuple[str, str]] = []

    def same(a: str, b: str) -> bool:
        asked.append((a, b))
        return False

    vote(["1"] * 50 + ["2"] * 50, same)
    assert asked == [("1", "2")]


@given(st.lists(st.none() | st.sampled_from("abc"), max_size=12))
def test_every_vote_is_counted_once(answers: list[str | None]) -> None:
    found = vote(answers)
    counted = [index for group in found.groups for index in group]
    assert sorted(counted) == [index for index, answer in enumerate(answers) if answer is not None]
    sizes = [len(group) for group in found.groups]
    assert sizes == sorted(sizes, reverse=True)
    assert found.share == pytest.approx(sizes[0] / len(answers) if sizes else 0.0)
    for group in found.groups:
        assert len({answers[index] for index in group}) == 1
