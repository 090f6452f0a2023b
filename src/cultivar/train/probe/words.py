"""A vocabulary of whole words: a probe is too small to learn spelling."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

SPECIAL = ("<pad>", "<unknown>", "<told>", "<act>", "<end>")
PAD, UNKNOWN, TOLD, ACT, END = range(len(SPECIAL))

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|[^\w\s]|_")


def words(text: str) -> list[str]:
    """Lower case; a hyphenated word is one, a mark of punctuation too."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class Vocabulary:
    """The words that a probe knows, after the ``SPECIAL`` ones; any other is ``UNKNOWN``."""

    known: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str], least: int = 1, most: int = 30_000) -> Vocabulary:
        """The words that the texts have at least ``least`` times, the ``most`` frequent ones, in alphabetical order."""
        counts = Counter(word for text in texts for word in words(text))
        frequent = sorted(counts, key=lambda word: (-counts[word], word))[:most]
        return cls(tuple(sorted(word for word in frequent if counts[word] >= least)))

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.known)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.known, len(SPECIAL))}

    def encode(self, text: str) -> list[int]:
        number = self._number
        return [number.get(word, UNKNOWN) for word in words(text)]

    def decode(self, numbers: Sequence[int]) -> str:
        """The words with spaces between; special ones by their names in angle brackets."""
        return " ".join(SPECIAL[n] if n < len(SPECIAL) else self.known[n - len(SPECIAL)] for n in numbers)
