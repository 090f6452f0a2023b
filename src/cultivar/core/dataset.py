"""What a recipe returns: records, and what is worth showing about them."""

from __future__ import annotations

import bisect
import itertools
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, overload

from cultivar.core.figures import Example, Section, Tile
from cultivar.core.records import Record

T = TypeVar("T")


@dataclass(frozen=True)
class Dataset:
    """``records`` in the order in which they are written. The rest is for card and report.

    ``tiles`` are the headline numbers, ``sections`` the figures, ``examples`` conversations to read; ``reasons`` say
    for each reason to drop something what is demanded, ``limits`` what the rows are not.
    """

    records: Sequence[Record]
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = ()
    examples: Sequence[Example] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    limits: Sequence[str] = ()
    tags: Sequence[str] = ()


class Flat(Sequence[T]):
    """The members of sequences one after the other, read when they are asked for.

    ``Dataset(Flat(await engine.map(...)))`` is for items that give lists of records: no list holds them all.
    """

    def __init__(self, parts: Sequence[Sequence[T]]) -> None:
        self._parts = parts
        self._ends: array[int] = array("q")

    def _bounds(self) -> array[int]:
        if not self._ends:
            self._ends.extend(itertools.accumulate(len(part) for part in self._parts))
        return self._ends

    def __len__(self) -> int:
        ends = self._bounds()
        return ends[-1] if ends else 0

    def __iter__(self) -> Iterator[T]:
        for part in self._parts:
            yield from part

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> list[T]: ...

    def __getitem__(self, at: int | slice) -> T | list[T]:
        chosen = range(len(self))[at]
        if isinstance(chosen, range):
            return [self[n] for n in chosen]
        part = bisect.bisect_right(self._bounds(), chosen)
        return self._parts[part][chosen - (self._bounds()[part - 1] if part else 0)]
