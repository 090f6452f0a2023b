"""Rounds of making code tasks harder: what became of each task, held-out scores, and the figures on both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cultivar.core.dataset import Dataset
from cultivar.core.figures import Example, Section, Table, Tile, turns_of
from cultivar.core.records import Sample
from cultivar.core.text import Cell
from cultivar.evaluate.intervals import proportion

Score = tuple[int, int]
"""(solved, measured) of held-out problems."""


@dataclass(frozen=True)
class Step:
    """What one round made of one task: a sample, or a reason why there is none.

    ``operator`` is how the task was made, ``verdicts`` counts those of all its tests in all solutions. The sample's
    ``meta`` has ``round``, ``operator``, ``code_lines`` and the ``tests`` that count.
    """

    parent: str
    operator: str
    reason: str
    verdicts: dict[str, int]
    sample: Sample | None = None

    def records(self) -> list[Sample]:
        return [] if self.sample is None else [self.sample]


def fell(scores: Sequence[Score]) -> bool:
    """Whether the last score is below the one before it, as a share of what was measured."""
    if len(scores) < 2:
        return False
    (before, of), (after, out_of) = scores[-2:]
    return after * of < before * out_of


def describe(
    rounds: Sequence[Sequence[Step]], scores: Sequence[Score], records: Sequence[Sample], operators: Sequence[str]
) -> Dataset:
    """The dataset of ``records``, with what all rounds came to; ``scores`` has one for each round, or none."""
    every = [step for steps in rounds for step in steps]
    last = len({sample.meta["round"] for sample in records} - {0})
    tiles = [Tile("tasks tried", len(every)), Tile("rounds kept", last)]
    if scores:
        best = max(scores, key=lambda score: score[0] / max(1, score[1]))
        tiles.append(Tile("best held-out pass@1", f"{100 * best[0] / max(1, best[1]):.1f} %", f"{best[1]:,} problems"))
    section = Section(
        "Rounds",
        (_by_round(rounds, scores), _by_operator(every, operators), _by_verdict(rounds)),
        "A task is kept if enough assertions count and one solution passes all of them.",
    )
    firsts = {int(sample.meta["round"]): sample for sample in reversed(records)}
    examples = tuple(_example(firsts[number]) for number in sorted(firsts))
    return Dataset(records, tiles=tiles, sections=(section,), examples=examples)


def _by_round(rounds: Sequence[Sequence[Step]], scores: Sequence[Score]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for number, steps in enumerate(rounds):
        kept = [sample for step in steps for sample in step.records()]
        words = _mean([len(str(sample.messages[0]["content"]).split()) for sample in kept])
        code = _mean([int(sample.meta["code_lines"]) for sample in kept])
        solved: Cell = None
        interval: Cell = None
        if number < len(scores):
            low, high = proportion(*scores[number])
            solved, interval = "{:,} of {:,}".format(*scores[number]), f"{100 * low:.1f} to {100 * high:.1f} %"
        rows.append((number, len(steps), len(kept), words, code, solved, interval))
    columns = ("round", "tasks", "kept", "words of a task", "lines of code", "held-out pass@1", "95% interval")
    return Table("Rounds", columns, tuple(rows), "Round 0 holds the seeds. Means are of what was kept.")


def _by_operator(steps: Sequence[Step], operators: Sequence[str]) -> Table:
    tried = Counter(step.operator for step in steps)
    kept = Counter(step.operator for step in steps if step.sample)
    rows = tuple((o, tried[o], kept[o], round(100 * kept[o] / tried[o], 1)) for o in operators if tried[o])
    return Table("Survivors by method", ("method", "tasks", "kept", "%"), rows)


def _by_verdict(rounds: Sequence[Sequence[Step]]) -> Table:
    counts = [Counter[str]() for _ in rounds]
    for count, steps in zip(counts, rounds, strict=True):
        for step in steps:
            count.update(step.verdicts)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (verdict, *(count[verdict] for count in counts)) for verdict in sorted(set().union(*counts))
    )
    columns = ("verdict", *(f"round {number}" for number in range(len(rounds))))
    return Table("Verdicts of all tests that were run", columns, rows, "Each solution against each assertion.")


def _example(sample: Sample) -> Example:
    facts = {"method": sample.meta["operator"], "tests that count": len(sample.meta["tests"]), "record": sample.id}
    return Example(f"Round {sample.meta['round']}", turns_of(sample), facts)


def _mean(values: Sequence[int]) -> float | None:
    return round(sum(values) / len(values), 1) if values else None
