"""Consistent choices of mechanics."""

from __future__ import annotations

import random
from collections import Counter

from cultivar.environments.pddl.procedural.compose import MIN_MECHANICS, choose_mechanics, consistent
from cultivar.environments.pddl.procedural.mechanics import MECHANICS
from cultivar.environments.pddl.procedural.themes import THEMES


def test_choices_are_consistent_and_use_every_mechanic() -> None:
    used: Counter[str] = Counter()
    for seed in range(600):
        rng = random.Random(seed)
        chosen = choose_mechanics(rng.choice(THEMES), rng)
        names = {m.name for m in chosen}
        assert len(names) >= MIN_MECHANICS and consistent(chosen)
        assert all(set(m.needs) <= names and names.isdisjoint(m.clashes) for m in chosen)
        used.update(names)
    assert set(used) == {m.name for m in MECHANICS}


def test_a_modifier_without_work_is_not_consistent() -> None:
    by_name = {m.name: m for m in MECHANICS}
    assert not consistent([by_name["travel"], by_name["carrying"], by_name["tools"]])
