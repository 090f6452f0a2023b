"""What a recipe says of its run: numbers, bars, tables, conversations. Card and report are drawn from these alone.

    Report
      |-- Tile          one headline number
      |-- Section       figures under one heading: Bars | Histogram | Table
      |-- Drop          how often one gate refused, and what it demands
      |-- Cost          what one stage took
      |-- Example       a conversation to read
      +-- Provenance    recipe, paper, command, configuration, models, seed, versions

All are frozen and plain JSON (``to_json`` / ``Report.from_json``), so that a journal can keep them. Texts may come from
a model: they are bounded and escaped where they are drawn, not here.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

import orjson

from cultivar.core.records import JSON, Sample, Trajectory, Turn
from cultivar.core.text import Cell, clip, number, round_step


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline number. ``volatile`` marks what differs in a replay (a time, a rate): the card leaves it out."""

    label: str
    value: str | int | float
    note: str = ""
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """One number for each label and series, from zero upwards; ``unit`` follows the numbers ("%", " tasks").

    Several series stand side by side; the last one is the result, those before it what it is compared with.
    ``intervals`` may give (low, high) for each number of a series.
    """

    title: str
    labels: tuple[str, ...]
    series: Mapping[str, tuple[float, ...]]
    unit: str = ""
    note: str = ""
    kind: Literal["bars"] = "bars"
    intervals: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, found in self.intervals.items():
            if len(found) != len(self.series.get(name, ())):
                raise ValueError(f"{self.title}: {len(found)} intervals for series {name!r}, which has another length")
            if not all(0 <= low <= high < math.inf for low, high in found):
                raise ValueError(f"{self.title}: series {name!r} has an interval that is none")
        for name, values in self.series.items():
            if len(values) != len(self.labels):
                raise ValueError(
                    f"{self.title}: series {name!r} has {len(values)} values, labels are {len(self.labels)}"
                )
            if not all(math.isfinite(value) and value >= 0 for value in values):
                raise ValueError(f"{self.title}: series {name!r} has a value that is negative or no number")


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values lie in [edges[i], edges[i+1]), the last bin closed on both sides."""

    title: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    unit: str = ""
    note: str = ""
    kind: Literal["histogram"] = "histogram"

    def __post_init__(self) -> None:
        if self.counts and len(self.edges) != len(self.counts) + 1:
            raise ValueError(f"{self.title}: {len(self.counts)} bins need {len(self.counts) + 1} edges")

    @classmethod
    def of(cls, title: str, values: Iterable[float], *, bins: int = 24, unit: str = "", note: str = "") -> Self:
        """At most ``bins`` bins of equal width (one more where a round edge asks for it), with edges to be read out:
        whole for whole numbers, otherwise multiples of a round step."""
        found = [value for value in values if math.isfinite(value)]
        if not found:
            return cls(title, (), (), unit, note)
        low, high = min(found), max(found)
        if all(float(value).is_integer() for value in found):
            width: float = max(1, math.ceil((high - low + 1) / bins))
            edges = [low + width * i for i in range(math.ceil((high - low + 1) / width) + 1)]
        else:
            width = round_step((high - low) / bins)
            low = math.floor(low / width)
            edges = [width * (low + i) for i in range(math.floor(high / width) - low + 2)]
        counts = [0] * (len(edges) - 1)
        for value in found:
            counts[min(max(bisect.bisect_right(edges, value) - 1, 0), len(counts) - 1)] += 1
        return cls(title, tuple(edges), tuple(counts), unit, note)

    def labels(self) -> tuple[str, ...]:
        """A name for each bin: "7" or "7–9" for whole numbers, otherwise its lower edge."""
        if not all(float(edge).is_integer() for edge in self.edges):
            return tuple(number(edge) for edge in self.edges[:-1])
        return tuple(
            number(low) if high - low <= 1 else f"{number(low)}–{number(high - 1)}"
            for low, high in itertools.pairwise(self.edges)
        )


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` of cells in the order of ``columns``; a column of numbers is set flush right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    kind: Literal["table"] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: a row has {len(row)} cells, the table {len(self.columns)} columns")


Figure: TypeAlias = Bars | Histogram | Table


@dataclass(frozen=True, slots=True)
class Section:
    """Figures under one heading; ``text`` says in a sentence or two how to read them."""

    title: str
    figures: tuple[Figure, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """``sentence`` is what the gate demands."""

    reason: str
    count: int
    sentence: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stage took. ``dollars`` is None where the price is not known; ``cpu_seconds`` is left out of the card."""

    stage: str
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float | None = None
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation to read. ``facts`` stand above it; ``speakers`` renames roles ("user": "Environment")."""

    title: str
    turns: tuple[Turn, ...]
    facts: Mapping[str, Cell] = field(default_factory=dict)
    speakers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, trajectory: Trajectory, title: str, facts: Mapping[str, Cell] | None = None) -> Self:
        """A trajectory, with its outcome among the facts."""
        outcome = {"outcome": "solved" if trajectory.success else "not solved", "reward": trajectory.reward}
        speakers = {"user": "Environment", "assistant": "Agent"}
        return cls(title, trajectory.turns, {**(facts or {}), **outcome, "record": trajectory.id}, speakers)


def turns_of(sample: Sample, longest: int = 100_000) -> tuple[Turn, ...]:
    """The messages of a sample as an Example's turns: the assistant's are what a learner is trained on. Texts are cut
    at ``longest`` characters."""
    return tuple(
        Turn(m["role"], clip(str(m["content"]), longest), train=m["role"] == "assistant") for m in sample.messages
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How to make it again. ``paper`` is an arXiv number; ``versions`` maps programs to versions."""

    recipe: str
    paper: str = ""
    command: str = ""
    config: Mapping[str, JSON] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that card.md and report.html show.

    ``counts`` are the records of the run by kind; ``license`` is that of the rows (an SPDX id in lower case, as dataset
    hubs write it); ``limits`` are sentences on what the rows are not; ``format`` is the export that is advised.
    """

    title: str
    about: str
    provenance: Provenance
    counts: Mapping[str, int] = field(default_factory=dict)
    tiles: tuple[Tile, ...] = ()
    sections: tuple[Section, ...] = ()
    drops: tuple[Drop, ...] = ()
    costs: tuple[Cost, ...] = ()
    examples: tuple[Example, ...] = ()
    limits: tuple[str, ...] = ()
    license: str = "unknown"
    tags: tuple[str, ...] = ()
    format: str = "trl"

    def to_json(self) -> dict[str, JSON]:
        found: dict[str, JSON] = orjson.loads(orjson.dumps(self))
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Report:
        """The inverse of ``to_json``; raises ValueError for data of another shape."""
        from pydantic import TypeAdapter  # slow to import, and needed nowhere else here

        adapter: Any = TypeAdapter(cls)
        found: Report = adapter.validate_python(dict(data))
        return found


def total(costs: Sequence[Cost]) -> Cost:
    """The sum of all stages; a price is known if one of them is."""
    dollars = [cost.dollars for cost in costs if cost.dollars is not None]
    seconds = [cost.cpu_seconds for cost in costs if cost.cpu_seconds is not None]
    return Cost(
        "all stages",
        sum(cost.calls for cost in costs),
        sum(cost.prompt_tokens for cost in costs),
        sum(cost.completion_tokens for cost in costs),
        sum(dollars) if dollars else None,
        sum(seconds) if seconds else None,
    )
