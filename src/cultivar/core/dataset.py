"""What a recipe returns: records, and what is worth showing about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cultivar.core.records import JSON, Record


@dataclass(frozen=True)
class Dataset:
    """``records`` in the order in which they are written; ``headline`` are (name, value) pairs for table and card.

    ``figures`` are those of ``export.figures``, in the order in which a report shows them; ``examples`` are ids of
    records worth reading. ``reasons`` say, for each reason to drop something, what is demanded.
    """

    records: Sequence[Record]
    headline: Mapping[str, JSON] = field(default_factory=dict)
    figures: Sequence[Any] = ()
    examples: Sequence[str] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
