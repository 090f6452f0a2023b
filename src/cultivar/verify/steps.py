"""Steps of worked solutions, labelled correct or incorrect by a model: what process reward models learn from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import partial

from cultivar.core.errors import Unparsable
from cultivar.core.figures import Bars, Table
from cultivar.core.records import JSON, StepLabels
from cultivar.core.replies import json_value
from cultivar.core.scope import Scope

MOST = 40
"""Steps of a solution that are labelled at once."""

LABEL = """\
Here is a problem, and a student's solution in numbered steps.
<<<
{problem}
>>>

Its answer is taken to be: {answer}

{steps}

Label every step by itself. "correct": what it says follows from the problem and from correct steps before it. \
"incorrect": it miscalculates, misreads the problem, assumes what is not given, or rests on an earlier wrong result. \
A step can be correct in a solution that goes wrong later, and incorrect in one that ends with the right answer.

Answer with one JSON object that has a label for each of the {count} steps, in their order: \
{{"labels": ["correct", "incorrect"]}}."""

REASONS = {
    "number-of-steps": f"a solution whose steps are labelled has 1 to {MOST} of them",
    "unlabelled": "the labeller labels every step",
}
_HEADING = re.compile(r"#{1,6} .*|\*\*[^*.=]*\*\*|[^=]*:(?:\*\*)?")
_WORDS = {"correct": True, "true": True, "incorrect": False, "false": False}


def steps_of(solution: str) -> tuple[str, ...]:
    """The lines of a solution. What is no step by itself belongs to one: a heading, or a line that ends in a colon, to
    the step after it, a formula set off (``\\[...\\]``, ``$$...$$``) and a last line ``#### 18`` to the step before."""
    lines = [line.strip() for line in solution.splitlines() if line.strip()]
    steps: list[str] = []
    within = unfinished = False
    for at, line in enumerate(lines):
        answer = at == len(lines) - 1 and line.lstrip("*_").startswith("####")
        if steps and (within or unfinished or answer or line.startswith(("$$", "\\["))):
            steps[-1] += "\n" + line
        else:
            steps.append(line)
        within = (within + line.count("$$") + line.count("\\[") + line.count("\\]")) % 2 == 1
        unfinished = not within and _HEADING.fullmatch(line) is not None
    return tuple(steps)


async def label_steps(
    scope: Scope, role: str, problem: str, steps: tuple[str, ...], answer: str, **sampling: JSON
) -> tuple[bool, ...]:
    """One call: whether each step is correct. Raises Unparsable with one of ``REASONS`` where that cannot be told."""
    if not 1 <= len(steps) <= MOST:
        raise Unparsable(f"the solution has {len(steps)} steps; 1 to {MOST} are labelled", "number-of-steps")
    listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    prompt = LABEL.format(problem=problem, answer=answer, steps=listed, count=len(steps))
    try:
        return await scope.ask(role, prompt, parse=partial(read_labels, count=len(steps)), n=None, **sampling)
    except Unparsable as error:
        raise Unparsable(str(error), "unlabelled") from None


def read_labels(reply: str, count: int) -> tuple[bool, ...]:
    """The labels of ``{"labels": [...]}`` or of a bare list, as words or booleans; or Unparsable."""
    found = json_value(reply)
    listed = found.get("labels") if isinstance(found, dict) else found
    words = [str(each).strip().lower() for each in listed] if isinstance(listed, list) else []
    if len(words) != count or not _WORDS.keys() >= set(words):
        raise Unparsable(f'"labels" must hold "correct" or "incorrect" for each of the {count} steps')
    return tuple(_WORDS[word] for word in words)


def first_error(labels: tuple[bool, ...]) -> int:
    """The number of the first incorrect step, from 1; 0 if there is none."""
    return labels.index(False) + 1 if False in labels else 0


def figures_of(labelled: Iterable[StepLabels]) -> tuple[Table, Bars]:
    """How labels are balanced, and where solutions go wrong first; ``meta["right"]``: whether the answer is right."""
    steps: Counter[bool] = Counter()
    firsts: Counter[int] = Counter()
    slips = solutions = 0
    for found in labelled:
        solutions += 1
        steps.update(found.labels)
        firsts[first_error(found.labels)] += 1
        slips += bool(found.meta.get("right")) and not all(found.labels)
    rows = (
        ("solutions", solutions),
        ("steps labelled correct", steps[True]),
        ("steps labelled incorrect", steps[False]),
        ("solutions without an incorrect step", firsts[0]),
        ("solutions with the right answer and an incorrect step", slips),
    )
    places = range(1, max(firsts, default=0) + 1)
    bars = Bars(
        "The first incorrect step", tuple(map(str, places)), {"solutions": tuple(float(firsts[p]) for p in places)}
    )
    return Table("Labels", ("what", "count"), rows), bars
