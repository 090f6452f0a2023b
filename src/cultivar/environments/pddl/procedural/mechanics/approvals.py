"""Approvals: a station may be used only once the office has cleared it.

Variants: one use spends the clearance; only one station is cleared at a time, so that one must be revoked for another.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Approvals(Mechanic):
    name = "approvals"
    group = "modifier"
    after = ("station",)

    def __init__(self, rng: random.Random) -> None:
        self.spent = rng.random() < 0.5
        self.single = not self.spent and rng.random() < 0.6

    def build(self, draft: Draft) -> None:
        draft.predicate("office", "here", "the office ~be in the {here}", "office-in|permits-from")
        draft.predicate("cleared", "station", "the {station} ~be cleared for use", "cleared|approved|released")
        for action in draft.some([a for a in draft.of_kind("work") if a.has("station")]):
            action.require("cleared station")
            action.overhead += 2
            if self.spent:
                action.cause("not cleared station")
        clear = draft.action(
            "clear",
            "clear|approve",
            "who station here",
            "at who here, office here, not cleared station",
            "cleared station",
            "{who} ~verb the {station} at the office in the {here}",
        )
        draft.rule("A station that needs clearance can be used only while the office has cleared it.")
        if self.spent:
            draft.rule("A clearance is good for one use.")
            return
        revoke = draft.action(
            "revoke",
            "revoke|bar|withdraw",
            "who station here",
            "at who here, office here, cleared station",
            "not cleared station",
            "{who} ~verb the clearance of the {station} at the office in the {here}",
        )
        if self.single:
            draft.predicate("book", "here", "the clearance book in the {here} ~be free", "book-free|clearance-free")
            clear.require("book here")
            clear.cause("not book here")
            revoke.cause("book here")
            draft.rule("Only one station can be cleared at a time.")

    def furnish(self, scene: Scene) -> None:
        office = scene.openly()
        scene.fact(f"office {office}")
        if self.single:
            scene.fact(f"book {office}")

    def offer(self, scene: Scene) -> None:
        office = next(w[1] for w in scene.facts if w[0] == "office")
        for station in [w[1] for w in scene.facts if w[0] == "set-up"]:
            scene.offer(f"cleared {station}", scene.visit(office), "clearance")
