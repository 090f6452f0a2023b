"""The procedural proposer: a passage of text -> a planning domain with its language, description and tasks; no model.

``propose(passage, random.Random(seed))`` depends on nothing but its arguments, so a proposal is rebuilt in another
process from the passage and the seed; it can also be pickled.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from cultivar.environments.pddl.model import Domain, Problem
from cultivar.environments.pddl.narration.language import Language, Visibility
from cultivar.environments.pddl.procedural.compose import build, choose_mechanics
from cultivar.environments.pddl.procedural.describe import describe
from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.lexicon import Theme, choose_theme, dress, topic_words
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import SIZES, Scene
from cultivar.environments.pddl.procedural.themes import THEMES
from cultivar.environments.pddl.procedural.wording import capital, listed, slug

ATTEMPTS = 8
"""Scenes drawn before a size is given up for the next."""


@dataclass(frozen=True)
class Proposal:
    """``mechanics`` are names, in the order of building; ``theme`` is a name of ``THEMES``."""

    domain: Domain
    language: Language
    title: str
    description: str
    theme: str
    mechanics: tuple[str, ...]
    draft: Draft
    parts: tuple[Mechanic, ...]

    def sample(self, rng: random.Random, size: int) -> Problem:
        """A task. ``size`` is 1 to 6: best plans have about 4, 5, 8, 11, 16 and 24 steps. Costs about a millisecond."""
        for attempt in range(ATTEMPTS * SIZES):
            scene = Scene(self.draft, rng, (size - 1 + attempt // ATTEMPTS) % SIZES + 1)
            for hook in ("lay_out", "furnish", "offer"):
                for part in self.parts:
                    scene.kind = part.name
                    getattr(part, hook)(scene)
            name = f"{self.domain.name}-{scene.size}-{rng.getrandbits(32):08x}"
            problem = scene.problem(name, self.domain.name)
            if problem is not None:
                return problem
        raise AssertionError(f"the mechanics {self.mechanics} offer no goal at any size")


def propose(passage: str, rng: random.Random) -> Proposal:
    """A domain about what the passage is about. Any text will do, the empty one too. Costs a few milliseconds."""
    theme = choose_theme(passage, rng, THEMES)
    mechanics = choose_mechanics(theme, rng)
    processed = any("station" in mechanic.provides for mechanic in mechanics)
    dressed = dress(theme, passage, THEMES, guests=not processed)
    return assemble(dressed, mechanics, topic_words(passage, THEMES, 3), rng)


def assemble(theme: Theme, mechanics: list[type[Mechanic]], topic: list[str], rng: random.Random) -> Proposal:
    """A domain of given mechanics, in the order of ``MECHANICS``; ``topic`` are words that its description mentions."""
    draft, parts = build(theme, mechanics, rng)
    names = tuple(part.name for part in parts)
    told = names[2:] or names
    language = Language(
        predicates={p.name: draft.predicate_template(role) for role, p in draft.predicates.items()},
        actions={a.name: draft.action_template(role) for role, a in draft.actions.items()},
        negated={p.name: draft.predicate_template(role, negated=True) for role, p in draft.predicates.items()},
        visibility=_visibility(draft),
    )
    return Proposal(
        domain=draft.domain(slug(f"{theme.name} {rng.choice(told)}")),
        language=language,
        title=capital(f"{theme.name}: {listed(list(told))}"),
        description=describe(draft, topic),
        theme=theme.name,
        mechanics=names,
        draft=draft,
        parts=tuple(parts),
    )


PLACING = (
    *("lies", "stands", "set-up", "mounted", "plot", "kept", "parked", "rests", "waits", "fixed"),
    *("inside", "fed", "attached", "stowed", "planted"),
)
"""Roles of predicates that say where a thing is: in a place, or in another thing."""


def _visibility(draft: Draft) -> Visibility:
    """Things are where they lie or stand; an actor sees the place it is in."""
    return Visibility(
        agent_at=draft.predicates["at"].name,
        at=tuple(draft.predicates[role].name for role in PLACING if role in draft.predicates),
        agent_type=None if draft.solo else draft.types["worker"].name,
    )
