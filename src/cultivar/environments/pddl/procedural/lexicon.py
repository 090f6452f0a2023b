"""Words: what a theme of work or life holds, how a passage selects one, and which of its words may become names."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

MAX_PASSAGE = 20_000
"""Characters of a passage that are looked at."""

_WORD = re.compile(r"[a-z]+")
_COMMON = frozenset(
    """bench board cable card chair clock coast cold copper crew deck delivery desk door double drive file fish flat
    floor form front gate glove good half hall hand head hold hook house iron large late leather letter life lift
    list local long machine move night note number office open order page panel paper part plan plant play police
    price rack reading report river roof room round runner salt school screen seat side sign slide small stack
    stand steel step stick stone table tank test train trial trunk type upper walk wall watch water wave weight
    wheel window wire with wood work yard young""".split()  # noqa: SIM905
)
"""Words of names and keywords that a text on anything may have."""

_NOT_NOUNS = frozenset(
    """alpine ancient antarctic blasting borrow botanical build buy chemical climbing dance dental distil evacuate
    extinguish ferment hike knead lead learn legal live lost medical mobile nuclear pinning play prune repair
    roast sell shearing shoot sorting sounding stained sterile swimming temper tidal travel vote""".split()  # noqa: SIM905
)
"""Keywords that select a theme and would not do as labels."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One field of work or life. A tuple of phrases is a stock of names for objects; none contains another.

    ``stages`` describes how an item is processed: the state it is in at first, then (verb, state reached, station).
    ``products`` are (product, its parts). ``wear`` is how a tool wears and is made good: (blunt, sharp, verb, station).
    ``machine`` is (machine, verb that runs it, state of what comes out). ``resource`` is (what is used up, what it is
    kept in, where it is drawn from). ``crop`` is (what grows, where it grows, names); None where nothing grows.
    ``warm`` says that stations are heated. ``verbs`` maps an action's role to alternatives ("walk|hurry"). ``inside``
    is the preposition for a place.
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
    verbs: Mapping[str, str] = field(default_factory=dict, hash=False)


def phrases(text: str) -> tuple[str, ...]:
    """ "ward, linen room" as a tuple; lines are folded."""
    return tuple(" ".join(text.split()).split(", "))


def words_of(passage: str) -> list[str]:
    return _WORD.findall(passage[:MAX_PASSAGE].lower())


def choose_theme(passage: str, rng: random.Random, themes: tuple[Theme, ...]) -> Theme:
    """The theme that shares most words with the passage, rare ones counting most; any theme if none shares a word."""
    counts = Counter(_singular(word) for word in words_of(passage))
    scores = [
        sum(weight * min(counts[word], 3) for word, weight in weights.items() if word in counts)
        for weights in _weights(themes)
    ]
    best = max(scores)
    return rng.choice([theme for theme, score in zip(themes, scores) if score == best])


@cache
def _weights(themes: tuple[Theme, ...]) -> tuple[dict[str, float], ...]:
    """Word -> weight, for every theme: 3 for a keyword, 1 for a word of a name, over the number of themes squared."""
    found: list[dict[str, float]] = []
    for theme in themes:
        named = {_singular(word): 1.0 for name in _names(theme) for word in name.split() if len(word) > 3}
        named |= {_singular(word): 3.0 for word in theme.keywords.split()}
        found.append({word: weight for word, weight in named.items() if word not in _COMMON})
    spread = Counter(word for weights in found for word in weights)
    return tuple({word: weight / spread[word] ** 2 for word, weight in weights.items()} for weights in found)


def topic_words(passage: str, themes: tuple[Theme, ...], limit: int = 12) -> list[str]:
    """Nouns of a passage that can stand before another, as in "the harvest crate": the most telling first.

    Nouns are known from the themes; a word that many themes have tells little, and one that more than three have is
    left out.
    """
    nouns = _nouns(themes)
    counts = Counter(word for raw in words_of(passage) if (word := _singular(raw)) in nouns)
    return sorted(counts, key=lambda word: -counts[word] * nouns[word])[:limit]


@cache
def _nouns(themes: tuple[Theme, ...]) -> dict[str, float]:
    """Every word that ends a name of some theme (weight 1) and every keyword that is a noun (2), over their number."""
    found: Counter[str] = Counter()
    keywords = {_singular(word) for theme in themes for word in theme.keywords.split() if word not in _NOT_NOUNS}
    for theme in themes:
        own = {_singular(word) for word in theme.keywords.split()} & keywords
        found.update(own | {_singular(name.split()[-1]) for name in _names(theme)})
    rare = {word: count for word, count in found.items() if count <= 3 and len(word) > 3 and word not in _COMMON}
    return {word: (2 if word in keywords else 1) / count for word, count in rare.items()}


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


def dress(theme: Theme, passage: str, themes: tuple[Theme, ...], *, guests: bool = True) -> Theme:
    """The theme with names out of the passage: labels made of its nouns, and items of other themes that it mentions.

    Without ``guests`` no items of other themes: what a theme does at its stations need not make sense for them.
    """
    own = _names(theme)
    words = [w for w in topic_words(passage, themes) if not any(w in name for name in own)]
    others = [i for t in themes if t is not theme for i in t.items if i not in own] if guests else []
    return replace(
        theme,
        items=(*mentioned(passage, others)[:3], *theme.items),
        documents=(*(f"{word} {theme.document}" for word in words[:4]), *theme.documents),
        containers=(*(f"{word} {theme.container}" for word in words[4:7]), *theme.containers),
    )


def _names(theme: Theme) -> list[str]:
    stock = (theme.places, theme.workers, theme.items, theme.containers, theme.tools, theme.clients, theme.documents)
    return [name for names in (*stock, theme.vehicles, theme.heavy) for name in names]
