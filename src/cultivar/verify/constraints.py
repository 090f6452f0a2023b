"""Constraints on a text, read from a row, and whether a text keeps them (the families of CoDI-Eval, arXiv 2401.00690).

    row's keys                                    constraint
    {"label": [low, high], "mode": "between"}     Length         words, both bounds included
    {"label": ["crash or accident", "sea"]}       Keywords       each in any inflected form; "anti_label": none of these
    {"label": "joy"}                              Labels         a sentiment, an emotion or a topic
    {"label1": "sports", "label2": "joy"}         Labels         a topic and a sentiment
    {"context": "...", "context_id": 50}          Continuation   go on without being toxic

A key ``family`` (one of ``FAMILIES``) says which it is where the keys do not. Length and keywords are checked here by
rule; what takes a reader (labels, toxicity) is asked of a judge (``verify.labels``).
"""

from __future__ import annotations

import functools
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cultivar.core.errors import did_you_mean
from cultivar.core.records import JSON
from cultivar.verify.inflection import fold, forms

FAMILIES = ("sentiment", "topic", "multi", "length", "keyword", "detoxic")
MODES = ("at most", "at least", "equal to", "around", "between")
SENTIMENTS = ("positive sentiment", "neutral sentiment", "negative sentiment")
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
TOPICS = (
    "arts_&_culture", "business_&_entrepreneurs", "celebrity_&_pop culture", "daily life", "family", "fashion_&_style",
    "film_&_tv_&_video", "fitness_&_health", "food_&_dining", "gaming", "learning_&_educational", "music",
    "relationships", "science_&_technology", "social concern", "sports", "travel_&_adventure", "youth_&_student life",
)  # fmt: skip
NONE = "none of these"
"""Offered beside emotions and topics: a text need not have one."""
LONGEST = 10_000
"""Words that "at least" allows, as the rows write it; a longer text is none the worse here."""
PREAMBLE_WORDS = 25
"""A first line with more words is no preamble, whatever it ends with."""


@dataclass(frozen=True)
class Finding:
    """Whether a text keeps a constraint, and ``why`` in a few words; what was measured is in ``evidence``.

    ``passed`` is None where a judge could not be brought to say.
    """

    passed: bool | None
    why: str
    evidence: Mapping[str, JSON]


@dataclass(frozen=True)
class Length:
    """``low`` to ``high`` words, both included; a word is what stands between white space."""

    low: float
    high: float
    mode: str = "between"
    family = "length"
    group = ""

    @property
    def kind(self) -> str:
        return self.mode

    @staticmethod
    def drawn(mode: str, rng: random.Random) -> tuple[list[int], dict[str, str]]:
        """The label of a length of 10 to 200 words, and the numbers that a template for it needs."""
        first, second = sorted(rng.sample(range(10, 201), 2))
        return list(bounds(mode, first, second)), {"words": str(first), "low": str(first), "high": str(second)}

    def check(self, text: str) -> Finding:
        words = len(text.split())
        passed = self.low <= words <= self.high
        wanted = f"{self.low:g} to {self.high:g}" if self.high < math.inf else f"at least {self.low:g}"
        return Finding(passed, f"{words} words, wanted {wanted}", {"words": words})


@dataclass(frozen=True)
class Keywords:
    """One of each of ``wanted``'s alternatives, and nothing of ``unwanted``; a keyword may have several words."""

    wanted: tuple[tuple[str, ...], ...]
    unwanted: tuple[str, ...] = ()
    family = "keyword"
    group = ""

    @property
    def kind(self) -> str:
        return "keyword without" if self.unwanted else "keyword"

    @property
    def values(self) -> dict[str, str]:
        wanted = ", ".join(" or ".join(each) for each in self.wanted)
        return {"keywords": wanted, "unwanted": " or ".join(self.unwanted)}

    def check(self, text: str) -> Finding:
        folded = fold(text)
        missing = [" or ".join(each) for each in self.wanted if not any(_pattern(k).search(folded) for k in each)]
        there = [found.group() for k in self.unwanted if (found := _pattern(k).search(folded))]
        why = [f"without {', '.join(missing)}"] if missing else []
        why += [f"with {', '.join(there)}"] if there else []
        return Finding(not why, "; ".join(why) or "all words as wanted", {"missing": missing, "unwanted": there})


@dataclass(frozen=True)
class Aspect:
    """One question to a judge: which of ``offered`` the text has; right if ``label`` is among up to ``most``."""

    what: Literal["sentiment", "emotion", "topic"]
    label: str
    offered: tuple[str, ...]
    most: int = 1


@dataclass(frozen=True)
class Labels:
    """A text has every one of these labels."""

    family: str
    aspects: tuple[Aspect, ...]
    group = ""

    @property
    def kind(self) -> str:
        return self.family

    @property
    def values(self) -> dict[str, str]:
        return {"topic" if a.what == "topic" else "sentiment": shown(a.label) for a in self.aspects}


@dataclass(frozen=True)
class Continuation:
    """A text that goes on with ``context`` and is not toxic; rows of one ``group`` are phrasings of one context."""

    context: str
    group: str
    family = "detoxic"
    kind = "detoxic"

    @property
    def values(self) -> dict[str, str]:
        return {"context": self.context}


Constraint: TypeAlias = Length | Keywords | Labels | Continuation
"""``family`` and ``kind`` name it (a family has one kind or several); rows
of one ``group`` are scored as one, if it is not empty. ``values`` fill the placeholders of templates."""


def read_constraint(row: Mapping[str, JSON]) -> Constraint:
    """The constraint of a row; raises ValueError that says what the row lacks."""
    family = row["family"] if "family" in row else _recognised(row)
    if family not in FAMILIES:
        near = did_you_mean(str(family), FAMILIES)
        raise ValueError(f"family {str(family)[:40]!r} is none of {', '.join(FAMILIES)}{near}")
    match family:
        case "length":
            return _length(row)
        case "keyword":
            return _keywords(row)
        case "detoxic":
            context = _text(row, "context")
            return Continuation(context, f"context {row.get('context_id', context)}")
        case "multi":
            return Labels("multi", (_topic(_text(row, "label1")), _sentiment(_text(row, "label2"))))
        case "topic":
            return Labels("topic", (_topic(_text(row, "label")),))
    return Labels("sentiment", (_sentiment(_text(row, "label")),))


def _recognised(row: Mapping[str, JSON]) -> str:
    label = row.get("label")
    if isinstance(label, list) and label:
        return "keyword" if all(isinstance(each, str) for each in label) else "length"
    if "label1" in row and "label2" in row:
        return "multi"
    if "context" in row:
        return "detoxic"
    if label in SENTIMENTS or label in EMOTIONS:
        return "sentiment"
    if label in TOPICS:
        return "topic"
    if isinstance(label, str):
        raise ValueError(f'label {label[:40]!r} is no sentiment and no topic known here; add "family": "topic"')
    raise ValueError("the row has no constraint (label; label1 and label2; or context): see the page codi-eval")


def _length(row: Mapping[str, JSON]) -> Length:
    label, mode = row.get("label"), row.get("mode", "between")
    numbers = label if isinstance(label, list) else []
    if len(numbers) != 2 or not all(_finite(n) for n in numbers) or not 0 <= numbers[0] <= numbers[1]:
        raise ValueError(f"label {str(label)[:40]} is no range of words; give [least, most]")
    if mode not in MODES:
        raise ValueError(f"mode {str(mode)[:40]!r} is none of {', '.join(MODES)}")
    return Length(numbers[0], math.inf if mode == "at least" else numbers[1], mode)


def _finite(number: JSON) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


def _keywords(row: Mapping[str, JSON]) -> Keywords:
    label, anti = row.get("label"), row.get("anti_label", [])
    anti = [anti] if isinstance(anti, str) else anti
    for name, words in (("label", label), ("anti_label", anti)):
        if not isinstance(words, list) or not all(isinstance(w, str) and _alternatives(w) for w in words):
            raise ValueError(f"{name} {str(words)[:40]} is no list of keywords")
    if not label:
        raise ValueError("label holds no keyword")
    return Keywords(tuple(_alternatives(k) for k in label), tuple(a for each in anti for a in _alternatives(each)))


def _alternatives(keyword: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"\s+or\s+", keyword) if re.search(r"\w", part))


def _topic(label: str) -> Aspect:
    return Aspect("topic", label, (*dict.fromkeys((*TOPICS, label)), NONE), most=3)


def _sentiment(label: str) -> Aspect:
    if label in SENTIMENTS:
        return Aspect("sentiment", label, SENTIMENTS)
    if label in EMOTIONS:
        return Aspect("emotion", label, (*EMOTIONS, NONE))
    raise ValueError(f"label {label[:40]!r} is none of {', '.join((*SENTIMENTS, *EMOTIONS))}")


def _text(row: Mapping[str, JSON], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} {str(value)[:40]!r} is no text")
    return value


def bounds(mode: str, first: int, second: int | None = None) -> tuple[int, int]:
    """The least and most words of a mode and its number (two for "between"), as the rows have them: "around" is 10 %
    either way, rounded half to even."""
    match mode:
        case "at most":
            return 1, first
        case "at least":
            return first, LONGEST
        case "equal to":
            return first, first
        case "around":
            return round(first - first / 10), round(first + first / 10)
        case "between" if second is not None:
            return first, second
    raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}, or lacks its second number")


def without_preamble(text: str) -> str:
    """What follows a first line such as "Here is your text:", if anything does.

    The rule is the paper's, kept to the first line, and is as crude: "Dear Sir:" goes, a preamble that ends with a full
    stop stays, and so does what a model says after its text.
    """
    first, _, rest = text.strip().partition("\n")
    closed = first.rstrip().rstrip("*_ ").endswith(":")
    return rest.strip() if closed and rest.strip() and len(first.split()) <= PREAMBLE_WORDS else text.strip()


@functools.lru_cache(4096)
def _pattern(keyword: str) -> re.Pattern[str]:
    """A keyword's words one after the other, each in any of its forms; a letter or digit on neither side."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", fold(keyword))
    each = ("|".join(re.escape(f) for f in sorted(forms(word), key=lambda f: (-len(f), f))) for word in words)
    return re.compile(r"(?<![^\W_])" + r"[\s\-]+".join(f"(?:{one})" for one in each) + r"(?![^\W_])")


def shown(label: str) -> str:
    """A label as a reader is shown it: "arts_&_culture" is "arts & culture"."""
    return label.replace("_", " ")
