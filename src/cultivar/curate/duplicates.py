"""Exact and near-duplicates of texts, as they stream by.

What counts as the same text:

    exact-duplicate   the same words in the same order; case, spacing, and the punctuation . , ; : ! ? ' " ` and dashes
                      are not looked at (all other signs are: 3+4 is not 3*4)
    near-duplicate    the Jaccard similarity of their shingles is at least ``threshold``
    one-word-apart    texts of 4 to 16 words that are equal but for one word replaced, missing or added: in so short a
                      text one word moves the Jaccard similarity below any useful threshold

and what does not: two texts of up to 100 words with different numbers, or signs before them (``Is 1021 prime?``,
``Is 1011 prime?``), are two texts, and so are two texts under 4 words that differ at all.

Shingles are the words, and the pairs of neighbours within a sentence; pairs do not cross a sentence's end, so that the
order of the sentences does not matter, and the order of words does.

Candidates come from MinHash sketches (Broder 1997; rensa, in Rust) whose bands are hashed (locality-sensitive hashing);
one pair at the threshold is missed in at most 1 of 100 cases. A candidate is then compared by its shingles themselves,
so whatever is dropped has the similarity that is reported.

Needs the ``curate`` extra. An index takes about 3 kB for each short text that is kept.
"""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import TypeAlias

from cultivar.core.extras import needed
from cultivar.curate.findings import Finding

NEAR = 0.8
"""The default threshold of the Jaccard similarity: usual in the field (Lee et al. 2021, arXiv 2107.06499)."""
ONE_WORD = range(4, 17)
"""Words of the longer of two texts that one word tells apart; above, one word leaves a similarity of about 0.8."""
NUMBERED = 100
"""Words up to which two texts with different numbers are two texts, as problems to be solved are."""
PERMUTATIONS = 64
MISSED = 0.01
"""Share of the pairs at the threshold that banding may miss."""
MAX_WORDS = 50_000
"""Words of a text that shingles are made of: a longer text is compared by its beginning."""
BUCKET, COMPARED = 64, 32
"""Texts kept in one bucket of a band, and texts compared with one text, those that share most bands first. Both bound
the work on a corpus of one template, of which every text is a candidate for every other."""
END = "."

# Words, a sentence's end, signs, and the minus before a digit. Chinese, Japanese and Korean letters are words each.
_ASCII = re.compile(r"\w+|\.(?=\s|$)|[^\w\s.,;:\"`-]|-(?=\s*\d)", re.ASCII)
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_ANY = re.compile(rf"[^\W{_CJK}]+|[{_CJK}]|\.(?=\s|$)|[^\w\s.,;:\"`‘“”…‐–—、-]|-(?=\s*\d)")
_SIGNS = frozenset("+-*/^%=<>×÷−")

Words: TypeAlias = list[str]


def words_of(text: str) -> Words:
    """The words of a text in one case, ``END`` between sentences: equal for texts that differ in case and spacing."""
    plain = text.isascii()
    if not plain:  # lone halves of surrogate pairs become ?, wide and joined letters plain ones
        text = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())
        text = text.replace("’", "").replace("。", ". ")
    text = text.casefold().replace("'", "").replace("!", END).replace("?", END)
    return (_ASCII if plain else _ANY).findall(text)


def shingles(words: Words) -> set[str]:
    """The words, and the pairs of neighbours within a sentence, of which the ends count as neighbours too."""
    within = [END, *words[:MAX_WORDS], END]
    found = {*within, *map(" ".join, pairwise(within))}
    found.discard(END)
    found.discard(f"{END} {END}")
    return found


def jaccard(one: set[str], other: set[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared or 1)


def similarity(one: str, other: str) -> float:
    """The Jaccard similarity of two texts' shingles, in [0, 1]."""
    return jaccard(shingles(words_of(one)), shingles(words_of(other)))


def banding(threshold: float, permutations: int = PERMUTATIONS) -> tuple[int, int]:
    """(bands, rows in each): the most selective of those that miss at most ``MISSED`` of the pairs at the threshold."""
    rows = max(
        (r for r in range(1, permutations + 1) if (1 - threshold**r) ** (permutations // r) <= MISSED), default=1
    )
    return permutations // rows, rows


class Duplicates:
    """Remembers the texts that were kept; ``find`` says of each next one which of them it duplicates.

    Raises ValueError for a threshold outside (0, 1], UsageError where the ``curate`` extra is missing.
    """

    def __init__(self, threshold: float | None = NEAR, *, one_word: bool = True) -> None:
        """``threshold`` None: exact duplicates alone, without the extra. ``one_word`` False: texts of one template
        (``Write a poem about cats``) are kept unless their similarity reaches the threshold."""
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"threshold {threshold}: give a similarity above 0 and up to 1, such as 0.8")
        self.threshold = threshold
        self._one_word = one_word
        self._given = 0
        self._exact: dict[bytes, str | int] = {}
        self._kept: list[tuple[str, int, str | int]] = []  # words, number of shingles, name
        self._single: dict[int | bytes, tuple[int, ...]] = {}
        if threshold is not None:
            bands, rows = banding(threshold)
            self._permutations = bands * rows
            self._sketch = needed("rensa", "curate").RMinHash
            self._cut = struct.Struct(f"{4 * rows}s" * bands).unpack
            self._bands: list[dict[int | bytes, tuple[int, ...]]] = [{} for _ in range(bands)]

    def find(self, text: str, name: str = "") -> Finding | None:
        """The finding, or None, and the text is remembered as one that is kept.

        Evidence: ``of`` (the kept text's name, or else its position among all texts that were given) and
        ``similarity`` (the true Jaccard similarity; 1 for exact duplicates).
        """
        words = words_of(text)
        content = _without_ends(" ".join(words)) or text.strip()
        digest = hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=16).digest()
        at, self._given = self._given, self._given + 1
        if (of := self._exact.get(digest)) is not None:
            return Finding("exact-duplicate", {"of": of, "similarity": 1.0})
        if self.threshold is not None and words:
            finding = self._near(words[:MAX_WORDS], name or at)
            if finding is not None:
                return finding
        self._exact[digest] = name or at
        return None

    def _near(self, words: Words, name: str | int) -> Finding | None:
        """The nearest kept text that is near enough, or None, and these words are indexed."""
        parts = shingles(words)
        if not parts:
            return None
        sketch = self._sketch(self._permutations, 1)
        sketch.update(parts)
        keys = self._cut(array("I", sketch.digest()).tobytes())
        alike = [found for table, key in zip(self._bands, keys) if (found := table.get(key))]
        single = self._single_keys(words)
        apart = {of for key in single for of in self._single.get(key, ())}
        if alike or apart:
            shared = Counter(chain.from_iterable(alike))
            often = sorted(shared, key=lambda of: (-shared[of], of))[:COMPARED]
            if (finding := self._compared(words, parts, often, apart)) is not None:
                return finding
        alone = (len(self._kept),)
        self._kept.append((" ".join(words), len(parts), name))
        for table, key in chain(zip(self._bands, keys), ((self._single, key) for key in single)):
            held = table.setdefault(key, alone)
            if held is not alone and len(held) < BUCKET:
                table[key] = held + alone
        return None

    def _compared(self, words: Words, parts: set[str], often: list[int], apart: set[int]) -> Finding | None:
        assert self.threshold is not None
        best: tuple[float, int, str] | None = None
        plain = _plain(words)
        numbers = _numbers(plain)
        for of in [*often, *sorted(apart.difference(often))]:
            text, size, _ = self._kept[of]
            possible = min(size, len(parts)) / max(size, len(parts)) >= self.threshold
            if not (possible or of in apart):
                continue
            others = text.split(" ")
            other = _plain(others)
            if _numbers(other) != numbers:
                continue
            near = jaccard(parts, shingles(others))
            by_a_word = of in apart and one_word_apart(plain, other)
            if (near >= self.threshold or by_a_word) and (best is None or near > best[0]):
                best = near, of, "near-duplicate" if near >= self.threshold else "one-word-apart"
        return best and Finding(best[2], {"of": self._kept[best[1]][2], "similarity": round(best[0], 4)})

    def _single_keys(self, words: Words) -> set[int]:
        """Keys of which two texts share one if one word tells them apart: the words, and the words but one."""
        if not self._one_word or len(words) > 2 * ONE_WORD.stop:
            return set()
        plain = _plain(words)
        found = {hash(tuple(plain))} if len(plain) in ONE_WORD or len(plain) + 1 in ONE_WORD else set()
        if len(plain) in ONE_WORD:
            found.update(hash((*plain[:at], *plain[at + 1 :])) for at in range(len(plain)))
        return found


def one_word_apart(one: Words, other: Words) -> bool:
    """Whether one word replaced, missing or added makes one of the other (or nothing does, as they are equal)."""
    longest = max(len(one), len(other))
    first = next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    rest = longest - first - 1
    return len(one) + len(other) >= 2 * longest - 1 and (rest <= 0 or one[-rest:] == other[-rest:])


def exact_duplicates(texts: Iterable[str]) -> Iterator[Finding | None]:
    """For each text its finding, or None for the first of its kind; ``of`` is a position, from 0."""
    return map(Duplicates(None).find, texts)


def near_duplicates(
    texts: Iterable[str], threshold: float = NEAR, *, one_word: bool = True
) -> Iterator[Finding | None]:
    """For each text, in order and as it comes, its finding (exact duplicates too), or None if it is to be kept.

    ``of`` is the position, from 0, of the kept text. See ``Duplicates``.

        kept = [row for row, found in zip(rows, near_duplicates(row.prompt for row in rows)) if found is None]
    """
    return map(Duplicates(threshold, one_word=one_word).find, texts)


def prefix_duplicates(texts: Iterable[str], units: int = 10) -> Iterator[Finding | None]:
    """For each text its finding if an earlier one began with the same ``units`` words, as Arena Learning
    (arXiv 2407.10627) prepares its prompts; a shorter text duplicates only the same text. ``of`` is a position."""
    if units < 1:
        raise ValueError(f"units {units}: give a number of words from 1")
    first: dict[str, int] = {}
    for at, text in enumerate(texts):
        prefix = " ".join(_plain(words_of(text))[:units])
        of = first.setdefault(prefix or text.strip(), at)
        yield None if of == at else Finding("same-prefix", {"of": of, "prefix": prefix})


def _numbers(words: Words) -> list[str]:
    """The numbers, each with a sign before it: equal for duplicates. Nothing where the text is long."""
    if len(words) > NUMBERED:
        return []
    pairs = pairwise(("", *words))
    return sorted((before if before in _SIGNS else "") + word for before, word in pairs if word[0].isdigit())


def _plain(words: Words) -> Words:
    return [word for word in words if word != END]


def _without_ends(joined: str) -> str:
    return joined.replace(f" {END}", "").removeprefix(END).lstrip()
