"""Words: what a theme of work or life holds, how a passage selects one, and which of its words may become names."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

MAX_PASSAGE = 20_000
"""Characters of a passage that are looked at."""

_WORD = re.compile(r"[a-z]+")
_STOPWORDS = frozenset(
    """about above across after again against all almost along already also although always among and another any anyone
    anything are around away back because been before began being below best better between both bring brought but came can
    cannot come comes could day days did does done down during each early either else enough even ever every everyone
    everything few first five for found four from full gave get give given gives goes gone good great had half hand hands
    has have her here hers herself him himself his hour hours how however hundred into its itself just keep kept knew know
    known knows last late later least left less let like little long longer look made make makes making many may means
    might minute minutes month months more morning most much must near need needs never new next nine nobody none nor not
    nothing now off often old once one only onto open or order other others our out over own part people perhaps place
    places put rather right run runs said same saw say says second see seen sees several shall she should show since six
    small some someone something soon still such take taken takes ten than that the their them then there these they thing
    things third this those though three through time times today together told too took toward towards turn turned turns
    two under until upon use used uses using usually very want wants was way ways week weeks well went were what when
    where whether which while who whole whom whose why will with within without work works would year years yes yet you
    young your""".split()  # noqa: SIM905
)
_NOT_NOUNS = ("ly", "ing", "ed", "ous", "ful", "ive", "able", "ible", "less", "est", "ise", "ize", "ify")


@dataclass(frozen=True, slots=True)
class Theme:
    """One field of work or life. A tuple of phrases is a stock of names for objects; none contains another.

    ``stages`` describes how an item is processed: the state it is in at first, then (verb, state reached, station).
    ``products`` are (product, its parts). ``wear`` is how a tool wears and is made good: (blunt, sharp, verb, station).
    ``machine`` is (machine, verb that runs it, state of what comes out). ``resource`` is (what is used up, what it is
    kept in, where it is drawn from). ``crop`` is (seed, bed, ripe crop); empty where nothing grows. ``verbs`` maps an
    action's role to alternatives ("walk|hurry"). ``inside`` is the preposition for a place.
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
    key: str = "key"
    inside: str = "in"
    verbs: Mapping[str, str] = field(default_factory=dict)

    @property
    def triggers(self) -> frozenset[str]:
        return frozenset(self.keywords.split())


def phrases(text: str) -> tuple[str, ...]:
    """ "ward, linen room" as a tuple."""
    return tuple(text.split(", "))


def words_of(passage: str) -> list[str]:
    return _WORD.findall(passage[:MAX_PASSAGE].lower())


def choose_theme(passage: str, rng: random.Random, themes: Sequence[Theme]) -> Theme:
    """The theme whose keywords the passage has most of, or any if it has none. A near miss is taken now and then."""
    counts = Counter(_stem(w) for w in words_of(passage))
    scores = [sum(min(counts[_stem(k)], 3) for k in sorted(theme.triggers)) for theme in themes]
    best = max(scores)
    if best == 0:
        return rng.choice(themes)
    return rng.choice([t for t, score in zip(themes, scores) if score == best])


def topic_words(passage: str, limit: int = 12) -> list[str]:
    """Content words of a passage that can stand before a noun, as in "the harvest crate": the most frequent first."""
    counts: Counter[str] = Counter()
    for raw in words_of(passage):
        word = _singular(raw)
        if 4 <= len(word) <= 10 and raw not in _STOPWORDS and word not in _STOPWORDS and not word.endswith(_NOT_NOUNS):
            counts[word] += 1
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return [word for word, _ in ranked[:limit]]


def mentioned(passage: str, phrases: Sequence[str]) -> tuple[str, ...]:
    """Those of the phrases that the passage has, in the order given; plurals count."""
    text = f" {' '.join(_singular(w) for w in words_of(passage))} "
    return tuple(p for p in phrases if f" {' '.join(_singular(w) for w in p.split())} " in text)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 4 else word


def _stem(word: str) -> str:
    return _singular(word)


def key_names(noun: str) -> tuple[str, ...]:
    """Names for keys, by material or, for cards and fobs, by colour."""
    kinds = (
        ("brass", "iron", "steel", "silver", "bronze", "rusty") if noun == "key" else ("red", "blue", "green", "white")
    )
    return tuple(f"{kind} {noun}" for kind in kinds)


def dress(theme: Theme, passage: str) -> Theme:
    """The theme with names out of the passage first: places and items that it mentions, and labels made of its words."""
    words = [w for w in topic_words(passage) if not any(w in phrase for phrase in _phrases(theme))]
    return replace(
        theme,
        documents=(*(f"{word} {theme.document}" for word in words[:4]), *theme.documents),
        containers=(*(f"{word} {theme.container}" for word in words[4:7]), *theme.containers),
    )


def _phrases(theme: Theme) -> list[str]:
    stock = [theme.places, theme.workers, theme.items, theme.containers, theme.tools, theme.clients, theme.documents]
    return [phrase for phrases in (*stock, theme.vehicles, theme.heavy) for phrase in phrases]
