"""Two ways of answering, judged against each other pair by pair: who wins, how surely, and how much of it is length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from cultivar.core.figures import Bars, Section, Table
from cultivar.core.text import Cell
from cultivar.evaluate.intervals import proportion

NEAR = 0.1
"""Two answers are about equally long if neither has this share of words more than the other."""


@dataclass(frozen=True)
class Pair:
    """``winner`` is "first", "second" or "tie"; ``agreed`` whether both orders could be merged; lengths in words."""

    winner: str
    agreed: bool
    first: int
    second: int

    @property
    def length(self) -> str:
        """Whether the first answer is "shorter", "longer" or "about as long"."""
        if max(self.first, self.second) <= (1 + NEAR) * min(self.first, self.second):
            return "about as long"
        return "shorter" if self.first < self.second else "longer"


def section(pairs: Sequence[Pair], first: str, second: str) -> Section:
    """Wins with Wilson intervals (95%), overall and by which answer is longer, and the mean lengths."""
    won = Counter(pair.winner for pair in pairs)
    rows = [(name, *_share(won[key], len(pairs))) for key, name in _named(first, second).items()]
    figures = (
        Table("Wins", ("answer", "pairs", "%", "95% interval"), tuple(rows)),
        Table("Wins by length", (f"{first}, beside {second}", "pairs", first, "tie", second), _by_length(pairs)),
        Bars(
            "Mean words of an answer",
            (first, second),
            {"words": (fmean([p.first for p in pairs] or [0]), fmean([p.second for p in pairs] or [0]))},
        ),
    )
    disagreed = sum(not pair.agreed for pair in pairs)
    text = (
        f"{len(pairs):,} pairs, each judged in both orders; in {disagreed:,} of them these named different winners, "
        "which is a tie. Judges favour longer answers: look at the pairs that are about as long."
    )
    return Section(f"{first} against {second}", figures, text)


def _named(first: str, second: str) -> dict[str, str]:
    return {"first": first, "tie": "tie", "second": second}


def _share(count: int, total: int) -> tuple[Cell, ...]:
    low, high = proportion(count, total)
    return count, round(100 * count / max(1, total), 1), f"{100 * low:.1f} to {100 * high:.1f}"


def _by_length(pairs: Sequence[Pair]) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    for length in ("shorter", "about as long", "longer"):
        found = Counter(pair.winner for pair in pairs if pair.length == length)
        rows.append((length, found.total(), *(found[key] for key in _named("", ""))))
    return tuple(rows)
