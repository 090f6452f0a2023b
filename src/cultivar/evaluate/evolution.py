"""What evolved instructions look like: who survived, by which operator, and how prompts grew from round to round.

Step      one evolution that was tried
Chain     the rows that one seed gave, and the steps behind them
describe  the figures of many chains
folded    what two prompts that are the same have in common
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from cultivar.core.dataset import Dataset, Flat
from cultivar.core.figures import Bars, Example, Section, Table, Tile
from cultivar.core.records import JSON, Instruction, Sample, Turn
from cultivar.core.text import Cell

Pairs: TypeAlias = Mapping[int | str, Sequence[tuple[float, float]]]
"""Round or operator -> a number before and after it, for each survivor."""


@dataclass(frozen=True)
class Step:
    """One evolution that was tried; ``reason`` is why the child was eliminated, empty for a survivor."""

    round: int
    operator: str
    parent: str
    child: str
    reason: str = ""


class Chain(list[Sample]):
    """The rows that one seed gave, in the order of the rounds; ``steps`` is what was tried for them."""

    def __init__(self, seed: Instruction) -> None:
        super().__init__()
        self.seed = seed
        self.steps: list[Step] = []
        self._last = seed.id

    def answered(self, answer: str) -> None:
        """The seed is a row too, the first."""
        self.insert(0, self._row(self.seed.prompt, answer, self.seed.id, {**self.seed.meta, "round": 0}))

    def survived(self, step: Step, answer: str) -> None:
        """One more row; its parent is the row of the survivor before it, or the seed."""
        self.steps.append(step)
        depth = sum(not tried.reason for tried in self.steps)
        meta = {"round": step.round, "operator": step.operator, "depth": depth}
        self.append(self._row(step.child, answer, self._last, meta))
        self._last = self[-1].id

    def _row(self, prompt: str, answer: str, parent: str, meta: Mapping[str, JSON]) -> Sample:
        messages = ({"role": "user", "content": prompt}, {"role": "assistant", "content": answer})
        return Sample(messages=messages, parents=(parent,), meta={**meta, "seed": self.seed.id})

    @property
    def prompts(self) -> list[str]:
        """The seed and every survivor."""
        return [self.seed.prompt, *(step.child for step in self.steps if not step.reason)]


def folded(prompt: str) -> str:
    """A prompt without case, spacing and what stands around it: two that are alike in this are the same."""
    return " ".join(prompt.casefold().split()).strip(" .!?\"'“”")


def sampled(chains: Sequence[Chain], number: int) -> list[Instruction]:
    """The prompts of that many chains, each once. Ids are hashes, and so the smallest are as good as drawn: a larger
    number, or more chains, keeps most of them."""
    chosen = heapq.nsmallest(number, chains, key=lambda chain: chain.seed.id)
    return [Instruction(prompt=prompt) for prompt in dict.fromkeys(p for chain in chosen for p in chain.prompts)]


def describe(chains: Sequence[Chain], operators: Sequence[str], rated: Mapping[str, float]) -> Dataset:
    """The rows of all chains with their figures; ``rated`` is how hard a judge found a prompt, from 1 to 10."""
    kept: Counter[str] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    words: dict[int | str, list[tuple[float, float]]] = defaultdict(list)  # by round, and by operator
    hard: dict[int | str, list[tuple[float, float]]] = defaultdict(list)
    for step in (step for chain in chains for step in chain.steps):
        if step.reason:
            lost[step.reason, step.operator] += 1
            continue
        kept[step.operator] += 1
        for group in (step.round, step.operator):
            words[group].append((len(step.parent.split()), len(step.child.split())))
            if step.parent in rated and step.child in rated:
                hard[group].append((rated[step.parent], rated[step.child]))
    rules = sorted({rule for rule, _ in lost})
    tried = {name: kept[name] + sum(lost[rule, name] for rule in rules) for name in operators}
    survived = [
        (
            name,
            tried[name],
            kept[name],
            _percent(kept[name], tried[name]),
            _gain(words.get(name)),
            _gain(hard.get(name)),
        )
        for name in operators
    ]
    eliminated: list[tuple[Cell, ...]] = [(rule, *(lost[rule, name] for name in operators)) for rule in rules]
    figures: list[Table | Bars] = [
        Table(
            "Survivors by operator",
            ("operator", "tried", "survived", "%", "words added", "difficulty gained"),
            tuple(survived),
            note="The last two are means over survivors, against their parents; a dash where there are none.",
        ),
        Table("Eliminated, by rule and operator", ("rule", *operators), tuple(eliminated)),
        *([_by_round("Words of a prompt", words)] if words else []),
    ]
    sections = [
        Section("Evolution", tuple(figures), "Before and after are parents and children of a round's survivors.")
    ]
    if hard:
        text = "Each prompt was judged by itself; before and after are parents and children of a round's survivors."
        sections.append(Section("Difficulty", (_by_round("Judged difficulty of a prompt, 1 to 10", hard),), text))
    tiles = (
        Tile("seeds", len(chains)),
        Tile("evolved prompts", kept.total(), f"of {sum(tried.values()):,} tried"),
        Tile("met again", _met_again(chains), "evolved prompts that an earlier chain has too, word for word"),
        Tile("deepest chain", max((len(chain.prompts) - 1 for chain in chains), default=0), "evolutions of one seed"),
    )
    longest = heapq.nlargest(3, chains, key=lambda chain: len(chain.prompts))
    return Dataset(Flat(chains), tiles, sections, [_example(chain) for chain in longest if chain])


def _percent(part: int, of: int) -> float | None:
    return round(100 * part / of, 1) if of else None


def _gain(pairs: Sequence[tuple[float, float]] | None) -> float | None:
    return round(fmean(after - before for before, after in pairs), 2) if pairs else None


def _met_again(chains: Sequence[Chain]) -> int:
    seen: set[str] = set()
    again = 0
    for chain in chains:
        own = {folded(prompt) for prompt in chain.prompts}
        again += len(own & seen)
        seen |= own
    return again


def _by_round(title: str, pairs: Pairs) -> Bars:
    numbers = sorted(key for key in pairs if isinstance(key, int))
    means = [tuple(round(fmean(pair[side] for pair in pairs[n]), 2) for n in numbers) for side in (0, 1)]
    note = "Survivors: " + ", ".join(f"{len(pairs[n]):,} in round {n}" for n in numbers)
    return Bars(title, tuple(f"round {n}" for n in numbers), {"before": means[0], "after": means[1]}, note=note)


def _example(chain: Chain) -> Example:
    """From the seed to the last survivor, and the answer to that."""
    answer = Turn("assistant", str(chain[-1].messages[-1]["content"]), train=True)
    turns = [*(Turn("user", prompt) for prompt in chain.prompts), answer]
    facts = {f"round {step.round}": step.operator for step in chain.steps if not step.reason}
    return Example("A chain of prompts", tuple(turns), facts, {"user": "Prompt", "assistant": "Answer"})
