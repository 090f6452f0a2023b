"""What a step of curation says of a text, and the loop that runs several steps over rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a text is not kept: ``reason`` is a short slug that is counted, ``evidence`` what shows it (JSON)."""

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Check: TypeAlias = Callable[[str], Finding | None]
"""A text -> why it is not kept, or None."""


def sift(
    rows: Iterable[Row],
    checks: Sequence[Check],
    *,
    text: Callable[[Row], str],
    duplicates: Callable[[str, str], Finding | None] | None = None,
    name: Callable[[Row], str] | None = None,
) -> Iterator[tuple[Row, Finding | None]]:
    """Each row with the first finding of ``checks``, or None: one row at a time, in order.

    ``duplicates`` (``Duplicates().find``) comes last, so that a row which is dropped for another reason hides no row
    behind it; ``name`` is what a later duplicate says it duplicates (the row's position, from 0, without it).

        for row, found in sift(rows, [too_short, leaks], text=lambda r: r.prompt, duplicates=Duplicates().find,
                               name=lambda r: r.id):
            if found:
                engine.discard(found.reason, row, **found.evidence)
    """
    for at, row in enumerate(rows):
        of = text(row)
        found = next((f for check in checks if (f := check(of)) is not None), None)
        if found is None and duplicates is not None:
            found = duplicates(of, name(row) if name else str(at))
        yield row, found
