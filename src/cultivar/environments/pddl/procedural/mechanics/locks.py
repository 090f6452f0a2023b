"""Locks and keys: a place cannot be entered while it is locked.

Variants: every lock has its own key, or any key will do; the key stays in the lock (it is used up); the place can be
locked again, and has to be in some tasks.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.lexicon import key_names
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Locks(Mechanic):
    name = "locks"
    group = "gate"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.fitted = rng.random() < 0.6
        self.spent = rng.random() < 0.35
        self.again = not self.spent and rng.random() < 0.7

    def build(self, draft: Draft) -> None:
        draft.type("key", draft.theme.key, key_names(draft.theme.key), parent="thing")
        draft.predicate("locked", "there", "the {there} ~be locked", "locked|bolted|barred")
        if self.fitted:
            draft.predicate("opens", "key there", "the {key} ~open the {there}", "opens|fits|unlocks")
        for move in draft.of_kind("move"):
            move.require("not locked there")
        fitting = ", opens key there" if self.fitted else ""
        unlock = draft.action(
            "unlock",
            "unlock|open up|unbolt",
            "who key here there",
            f"at who here, link here there, locked there, holds who key{fitting}",
            "not locked there",
            "{who} ~verb the {there} from the {here} with the {key}",
            "open",
        )
        draft.rule("A locked {place} cannot be entered.")
        if self.spent:
            draft.release(unlock, "key")
            draft.rule("A {key} stays in the lock that it has opened and cannot be used again.")
        if self.again:
            draft.action(
                "lock",
                "lock|bolt|secure",
                "who key here there",
                f"at who here, link here there, not locked there, holds who key{fitting}",
                "locked there",
                "{who} ~verb the {there} from the {here} with the {key}",
            )

    def lay_out(self, scene: Scene) -> None:
        for _ in range(1 + (scene.size >= 5)):
            scene.gate(3)

    def furnish(self, scene: Scene) -> None:
        for place in scene.gates[self.name]:
            key = scene.new("key")
            scene.fact(f"lies {key} {scene.before(place)}, locked {place}")
            if self.fitted:
                scene.fact(f"opens {key} {place}")

    def offer(self, scene: Scene) -> None:
        if not self.again:
            return
        for place in scene.gates[self.name]:
            for item in scene.all("item"):
                if (source := scene.where(item)) and source != place:
                    cost = scene.errand(source, place) + 2
                    scene.offer(f"lies {item} {place}, locked {place}", cost, f"where {item}", f"in {place}")
