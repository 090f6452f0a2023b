"""A suite of tasks as figures: each task's score with its interval, the mean over tasks, how alike the answers are.

A task's values are one number in [0, 1] for each of its units: an item, or a group of items that is scored as one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cultivar.core.figures import Bars, Table, Tile
from cultivar.core.text import Cell
from cultivar.evaluate.intervals import bootstrap, macro, proportion


@dataclass(frozen=True)
class Score:
    """Mean and 95 % interval of a task's values: Wilson's where each is 0 or 1, a bootstrap over the units if not."""

    name: str
    units: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, values: Sequence[float], rng: random.Random) -> Score:
        if all(value in (0, 1) for value in values):
            low, high = proportion(int(sum(values)), len(values))
        else:
            low, high = bootstrap(values, rng)
        return cls(name, len(values), sum(values) / len(values) if values else 0.0, low, high)

    @property
    def interval(self) -> str:
        return f"{100 * self.low:.1f} – {100 * self.high:.1f}" if self.units else "–"


def score_table(title: str, tasks: Mapping[str, Sequence[float]], rng: random.Random, *, label: str) -> Table:
    """One row for each task: units, mean and interval in per cent."""
    scores = [Score.of(name, values, rng) for name, values in tasks.items()]
    rows: list[tuple[Cell, ...]] = [
        (s.name, s.units, round(100 * s.mean, 1) if s.units else None, s.interval) for s in scores
    ]
    return Table(title, (label, "scored", "score, %", "95 % interval"), tuple(rows))


def score_bars(title: str, tasks: Mapping[str, Sequence[float]]) -> Bars:
    means = tuple(round(100 * sum(values) / max(1, len(values)), 1) for values in tasks.values())
    return Bars(title, tuple(tasks), {"score": means}, unit="%")


def mean_tile(tasks: Mapping[str, Sequence[float]], rng: random.Random) -> Tile:
    """The unweighted mean over the tasks that have values, with its bootstrap interval."""
    groups = [values for values in tasks.values() if values]
    if not groups:
        return Tile("mean score", "–", "nothing was scored")
    low, high = macro(groups, rng)
    mean = sum(sum(values) / len(values) for values in groups) / len(groups)
    note = f"over {len(groups)} task{'s' * (len(groups) > 1)}; 95 %: {100 * low:.1f} – {100 * high:.1f}"
    return Tile("mean score", f"{100 * mean:.1f} %", note)


def repeated(texts: Iterable[str], size: int = 4) -> float | None:
    """The mean share of a text's word n-grams that another of the texts has too: what self-BLEU asks, in linear time.

    0 if no two texts share any; None if fewer than two texts are that long.
    """
    grams = [each for each in (_grams(text, size) for text in texts) if each]
    if len(grams) < 2:
        return None
    texts_with = Counter(gram for each in grams for gram in each)
    return sum(sum(texts_with[gram] > 1 for gram in each) / len(each) for each in grams) / len(grams)


def _grams(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.casefold().split()
    return {tuple(words[k : k + size]) for k in range(len(words) - size + 1)}
