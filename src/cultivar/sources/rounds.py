"""A corpus in rounds, for recipes that learn from what they made in the rounds before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle

from cultivar.core.records import Document


def rounds(passages: Iterable[Document], size: int) -> Iterator[list[Document]]:
    """The passages over and over, at most ``size`` to a round and none twice in one; nothing if there are none.

    A round depends on the corpus and on ``size`` alone, not on how many rows are wanted, so that a run that wants more
    goes on where a smaller one ended.
    """
    batch: list[Document] = []
    for passage in cycle(passages):
        if len(batch) == size or any(passage.id == other.id for other in batch):
            yield batch
            batch = []
        batch.append(passage)
