"""cost: what a run's calls took, by stage, role and model."""

from __future__ import annotations

import argparse
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cultivar.cli.printing import print_json, table
from cultivar.core.journal import Journal
from cultivar.core.records import JSON
from cultivar.core.rundir import RunDirectory
from cultivar.core.text import money, number

PERCENTILES = (50, 90, 99)


@dataclass
class Spent:
    """The sum of some calls; ``dollars`` counts those whose price is known, ``unpriced`` the others."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float = 0.0
    unpriced: int = 0
    retries: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seconds: array[float] = field(default_factory=lambda: array("d"))

    def add(self, other: Spent) -> None:
        self.calls += other.calls
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.dollars += other.dollars
        self.unpriced += other.unpriced
        self.retries += other.retries
        self.faults.update(other.faults)
        self.seconds.extend(other.seconds)

    def percentiles(self) -> dict[str, float | None]:
        """Seconds that so many percent of the calls took at most (the nearest rank)."""
        ordered = sorted(self.seconds)
        last = len(ordered) - 1
        return {f"p{p}": ordered[min(last, -(-len(ordered) * p // 100) - 1)] if ordered else None for p in PERCENTILES}

    def to_json(self) -> dict[str, JSON]:
        return {
            "calls": self.calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "dollars": self.dollars if self.unpriced < self.calls else None,
            "unpriced_calls": self.unpriced,
            "retries": self.retries,
            "faults": dict(self.faults.most_common()),
            "seconds": self.percentiles(),
        }

    def cells(self) -> tuple[str, ...]:
        dollars = money(self.dollars) if self.unpriced < self.calls else "–"
        took = (f"{s:.2f}" if s is not None else "–" for s in self.percentiles().values())
        counts = (self.calls, self.prompt_tokens, self.completion_tokens)
        return (*map(number, counts), dollars, number(self.retries), *took)


def spent(journal: Journal) -> dict[tuple[str, str, str], Spent]:
    """By stage (the first part of a call's path, without its round), role and model."""
    found: dict[tuple[str, str, str], Spent] = {}
    for path, role, model, usage, seconds, attempts, faults in journal.metered():
        stage = re.sub(r"-\d+$", "", path.partition("/")[0])
        of = found.setdefault((stage, role, model), Spent())
        of.calls += 1
        of.prompt_tokens += usage.prompt_tokens
        of.completion_tokens += usage.completion_tokens
        of.dollars += usage.cost or 0.0
        of.unpriced += usage.cost is None
        of.retries += attempts - 1
        of.faults.update(fault for fault in faults.split(",") if fault)
        of.seconds.append(seconds)
    return dict(sorted(found.items()))


def total(parts: Iterable[Spent]) -> Spent:
    all_of_it = Spent()
    for part in parts:
        all_of_it.add(part)
    return all_of_it


def cost_command(given: argparse.Namespace) -> int:
    run = RunDirectory(Path(given.run)).require()
    with run.journal() as journal:
        found, effort = spent(journal), journal.effort()
    whole = total(found.values())
    if given.json:
        rows = [{"stage": s, "role": r, "model": m, **part.to_json()} for (s, r, m), part in found.items()]
        once = [{"name": name, "times": times, "cpu_seconds": seconds} for name, times, seconds in effort]
        print_json({"calls": rows, "total": whole.to_json(), "once": once})
        return 0
    if not found:
        print("no model was asked")
    else:
        header = (
            "stage",
            "role",
            "model",
            "calls",
            "tokens in",
            "out",
            "dollars",
            "retries",
            "p50 s",
            "p90 s",
            "p99 s",
        )
        lines = [(*names, *part.cells()) for names, part in found.items()]
        print(table([*lines, ("total", "", "", *whole.cells())], header=header))
        if whole.faults:
            print("\nfaults: " + ", ".join(f"{count:,} {fault}" for fault, count in whole.faults.most_common()))
        if whole.unpriced:
            print(f"\nthe price of {whole.unpriced:,} of {whole.calls:,} calls is not known")
    if effort:
        print()
        print(table([(n, number(t), f"{s:.1f}") for n, t, s in effort], header=("once", "times", "CPU s")))
    return 0
