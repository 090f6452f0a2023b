"""Long text into passages: whole sentences, paragraph by paragraph, without holding the text in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SHORTEST = 80
"""Words. A passage is closed at the first paragraph end at which it has so many."""
LONGEST = 250
"""Words. A passage is closed at the last sentence end before it would have more."""
CHARACTERS_PER_WORD = 8
"""A long run of characters without spaces counts as several words: not every script has spaces."""

_SENTENCE = re.compile(r".+?(?:[.!?…][\"'”’»)\]]*(?=\s|$)|[。！？]|$)", re.DOTALL)


def size(text: str) -> int:
    """Length in words, the unit of this module."""
    return max(len(text.split()), len(text) // CHARACTERS_PER_WORD)


def passages(paragraphs: Iterable[str]) -> Iterator[str]:
    """Joins short paragraphs and splits long ones into passages of about ``SHORTEST`` to ``LONGEST`` words.

    No word is ever cut, so a passage is too long only if one of its words is. Passages are shorter than ``SHORTEST``
    only where the text ends, or just before a sentence that would not fit. Whitespace inside a paragraph becomes single
    spaces; an empty line separates the paragraphs of one passage.
    """
    held = ""
    for passage in _pack(paragraphs):
        joined = f"{held}\n\n{passage}"
        if held and size(passage) < SHORTEST and size(joined) <= LONGEST:
            held = joined
            continue
        if held:
            yield held
        held = passage
    if held:
        yield held


def _pack(paragraphs: Iterable[str]) -> Iterator[str]:
    current = ""
    for paragraph in paragraphs:
        joint = "\n\n"
        for sentence in _sentences(paragraph):
            joined = f"{current}{joint}{sentence}" if current else sentence
            if current and size(joined) > LONGEST:
                yield current
                joined = sentence
            current, joint = joined, " "
        if size(current) >= SHORTEST:
            yield current
            current = ""
    if current:
        yield current


def _sentences(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph; one with more than ``LONGEST`` words comes in parts."""
    for match in _SENTENCE.finditer(" ".join(paragraph.split())):
        sentence = match.group().strip()
        if size(sentence) > LONGEST:
            yield from _parts(sentence)
        elif sentence:
            yield sentence


def _parts(sentence: str) -> Iterator[str]:
    current = ""
    for word in sentence.split():
        joined = f"{current} {word}" if current else word
        if current and size(joined) > LONGEST:
            yield current
            joined = word
        current = joined
    yield current
