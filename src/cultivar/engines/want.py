"""As many accepted rows as are wanted, and no more calls than these take.

``--want 500`` is a target for all rows, ``--want difficulty=hard:100`` one for the rows whose ``meta`` has that value
(dots reach into it: ``difficulty.bucket=9+:20``). A row counts towards every target that it meets, and is kept if one
of them is still open, in the order of the items. An item is begun only if those in flight cannot meet all targets, even
if all of them are accepted: so every item that is begun is needed, and a replay begins the same ones. Towards the end
of a run this leaves part of the pool idle, which costs time and no money.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cultivar.core.errors import UsageError
from cultivar.core.records import Record
from cultivar.engines.outcomes import records_of, set_level_row
from cultivar.engines.spool import Spool

T = TypeVar("T")
FORM = "write --want N, or --want FIELD=VALUE:N (FIELD is one of a record's meta)"


@dataclass(frozen=True, slots=True)
class Target:
    """``number`` rows whose meta has ``value`` at ``field``; of all rows where ``field`` is empty."""

    number: int
    field: str = ""
    value: str = ""

    def met_by(self, record: Record) -> bool:
        found: Any = record.meta
        for name in self.field.split(".") if self.field else ():
            found = found.get(name) if isinstance(found, Mapping) else None
        return not self.field or str(found) == self.value


def read_targets(given: Sequence[str]) -> tuple[Target, ...]:
    """The targets of ``--want``; raises UsageError for what is none."""
    found = []
    for text in given:
        rest, _, number = text.rpartition(":")
        field, equals, value = rest.partition("=")
        if not number.isdigit() or int(number) < 1 or (rest and not (field and equals and value)):
            raise UsageError(f"--want {text}: {FORM}")
        found.append(Target(int(number), field, value))
    return tuple(found)


class Want:
    """What is still wanted of one stage."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self.targets = tuple(targets)
        self._missing = {target: target.number for target in self.targets}
        self._kept = dict(self._missing)
        self._most = 1

    @property
    def missing(self) -> int:
        """The least number of rows that could meet all targets: those of one field add up, a row meets many fields."""
        fields: Counter[str] = Counter()
        for target, number in self._missing.items():
            fields[target.field] += max(0, number)
        return max(fields.values(), default=0)

    def admits(self, flying: int) -> bool:
        """Whether one more item is needed besides ``flying`` ones. An item may give as many rows as any gave so far."""
        return flying * self._most < self.missing

    def accepted(self, result: Any) -> None:
        """Counts a result at its arrival."""
        records = list(records_of(result))
        self._most = max(self._most, len(records))
        self._count(self._missing, records)

    def settle(self, results: Spool[T], stage: str) -> list[dict[str, Any]]:
        """Removes the results that meet no open target, in the order of the items; gives their rows of dropped."""
        surplus, rows = [], []
        for number, result in results.numbered():
            records = list(records_of(result))
            if not records or any(self._kept[t] > 0 and t.met_by(r) for t in self.targets for r in records):
                self._count(self._kept, records)
                continue
            surplus.append(number)
            rows += [set_level_row("not-wanted", record, {"stage": stage}) for record in records]
        results.remove(surplus)
        return rows

    def _count(self, left: dict[Target, int], records: Iterable[Record]) -> None:
        for record in records:
            for target in self.targets:
                if target.met_by(record):
                    left[target] -= 1
