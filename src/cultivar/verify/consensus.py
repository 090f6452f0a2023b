"""Self-consistency: which answer most samples give, where answers that are the same in other words count together.

Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning" (arXiv 2203.11171).
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cultivar.core.figures import Bars


@dataclass(frozen=True, slots=True)
class Vote:
    """``answer`` is the first member of the largest group, None where nobody voted.

    ``share`` is that group's part of all samples, in [0, 1]: a sample without an answer votes for nothing and still
    counts as a sample. ``groups`` hold the indexes of the samples of each answer, the largest first; groups of one size
    stand in the order of their first members, so the same answers always give the same vote.
    """

    answer: str | None
    share: float
    groups: tuple[tuple[int, ...], ...]

    @property
    def votes(self) -> int:
        """How many samples gave the answer."""
        return len(self.groups[0]) if self.groups else 0

    @property
    def tied(self) -> bool:
        """Whether another answer has as many votes."""
        return len(self.groups) > 1 and len(self.groups[1]) == len(self.groups[0])

    def agreed(self, share: float) -> bool:
        """Whether at least this part of all samples gave the answer, and no other answer has as many votes."""
        return self.votes > 0 and self.share >= share and not self.tied


def vote(answers: Sequence[str | None], same: Callable[[str, str], bool] = operator.eq) -> Vote:
    """The answer that most samples give; None is a sample without one.

    ``same`` is reflexive and symmetric, and need not be transitive ("50%" is "50" and "0.5"): a sample joins the first
    group of which it equals *every* member. It is called for distinct texts only.
    """
    distinct: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            distinct.setdefault(answer, []).append(index)
    groups: list[list[str]] = []
    for answer in distinct:
        home = next((group for group in groups if all(same(member, answer) for member in group)), None)
        if home is None:
            groups.append([answer])
        else:
            home.append(answer)
    found = [tuple(sorted(index for answer in group for index in distinct[answer])) for group in groups]
    found.sort(key=lambda group: (-len(group), group[0]))
    if not found:
        return Vote(None, 0.0, ())
    return Vote(answers[found[0][0]], len(found[0]) / len(answers), tuple(found))


def agreement_bars(votes: Iterable[int], samples: int) -> Bars:
    """How many problems had 0, 1, ... of ``samples`` solutions behind their most frequent answer."""
    counts = Counter(votes)
    sizes = range(samples + 1)
    title = f"Solutions, of {samples}, that gave the most frequent answer"
    return Bars(title, tuple(map(str, sizes)), {"problems": tuple(float(counts[size]) for size in sizes)})
