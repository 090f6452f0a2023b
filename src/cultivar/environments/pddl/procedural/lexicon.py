"""Words: what a theme of work or life holds, how a passage selects one, and which of its words may become names."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

MAX_PASSAGE = 20_000
"""Characters of a passage that are looked at."""

_WORD = re.compile(r"[a-z]+")
_NOT_NOUNS = frozenset(
    (
        *("ancient", "borrow", "botanical", "build", "buy", "chemical", "dance", "ferment", "hike", "learn", "legal"),
        *("loan", "medical", "play", "prune", "repair", "sell", "shoot", "sterile", "travel"),
    )
)
"""Keywords that select a theme and would not do as labels."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One field of work or life. A tuple of phrases is a stock of names for objects; none contains another.

    ``stages`` describes how an item is processed: the state it is in at first, then (verb, state reached, station).
    ``products`` are (product, its parts). ``wear`` is how a tool wears and is made good: (blunt, sharp, verb, station).
    ``machine`` is (machine, verb that runs it, state of what comes out). ``resource`` is (what is used up, what it is
    kept in, where it is drawn from). ``crop`` is (what grows, where it grows, names); None where nothing grows. ``warm``
    says that stations are heated. ``verbs`` maps an action's role to alternatives ("walk|hurry"). ``inside`` is the
    preposition for a place.
    """

    name: str
    keywords: str
    role: str
    setting: str
    place: str
    places: tuple[str, ...]
    way: str
    workers: tuple[str, ...]
    worker: str
    item: str
    items: tuple[str, ...]
    container: str
    containers: tuple[str, ...]
    stages: tuple[str, tuple[tuple[str, str, str], ...]]
    products: tuple[tuple[str, tuple[str, ...]], ...]
    tools: tuple[str, ...]
    wear: tuple[str, str, str, str]
    machine: tuple[str, str, str]
    resource: tuple[str, str, str]
    client: str
    clients: tuple[str, ...]
    document: str
    documents: tuple[str, ...]
    vehicle: str
    vehicles: tuple[str, ...]
    heavy: tuple[str, ...]
    crop: tuple[str, str, tuple[str, ...]] | None = None
    warm: bool = False
    key: str = "key"
    inside: str = "in"
    verbs: Mapping[str, str] = field(default_factory=dict)


def phrases(text: str) -> tuple[str, ...]:
    """ "ward, linen room" as a tuple; lines are folded."""
    return tuple(" ".join(text.split()).split(", "))


def words_of(passage: str) -> list[str]:
    return _WORD.findall(passage[:MAX_PASSAGE].lower())


def choose_theme(passage: str, rng: random.Random, themes: Sequence[Theme]) -> Theme:
    """The theme whose keywords the passage has most of, or any if it has none."""
    counts = Counter(_singular(w) for w in words_of(passage))
    scores = [sum(min(counts[_singular(k)], 3) for k in theme.keywords.split()) for theme in themes]
    best = max(scores)
    if best == 0:
        return rng.choice(themes)
    return rng.choice([t for t, score in zip(themes, scores) if score == best])


def topic_words(passage: str, nouns: Set[str], limit: int = 12) -> list[str]:
    """Nouns of a passage that can stand before another, as in "the harvest crate": the most frequent first."""
    counts: Counter[str] = Counter()
    for raw in words_of(passage):
        word = _singular(raw)
        if 3 <= len(word) <= 12 and word in nouns:
            counts[word] += 1
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return [word for word, _ in ranked[:limit]]


def mentioned(passage: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that the passage has, in the order given and once each; plurals count."""
    text = f" {' '.join(_singular(w) for w in words_of(passage))} "
    return tuple(n for n in dict.fromkeys(names) if f" {' '.join(_singular(w) for w in n.split())} " in text)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 4 else word


def key_names(noun: str) -> tuple[str, ...]:
    """Names for keys, by material or, for cards and fobs, by colour."""
    kinds = (
        ("brass", "iron", "steel", "silver", "bronze", "rusty") if noun == "key" else ("red", "blue", "green", "white")
    )
    return tuple(f"{kind} {noun}" for kind in kinds)


def dress(theme: Theme, passage: str, themes: Sequence[Theme]) -> Theme:
    """The theme with names out of the passage: labels made of its nouns, and items of other themes that it mentions."""
    own = _names(theme)
    words = [w for w in topic_words(passage, nouns_of(themes)) if not any(w in name for name in own)]
    guests = mentioned(passage, [i for t in themes if t is not theme for i in t.items if i not in own])
    return replace(
        theme,
        items=(*guests[:3], *theme.items),
        documents=(*(f"{word} {theme.document}" for word in words[:4]), *theme.documents),
        containers=(*(f"{word} {theme.container}" for word in words[4:7]), *theme.containers),
    )


def nouns_of(themes: Sequence[Theme]) -> frozenset[str]:
    """Every word that ends a name of some theme, and every keyword: words that are known to be nouns."""
    names = [name for theme in themes for name in _names(theme)]
    keywords = {word for theme in themes for word in theme.keywords.split()}
    return frozenset(name.split()[-1] for name in names) | (keywords - _NOT_NOUNS)


def _names(theme: Theme) -> list[str]:
    stock = (theme.places, theme.workers, theme.items, theme.containers, theme.tools, theme.clients, theme.documents)
    return [name for names in (*stock, theme.vehicles, theme.heavy) for name in names]
