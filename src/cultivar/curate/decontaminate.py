"""Texts that share a span of words with a benchmark: what leaked, from which row of which benchmark.

A text leaks a benchmark if it shares ``n`` words in a row with a field of one of its rows; 13 as in GPT-3 (Brown et al.
2020, arXiv 2005.14165, appendix C) and most of what followed. Case, spacing and all punctuation are not looked at.

    items under n words       a prompt of 6 to n - 1 words leaks where all of it stands in the text, a shorter one where
                              it is the whole text; a short answer (``18``, ``True``) never does
    spans that say nothing    fewer than 5 different words with letters in them: a list of numbers, ``the the the``

Spans of ``n`` words are found by hash and then compared word by word, so a leak that is told is there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from cultivar.core.errors import InputError
from cultivar.core.records import JSON
from cultivar.core.text import clip
from cultivar.curate.findings import Finding

NGRAM = 13
SHORT = 6
"""Words from which a prompt that is shorter than the n-gram is looked for inside of texts."""
TELLING = 5
"""Different words with letters in them that a span has to have."""
PROMPTS = (
    "prompt",
    "instruction",
    "question",
    "problem",
    "query",
    "text",
    "input",
    "turns",
    "conversations",
    "messages",
)
ANSWERS = ("canonical_solution", "solution", "answer", "response", "output", "reference", "completion")
"""Fields of a benchmark's rows that are looked at if none are named, whatever their case."""
SHOWN = 300
"""Characters of a leaked span in the evidence."""
MAX_DEPTH, MAX_PARTS = 6, 1000
"""Of the nested value of one field."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[^\W_{_CJK}]+(?:['’][^\W_{_CJK}]+)*|[{_CJK}]")
_AT = 2**24  # places of words in an item fit below it


class Benchmarks:
    """An index of the n-grams of benchmarks; ``leak`` looks a text up. About 150 bytes for each word of a benchmark.

    Raises ValueError for an ``n`` below 6.
    """

    def __init__(self, n: int = NGRAM) -> None:
        if n < SHORT:
            raise ValueError(f"n {n}: give a number of words from {SHORT}; shorter spans stand in clean texts too")
        self.n = n
        self._items: list[tuple[str, int, str, list[str]]] = []  # benchmark, row, field, words
        self._spans: dict[int, dict[int, int]] = {}  # length in words -> hash -> item and place of its first word
        self._whole: dict[tuple[str, ...], int] = {}

    def add(self, name: str, rows: Iterable[JSON], fields: Sequence[str] = ()) -> int:
        """Index a benchmark, of which a row is a string or an object; how many of its rows there are.

        ``fields`` names those to look at; without, every field of ``PROMPTS`` and ``ANSWERS`` that a row has. Raises
        InputError for a row with none of them.
        """
        count = 0
        for count, row in enumerate(rows, 1):
            found = False
            for field, value in _fields(row, fields):
                for text in _texts(value):
                    found = True
                    self._index(name, count, field, words_of(text))
            if not found:
                there = ", ".join(repr(str(key)[:40]) for key in list(row)[:8]) if isinstance(row, dict) else ""
                raise InputError(
                    f"{name}, row {count}: none of {', '.join(fields or PROMPTS + ANSWERS)} holds text (the row has "
                    f"{there or 'nothing'}); name the fields that do"
                )
        return count

    def leak(self, text: str) -> Finding | None:
        """The longest span that a text shares with a benchmark, or None.

        Evidence: ``benchmark`` (its name), ``row`` (from 1), ``field``, ``words`` (how many are shared in a row) and
        ``span`` (as it stands in the text, of a long one the beginning).
        """
        words = words_of(text)
        best = self._best(words)
        if best is None and words and (item := self._whole.get(tuple(words))) is not None:
            best = len(words), 0, item
        if best is None:
            return None
        length, start, item = best
        name, row, field, _ = self._items[item]
        places = [match.span() for match in _WORD.finditer(text)]
        span = clip(text[places[start][0] : places[start + length - 1][1]], SHOWN)
        return Finding("benchmark-leak", {"benchmark": name, "row": row, "field": field, "words": length, "span": span})

    def _index(self, name: str, row: int, field: str, words: list[str]) -> None:
        item = len(self._items)
        length = min(self.n, len(words))
        is_prompt = field.lower() not in ANSWERS
        if length < self.n and not is_prompt:
            return
        self._items.append((name, row, field, words))
        if length < self.n:
            self._whole.setdefault(tuple(words), item)
        if length < SHORT:
            return
        table = self._spans.setdefault(length, {})
        for at in range(min(len(words) - length + 1, _AT)):
            table.setdefault(hash(tuple(words[at : at + length])), item * _AT + at)

    def _best(self, words: list[str]) -> tuple[int, int, int] | None:
        """(words, place in the text, item) of the longest shared span."""
        best: tuple[int, int, int] | None = None
        for length, table in sorted(self._spans.items()):
            at = 0
            while at + length <= len(words):
                known = table.get(hash(tuple(words[at : at + length])))
                if known is None:
                    at += 1
                    continue
                item, place = divmod(known, _AT)
                shared = _shared(words, at, self._items[item][3], place)
                if shared >= length and _telling(words[at : at + shared]):
                    best = max(best or (0, 0, 0), (shared, at, item), key=lambda found: found[0])
                at += max(1, shared - length + 1)
        return best


def words_of(text: str) -> list[str]:
    """Words in one case, without punctuation; a letter of Chinese, Japanese or Korean is a word."""
    found = _WORD.findall(text)
    if text.isascii():
        return [word.casefold().replace("'", "") for word in found]
    return [unicodedata.normalize("NFKC", word).casefold().replace("'", "").replace("’", "") for word in found]


def _shared(words: list[str], at: int, others: list[str], place: int) -> int:
    """How many words from there on are equal."""
    most = min(len(words) - at, len(others) - place)
    return next((k for k in range(most) if words[at + k] != others[place + k]), most)


def _telling(words: list[str]) -> bool:
    return len({word for word in words if not word[0].isdigit()}) >= TELLING


def _fields(row: JSON, fields: Sequence[str]) -> Iterator[tuple[str, JSON]]:
    if isinstance(row, str):
        yield "text", row
    elif isinstance(row, dict):
        wanted = {name.lower() for name in fields or PROMPTS + ANSWERS}
        yield from ((str(key), value) for key, value in row.items() if str(key).lower() in wanted)


def _texts(value: JSON) -> list[str]:
    """The texts in a value, such as those of a conversation's messages; blank ones are none."""
    found: list[str] = []
    rest = [(value, 0)]
    while rest and len(found) < MAX_PARTS:
        part, depth = rest.pop()
        if isinstance(part, str):
            found += [part] if part.strip() else []
        elif depth < MAX_DEPTH and isinstance(part, list):
            rest += [(inner, depth + 1) for inner in reversed(part[:MAX_PARTS])]
        elif depth < MAX_DEPTH and isinstance(part, dict):
            rest += [(part[key], depth + 1) for key in ("content", "value", "text") if key in part]
    return found
