from __future__ import annotations

import pytest

from cultivar.core.errors import Unparsable
from cultivar.core.records import StepLabels
from cultivar.verify.steps import figures_of, first_error, read_labels, steps_of


def test_steps_are_lines_and_the_answer_belongs_to_the_last() -> None:
    assert steps_of("3 + 4 = 7.\n\n 7 * 2 = 14.\n#### 14\n") == ("3 + 4 = 7.", "7 * 2 = 14.\n#### 14")
    assert steps_of("#### 14") == ("#### 14",)
    assert steps_of("") == ()


@pytest.mark.parametrize(
    "reply",
    ['{"labels": ["correct", "incorrect"]}', "[true, false]", '```json\n{"labels": ["Correct", "INCORRECT "]}\n```'],
)
def test_labels_are_read(reply: str) -> None:
    assert read_labels(reply, 2) == (True, False)


@pytest.mark.parametrize(
    "reply", ['{"labels": ["correct"]}', '["correct", "maybe"]', "correct, incorrect", '{"labels": 2}', "[1, 0]"]
)
def test_labels_that_do_not_fit_are_refused(reply: str) -> None:
    with pytest.raises(Unparsable):
        read_labels(reply, 2)


def test_figures_count_labels_and_first_errors() -> None:
    def labelled(*labels: bool, right: bool) -> StepLabels:
        return StepLabels(prompt="p", steps=("s",) * len(labels), labels=labels, meta={"right": right})

    found = [
        labelled(True, True, right=True),
        labelled(True, False, True, right=False),
        labelled(False, True, right=True),
    ]
    table, bars = figures_of(found)
    assert [row[1] for row in table.rows] == [3, 5, 2, 1, 1]
    assert (bars.labels, bars.series["solutions"]) == (("1", "2"), (1.0, 1.0))
    assert [first_error(each.labels) for each in found] == [0, 2, 1]
    assert figures_of([])[1].labels == ()
