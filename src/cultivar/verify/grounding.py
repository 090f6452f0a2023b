"""Whether what is said to come from a document does, and whether a request can be understood without it. No model.

Words are runs of letters and digits in any case, so texts without spaces between words (Chinese, Thai) are judged by
whole sentences, and hardly ever found grounded. Every function is linear in the length of its texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cultivar.core.errors import Unparsable
from cultivar.core.text import one_line

GROUNDED, PASTED = 0.8, 0.6
"""Least share of an excerpt's word 3-grams that the document has, and that the query has."""

_WORD = re.compile(r"[^\W_]+")
_THING = r"(?:passage|excerpt|extract|document|article|text|paragraph|snippet|reading|material|account|report|story)"
_PIECE = r"(?:passage|excerpt|extract|article|text|paragraph|snippet)"
"""Of these alone "in the ..." is said of another text; "in the report" may be said of one that is to be written."""
_OUTSIDE = re.compile(
    rf"\b(?:the|this|that) (?:above|preceding|following|given|provided|attached|source|original) {_THING}s?\b"
    rf"|\b{_THING}s? (?:above|below|(?:that (?:was|is) )?(?:provided|attached|given)|you (?:read|were given|have))\b"
    rf"|\b(?:according to|based on|as (?:described|mentioned|stated|explained|shown) in) (?:the|this|that) "
    rf"(?:[\w-]+ ){{0,2}}{_THING}\b"
    rf"|\b(?:from|in) (?:the|this|that) {_PIECE}\b"
    r"|\bthis (?:passage|excerpt|extract|document|article|snippet)\b"
    r"|\b(?:the|this) (?:passage|excerpt|article|author|narrator|text) (?:says|states|describes|mentions|argues)\b"
    r"|\bas (?:described|mentioned|stated|explained|shown) above\b",
    re.IGNORECASE,
)


_APART = re.compile(r"\A\W*|[:\n]\W*")
_FIRST = 400
"""Characters of a piece that are looked at for its first words."""
_QUOTED = re.compile(
    r'"[^"]{1,2000}"|“[^”]{1,2000}”|«[^»]{1,2000}»|(?<!\w)[\'‘][^\n]{1,2000}?[\'’](?!\w)',
)


def words_of(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def share(quote: str, source: str, size: int = 3) -> float:
    """The share of a quote's word n-grams that the source has; of a shorter quote, whether the source has it all.

    1 for a word-for-word copy whatever its case and punctuation, 0 for a quote without words.
    """
    words, there = words_of(quote), words_of(source)
    size = min(size, len(words))
    if not words:
        return 0.0
    known = _grams(there, size)
    asked = [tuple(words[k : k + size]) for k in range(len(words) - size + 1)]
    return sum(gram in known for gram in asked) / len(asked)


def excerpted(text: str, source: str, run: int = 8) -> bool:
    """Whether the text brings along a piece of the source, of at least so many words (the whole of a shorter source).

    A piece stands in quotation marks, or begins the text, a line or what follows a colon: "according to the document,
    ..." with the source's words in the writer's own sentence shows no document to a reader.
    """
    there = words_of(source)
    run = min(run, len(there))
    if not run:
        return False
    begun = (words_of(text[at.end() : at.end() + _FIRST]) for at in _APART.finditer(text))
    parts = [words[:run] for words in begun] + [words_of(quote.group()) for quote in _QUOTED.finditer(text)]
    known = _grams(there, run)
    return any(not _grams(words, run).isdisjoint(known) for words in parts)


def points_outside(text: str) -> str | None:
    """The words with which a text refers to another one ("the passage above", "according to the article"), or None.

    English; by patterns, so that some such references are missed and a text may be meant that it brings along: see
    ``excerpted``.
    """
    found = _OUTSIDE.search(" ".join(text.split()))
    return found.group() if found else None


def demand_grounded(query: str, excerpts: Sequence[str], document: str) -> float | None:
    """The least share of an excerpt's words that the document has (see ``share``); None if there are no excerpts.

    Raises Unparsable with what is wrong (up to five things, in words that help its author to mend the query) and the
    first of the reasons: an excerpt that the document does not have (``ungrounded``) or the query does not
    (``not-pasted``), a query that refers to a text it does not bring along (``points-outside``).
    """
    faults: list[tuple[str, str]] = []
    for excerpt in excerpts:
        told = f"the extra information {one_line(excerpt, 200)!r}"
        if share(excerpt, document) < GROUNDED:
            faults.append((f"{told} is not in the document: copy it word for word, or leave it empty", "ungrounded"))
        elif share(excerpt, query) < PASTED:
            faults.append((f"the query lacks {told}: put it in word for word", "not-pasted"))
    outside = points_outside(query)
    if outside is not None and not excerpted(query, document):
        why = f"the query says {outside!r}, and who answers has no such text: say it without speaking of one"
        faults.append((why, "points-outside"))
    if faults:
        raise Unparsable("; ".join(why for why, _ in faults[:5]), faults[0][1])
    return min((share(excerpt, document) for excerpt in excerpts), default=None)


def _grams(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[k : k + size]) for k in range(len(words) - size + 1)}
