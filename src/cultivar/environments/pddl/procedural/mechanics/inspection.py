"""Inspection: an item is checked where it lies, and handling it voids the check.

Variants: a gauge must be in hand; the check can be made anywhere, or only under a lamp.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Inspection(Mechanic):
    name = "inspection"
    group = "extra"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.gauge = rng.random() < 0.6
        self.lamp = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        draft.predicate("checked", "thing", "the {thing} ~be checked", "checked|verified|passed-inspection")
        check = draft.action(
            "inspect",
            "inspect|check|examine",
            "who item here",
            "at who here, lies item here, not checked item",
            "checked item",
            "{who} ~verb the {item} in the {here}",
        )
        if self.gauge:
            draft.type("gauge", "gauge", ("pocket gauge", "dial gauge", "test gauge"), parent="thing")
            check.extend("gauge", " with the {gauge}")
            check.require("holds who gauge")
            draft.rule("An {item} can be checked only with a {gauge} in hand.")
        if self.lamp:
            draft.predicate("bright", "here", "a bright lamp ~hang in the {here}", "bright|well-lit|lamp-in")
            check.require("bright here")
            draft.rule("Nothing can be checked in a {place} without a bright lamp.")
        for action in draft.actions.values():
            for effect in list(action.effects):
                if effect.words[0] == "lies" and not effect.wanted:
                    action.cause(f"not checked {effect.words[1]}")
        draft.rule("An {item} that is taken from where it lies counts as unchecked again.")

    def furnish(self, scene: Scene) -> None:
        if self.gauge:
            scene.fact(f"lies {scene.new('gauge')} {scene.openly()}")
        if self.lamp:
            for place in scene.rng.sample(scene.open, min(len(scene.open), 1 + scene.size // 3)):
                scene.fact(f"bright {place}")

    def offer(self, scene: Scene) -> None:
        gauge = scene.errand(scene.where(scene.all("gauge")[0]), scene.openly()) - 2 if self.gauge else 0.0
        lit = [w[1] for w in scene.facts if w[0] == "bright"] or scene.places
        for item in scene.all("item"):
            if source := scene.where(item):
                target = scene.rng.choice(lit)
                cost = gauge + (scene.errand(source, target) if target != source else scene.visit(source)) + 1
                scene.offer(f"checked {item}, lies {item} {target}", cost, f"where {item}", f"check {item}")
