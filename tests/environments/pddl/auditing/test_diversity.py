"""Likeness of domains by structure and of texts by words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.environments.pddl.auditing.diversity import (
    domain_shape,
    lexical_similarity,
    similarity,
    structural_diversity,
)
from cultivar.environments.pddl.parsing.parse import parse_domain
from tests.environments.pddl.auditing.test_audit import FERRY
from tests.environments.pddl.auditing.test_canonical import edited, random_domain, reskinned
from tests.environments.pddl.auditing.test_difficulty import BLOCKS


@given(st.integers(0, 10**9))
@settings(max_examples=30, deadline=None)
def test_a_new_skin_does_not_change_the_shape(seed: int) -> None:
    rng = random.Random(seed)
    domain = random_domain(rng)
    shape = domain_shape(domain)
    assert similarity(shape, domain_shape(reskinned(domain, rng))) == 1.0
    other = edited(domain, rng)
    if other is not None:
        assert 0.5 < similarity(shape, domain_shape(other)) <= 1.0


def test_different_domains_are_unlike() -> None:
    ferry, blocks = (parse_domain(text).value for text in (FERRY, BLOCKS))
    assert ferry is not None
    assert blocks is not None
    one, other = domain_shape(ferry), domain_shape(blocks)
    assert similarity(one, other) < 0.5
    assert structural_diversity([one, other]) == pytest.approx(1 - similarity(one, other))
    assert structural_diversity([one, one]) == 0
    assert structural_diversity([one]) == 0
    assert similarity(frozenset(), frozenset()) == 1


def test_lexical_similarity_of_known_texts() -> None:
    assert lexical_similarity(["stack the blocks", "stack the blocks"]) == pytest.approx(1)
    assert lexical_similarity(["stack blocks", "water plants"]) == pytest.approx(0)
    assert lexical_similarity(["alone"]) == 0
    assert lexical_similarity(["", "", "a"]) == 0
    # By hand: idf(shared) = ln(3/3) + 1 = 1, idf(own) = ln(3/2) + 1; cosine = 1 / (1 + idf(own)^2).
    assert lexical_similarity(["shared left", "shared right"]) == pytest.approx(1 / (1 + 1.4054651**2))


def test_the_mean_over_pairs_is_what_the_pairs_say() -> None:
    # The weights depend on the whole collection, so pairs are compared within it: two equal texts and one unlike.
    assert lexical_similarity(["aa bb", "aa bb", "cc dd"]) == pytest.approx(1 / 3)
