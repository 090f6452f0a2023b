"""Heuristics of text quality: a text -> why it is not kept, with what was measured and what is allowed, or None.

Thresholds are arguments, with the defaults of those who published them:

    Gopher    Rae et al. 2021, arXiv 2112.11446, table A1 and appendix A.1.1
    C4        Raffel et al. 2019, arXiv 1910.10683
    FineWeb   Penedo et al. 2024, arXiv 2406.17557

``WEB`` is for documents in English, where these rules come from; they throw away poems, code, tables and chats, most of
them good. ``INSTRUCTIONS`` is for instructions, and but for the least length for answers. To change a threshold:

    filters = [partial(characters, least=20), repeated_words, *others]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from cultivar.core.text import clip
from cultivar.curate.findings import Check, Finding

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Gopher's: a text in English has two of them."""
BULLETS = ("-", "*", "•", "‣", "◦", "▪", "·")
ENDS = (".", "!", "?", '"', "”", "’", "'", ")", ":", ";", "…")
_COMMONEST = {
    "English": "the of and to is are was that it for with as on this what how why which who you your write give be by "
    "from or have has not can make if there their do does explain describe create list",
    "French": "le la les des du une et est dans pour que qui avec sur pas vous nous je ce cette comment quelle quel "
    "quels sont moi donne donnez écrivez écris au aux par",
    "German": "der das und ist nicht mit ein eine einen einer für auf den dem zu von wie sie ich wir im sind schreibe "
    "schreiben erkläre warum welche welcher kann",
    "Spanish": "el los las es una que por con para como qué cómo cuál del está son escribe escriba explica dame su sus "
    "más pero lo al un",
    "Portuguese": "os as é uma que não com para por como você do da dos das em um escreva explique qual são mais seu",
    "Italian": "il gli che è una non con per come di del della sono scrivi spiega perché quale quali dei nel un più",
    "Dutch": "het een van dat niet voor zijn hoe wat met schrijf wordt ook maar aan deze er",
    "Polish": "nie jest się na do że jak co dla napisz który oraz czy przez",
    "Turkish": "bir ve bu için ile nasıl nedir olarak daha çok yaz mı",
    "Indonesian": "yang dan di dengan untuk dari ini itu adalah tidak bagaimana apa pada",
}
LANGUAGES: Mapping[str, frozenset[str]] = MappingProxyType({k: frozenset(v.split()) for k, v in _COMMONEST.items()})
"""The commonest words of languages, those of instructions among them; no single letters, which are names in code."""
BOILERPLATE = (
    "lorem ipsum",
    "terms of use",
    "terms of service",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "accept cookies",
    "enable javascript",
    "javascript is disabled",
    "all rights reserved",
    "404 not found",
    "page not found",
    "access denied",
    "subscribe to our newsletter",
    "sign up for our newsletter",
)
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_RUN = re.compile(r"(\S)\1{29,}")
_ODD = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)")


def characters(text: str, *, least: int = 10, most: int = 100_000) -> Finding | None:
    """Between ``least`` and ``most`` characters, white space at the ends not counted."""
    return _within("characters", len(text.strip()), least, most)


def words(text: str, *, least: int = 50, most: int = 100_000) -> Finding | None:
    """Between ``least`` and ``most`` words (Gopher)."""
    return _within("words", len(text.split()), least, most)


def word_length(text: str, *, least: float = 3, most: float = 10) -> Finding | None:
    """The mean length of a word in characters (Gopher)."""
    found = text.split()
    return _within("word-length", sum(map(len, found)) / len(found), least, most) if found else None


def symbols(text: str, *, most: float = 0.1) -> Finding | None:
    """``#`` and ellipses, for each word (Gopher)."""
    count = text.count("#") + text.count("...") + text.count("…")
    return _within("symbols", count / max(1, len(text.split())), 0, most)


def bullets(text: str, *, most: float = 0.9) -> Finding | None:
    """Share of the lines that begin with a bullet (Gopher)."""
    return _share_of_lines("bullets", text, lambda line: line.startswith(BULLETS), 0, most)


def ellipses(text: str, *, most: float = 0.3) -> Finding | None:
    """Share of the lines that end with an ellipsis (Gopher)."""
    return _share_of_lines("ellipses", text, lambda line: line.endswith(("...", "…")), 0, most)


def unended(text: str, *, least: float = 0.12) -> Finding | None:
    """Share of the lines that end with punctuation (FineWeb; C4 takes each other line out)."""
    return _share_of_lines("unended-lines", text, lambda line: line.endswith(ENDS), least, 1)


def short_lines(text: str, *, most: float = 0.67, length: int = 30) -> Finding | None:
    """Share of the lines under ``length`` characters (FineWeb)."""
    return _share_of_lines("short-lines", text, lambda line: len(line) < length, 0, most)


def sentences(text: str, *, least: int = 5) -> Finding | None:
    """Ends of sentences (C4)."""
    return _within("sentences", len(_SENTENCE.findall(text)), least, len(text))


def letters(text: str, *, least: float = 0.8) -> Finding | None:
    """Share of the words with a letter in them (Gopher)."""
    found = text.split()
    return _within("letters", sum(any(map(str.isalpha, w)) for w in found) / len(found), least, 1) if found else None


def stop_words(text: str, *, least: int = 2) -> Finding | None:
    """How many different ones of ``STOP_WORDS`` it has (Gopher)."""
    return _within("stop-words", len(set(_words(text)).intersection(STOP_WORDS)), least, len(STOP_WORDS))


def repeated_lines(text: str, *, lines: float = 0.3, characters: float = 0.2) -> Finding | None:
    """Shares of lines, and of characters, in lines that stood before; then the same of paragraphs (Gopher)."""
    for name, parts in (("lines", _lines(text)), ("paragraphs", re.split(r"\n{2,}", text.strip()))):
        again = _again(parts)
        for kind, share, most in (
            (name, len(again) / max(1, len(parts)), lines),
            (f"characters-of-{name}", sum(map(len, again)) / max(1, sum(map(len, parts))), characters),
        ):
            if share > most:
                return Finding(
                    f"repeated-{name}", {kind: round(share, 3), "most": most, "example": clip(again[0], 200)}
                )
    return None


MAX_WORDS = 100_000
"""Words in which repetition is looked for."""
GRAMS = MappingProxyType({2: 0.20, 3: 0.18, 4: 0.16, 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10})
"""Words in a row -> share of the characters: up to 4 of the most frequent, from 5 on of all that stand there again."""


def repeated_words(text: str, *, most: Mapping[int, float] = GRAMS, least_words: int = 50) -> Finding | None:
    """Share of the characters in the most frequent 2 to 4 words in a row, and in all 5 to 10 words in a row that stood
    before (Gopher). A text under ``least_words`` words, in which every word is a large share, is not judged; of a long
    one the beginning is."""
    found = _words(text)[:MAX_WORDS]
    if len(found) < least_words:
        return None
    total = sum(map(len, found))
    for length, limit in sorted(most.items()):
        grams = [tuple(found[at : at + length]) for at in range(len(found) - length + 1)]
        if not grams:
            break
        gram, count = Counter(grams).most_common(1)[0]
        if count < 2:
            break  # no longer one stands there twice either
        if length < 5:
            taken = count * sum(map(len, gram))
        else:
            taken = _taken(found, grams, length)
        if taken / total > limit:
            evidence = {"share": round(taken / total, 3), "most": limit, "times": count, "example": " ".join(gram)}
            return Finding("repeated-words", evidence)
    return None


def runs(text: str) -> Finding | None:
    """No sign stands 30 times in a row, but for those that rules and tables are drawn with."""
    found = next((match for match in _RUN.finditer(text) if match.group(1) not in "-=_*#.~+|─═"), None)
    return found and Finding("run-of-one-sign", {"sign": found.group(1), "times": len(found.group())})


def not_text(text: str, *, most: float = 0.01, longest: int = 1000) -> Finding | None:
    """Share of the characters that no text holds (control characters, those that could not be decoded), and the length
    of what stands between spaces: encoded files and keys are long, and so is text without spaces, which is kept."""
    odd = len(_ODD.findall(text))
    if text and odd / len(text) > most:
        return Finding("not-text", {"share": round(odd / len(text), 3), "most": most})
    chunk = max(text.split(), key=len, default="")
    if len(chunk) > longest and chunk.isascii():
        return Finding("not-text", {"longest": len(chunk), "most": longest, "example": clip(chunk, 60)})
    return None


def boilerplate(text: str, *, most: int = 0, within: int = 100) -> Finding | None:
    """Phrases of ``BOILERPLATE`` (C4, with our list): at most ``most`` of them for each ``within`` words."""
    low = text.casefold()
    found = [phrase for phrase in BOILERPLATE if phrase in low]
    allowed = most + len(text.split()) // within
    return Finding("boilerplate", {"phrases": found, "most": allowed}) if len(found) > allowed else None


def not_english(text: str, *, latin: float = 0.7, least: int = 2) -> Finding | None:
    """Another script, or another language's commonest words.

    At least ``latin`` of the letters have to be Latin. A language of ``LANGUAGES`` is told by ``least`` of its
    commonest words, if they are more than the English ones. A short text without any of them is kept: this is a sieve
    for a corpus that is mostly English, not an identification of languages.
    """
    alphabetic = [c for c in text if c.isalpha()]
    share = sum(c < "\u0250" or "\u1e00" <= c < "\u1f00" for c in alphabetic) / max(1, len(alphabetic))
    if alphabetic and share < latin:
        return Finding("not-english", {"latin-letters": round(share, 3), "least": latin})
    seen = Counter(_words(text))
    counts = {name: sum(seen[word] for word in common) for name, common in LANGUAGES.items()}
    language = max(counts, key=lambda name: counts[name])
    if counts[language] >= least and counts[language] > counts["English"]:
        return Finding("not-english", {"language": language, "words": counts[language], "English": counts["English"]})
    return None


WEB: tuple[Check, ...] = (
    not_text,
    words,
    word_length,
    symbols,
    letters,
    stop_words,
    bullets,
    ellipses,
    unended,
    short_lines,
    sentences,
    repeated_lines,
    repeated_words,
    runs,
    boilerplate,
)
"""For documents in English: Gopher's rules, and of C4 and FineWeb what looks at a text as a whole."""
INSTRUCTIONS: tuple[Check, ...] = (
    not_text,
    characters,
    partial(repeated_lines, lines=0.5, characters=0.5),
    partial(repeated_words, most={5: 0.5}, least_words=20),
    runs,
)
"""For instructions in any language, code and mathematics among them: Gopher's limits on repetition throw
away many a good short text, and here they catch only one of which half is said again. The thresholds are ours."""


def _within(reason: str, value: float, least: float, most: float) -> Finding | None:
    if least <= value <= most:
        return None
    return Finding(reason, {"value": round(value, 3), **({"least": least} if value < least else {"most": most})})


def _share_of_lines(reason: str, text: str, holds: Callable[[str], bool], least: float, most: float) -> Finding | None:
    lines = _lines(text)
    return _within(reason, sum(map(holds, lines)) / len(lines), least, most) if lines else None


def _lines(text: str) -> list[str]:
    return [line for part in text.splitlines() if (line := part.strip())]


def _again(parts: Sequence[str]) -> list[str]:
    counts: Counter[str] = Counter()
    found = []
    for part in parts:
        counts[part] += 1
        if counts[part] > 1:
            found.append(part)
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _taken(found: list[str], grams: list[tuple[str, ...]], length: int) -> int:
    """Characters of the words in those grams that stood before, each word once."""
    seen: set[tuple[str, ...]] = set()
    taken, done = 0, 0
    for at, gram in enumerate(grams):
        if gram in seen:
            first = max(at, done)
            taken += sum(map(len, found[first : at + length]))
            done = at + length
        seen.add(gram)
    return taken
