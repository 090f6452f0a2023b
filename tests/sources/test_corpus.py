"""The corpus that ships: enough passages, of the stated length, about different things."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import combinations

import pytest

from cultivar.core.records import Document
from cultivar.sources.text import SHIPPED, read_corpus


@pytest.fixture(scope="module")
def corpus() -> list[Document]:
    return list(read_corpus())


def content_words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3]


def test_there_are_enough_passages_and_no_two_share_a_title_or_a_text(corpus: list[Document]) -> None:
    assert len(corpus) == len(SHIPPED.read_text(encoding="utf-8").splitlines()) >= 120
    assert len({d.title for d in corpus}) == len({d.text for d in corpus}) == len(corpus)
    assert all(d.title for d in corpus)


def test_every_passage_has_60_to_140_words(corpus: list[Document]) -> None:
    assert {d.title: n for d in corpus if not 60 <= (n := len(d.text.split())) <= 140} == {}


def test_passages_are_pairwise_dissimilar(corpus: list[Document]) -> None:
    """TF-IDF cosine of content words; AgentGen reports a mean of 0.176 among its specifications."""
    counts = [Counter(content_words(d.text)) for d in corpus]
    rarity = {w: math.log(len(corpus) / n) for w, n in Counter(w for c in counts for w in c).items()}
    vectors = [{w: n * rarity[w] for w, n in c.items()} for c in counts]
    norms = [math.sqrt(sum(x * x for x in v.values())) for v in vectors]
    similarities = [
        sum(x * vectors[j].get(w, 0.0) for w, x in vectors[i].items()) / (norms[i] * norms[j])
        for i, j in combinations(range(len(corpus)), 2)
    ]
    assert max(similarities) < 0.25
    assert sum(similarities) / len(similarities) < 0.03


def test_passages_are_concrete(corpus: list[Document]) -> None:
    """Each brings words that no other has: things, tools and places of its own field."""
    spread = Counter(w for d in corpus for w in set(content_words(d.text)))
    own = {d.title: sum(spread[w] == 1 for w in set(content_words(d.text))) for d in corpus}
    assert min(own.values()) >= 5, sorted(own.items(), key=lambda item: item[1])[:3]


def test_openings_vary(corpus: list[Document]) -> None:
    openings = Counter(d.text.split()[0].lower() for d in corpus)
    assert openings.most_common(1)[0][1] <= len(corpus) // 4
    assert len(openings) >= 50
