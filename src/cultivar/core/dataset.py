"""What a recipe returns: records, and what is worth showing about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cultivar.core.figures import Example, Section, Tile
from cultivar.core.records import Record


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
