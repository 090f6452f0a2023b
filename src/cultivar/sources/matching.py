"""The passage that keywords fit best, by words alone: what stands in for a web search where there is a corpus."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from cultivar.core.records import Document

_WORD = re.compile(r"[^\W_]+")


class Matcher:
    """Passages by their words; holds all of them in memory, and for each word the numbers of those that have it."""

    def __init__(self, passages: Iterable[Document]) -> None:
        self.passages = list(passages)
        self._having: dict[str, list[int]] = defaultdict(list)
        for number, passage in enumerate(self.passages):
            for word in sorted(_words(f"{passage.title} {passage.text}")):
                self._having[word].append(number)

    def best(self, keywords: Sequence[str], least: int = 2) -> Document | None:
        """The passage with the largest sum of log(passages / passages that have the word) over the keywords' words.

        A plural "s" is not seen. The first of equals; None if no passage has ``least`` of the words (or all of fewer).
        """
        asked = {word for keyword in keywords for word in _words(keyword)}
        weight: dict[int, float] = defaultdict(float)
        hits: Counter[int] = Counter()
        for word in sorted(asked):
            for number in self._having.get(word, ()):
                weight[number] += math.log(1 + len(self.passages) / len(self._having[word]))
                hits[number] += 1
        enough = [number for number in weight if hits[number] >= min(least, len(asked))]
        return self.passages[min(enough, key=lambda n: (-weight[n], n))] if enough else None


def _words(text: str) -> set[str]:
    found = (word.casefold() for word in _WORD.findall(text))
    return {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found if len(word) > 2}
