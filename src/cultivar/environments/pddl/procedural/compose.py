"""Which mechanics go into a domain: a random choice in which every mechanic has what it needs."""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.lexicon import Theme
from cultivar.environments.pddl.procedural.mechanic import Group, Mechanic
from cultivar.environments.pddl.procedural.mechanics import MECHANICS

MIN_MECHANICS = 4
"""Moving, carrying and at least two more: fewer would come close to classic domains such as gripper."""

_RECIPES: tuple[tuple[Group, ...], ...] = (
    ("work", "gate"),
    ("work", "modifier"),
    ("work", "extra"),
    ("work", "work"),
    ("work", "gate", "modifier"),
    ("work", "gate", "extra"),
    ("work", "modifier", "modifier"),
    ("work", "work", "gate"),
    ("work", "work", "modifier"),
    ("work", "modifier", "gate"),
    ("work", "modifier", "extra"),
    ("work", "gate", "gate"),
    ("gate", "extra"),
)
"""What is added to moving and carrying."""


def choose_mechanics(theme: Theme, rng: random.Random) -> list[type[Mechanic]]:
    """A consistent choice, in the order of building. The base mechanics are always in it."""
    for _ in range(40):
        chosen = {m.name for m in MECHANICS if m.group == "base"}
        recipe = rng.choice(_RECIPES)
        for group in recipe:
            options = [m for m in MECHANICS if m.group == group and m.name not in chosen and fits(m, theme, chosen)]
            if group == "work" and "modifier" in recipe:
                options = [m for m in options if m.provides]
            if options:
                chosen.add(rng.choices(options, [_weight(m) for m in options])[0].name)
        picked = [m for m in MECHANICS if m.name in chosen]
        if len(picked) >= MIN_MECHANICS and consistent(picked):
            return picked
    raise AssertionError("no consistent choice of mechanics: every recipe must have one")


def _weight(mechanic: type[Mechanic]) -> int:
    """What only few choices or few themes allow is taken more often where it is allowed."""
    return 8 if set(mechanic.needs) - {"travel", "carrying"} else 4 if mechanic.lexical else 1


def fits(mechanic: type[Mechanic], theme: Theme, chosen: set[str]) -> bool:
    """Whether a mechanic can be added to those chosen."""
    if mechanic.lexical and not getattr(theme, mechanic.lexical):
        return False
    clashing = set(mechanic.clashes) & chosen or any(mechanic.name in m.clashes for m in MECHANICS if m.name in chosen)
    provided = {kind for m in MECHANICS if m.name in chosen for kind in m.provides}
    able = not mechanic.after or not provided.isdisjoint(mechanic.after)
    return set(mechanic.needs) <= chosen and able and not clashing


def consistent(mechanics: list[type[Mechanic]]) -> bool:
    """Whether every mechanic that changes work finds some before it."""
    kinds: set[str] = set()
    for mechanic in mechanics:
        if mechanic.after and kinds.isdisjoint(mechanic.after):
            return False
        kinds.update(mechanic.provides)
    return True


def build(theme: Theme, mechanics: list[type[Mechanic]], rng: random.Random) -> tuple[Draft, list[Mechanic]]:
    """Draws the variants and builds the draft."""
    solo = not any(m.crew for m in mechanics) and rng.random() < 0.8
    draft = Draft(
        theme, rng, solo, imperative=solo and rng.random() < 0.6, mechanics=frozenset(m.name for m in mechanics)
    )
    drawn = [mechanic(rng) for mechanic in mechanics]
    for mechanic in drawn:
        mechanic.build(draft)
    for mechanic in drawn:
        mechanic.conclude(draft)
    return draft, drawn
