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
    ("solution", "steps"),
    [
        ("4 + 15 = 19.\n\n**#### 19**", 1),
        ("Sure! Here's the solution:\n\n3 + 4 = 7.\n#### 7", 1),
        ("### Step 1: the sum\n3 + 4 = 7.\n**Step 2: its double**\n7 * 2 = 14.\n#### 14", 2),
        ("The perimeter is\n\\[\n2(8 + 5)\n= 26\n\\]\nSo it is 26.\n$$\\boxed{26}$$", 2),
        ("We have\n$$\nx = 3\n$$\nand so x is 3.", 2),
        ("**3 + 4 = 7.**\n**7 * 2 = 14.**", 2),
        ("The sum is $$7$$ and it is odd.\nThat is all.", 2),
        ("\\[ never closed\nand on\nand on", 1),
        ("3 + 4 = 7:\n", 1),
    ],
)
def test_headings_and_set_off_formulas_are_no_steps_by_themselves(solution: str, steps: int) -> None:
    found = steps_of(solution)
    assert len(found) == steps
    assert "\n".join(found).split() == solution.split()  # nothing is lost


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
