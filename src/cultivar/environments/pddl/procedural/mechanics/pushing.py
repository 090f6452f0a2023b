"""Heavy things that are pushed from place to place, never lifted.

Variants: a place has room for one of them only, so that they get in each other`s way; pushing takes free hands.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Pushing(Mechanic):
    name = "pushing"
    group = "extra"
    needs = ("travel",)
    clashes = ("teamwork",)

    def __init__(self, rng: random.Random) -> None:
        self.tight = rng.random() < 0.6
        self.free = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        draft.type("heavy", "heavy load", draft.theme.heavy)
        draft.predicate("rests", "heavy here", "the {heavy} ~rest in the {here}", "rests-in|stands-heavy-in")
        push = draft.clone(
            "move",
            "push",
            "push|shove|roll",
            "heavy",
            "rests heavy here",
            "not rests heavy here, rests heavy there",
            "{who} ~verb the {heavy} from the {here} to the {there}",
            "haul",
        )
        draft.rule("A {heavy} can be pushed but not carried.")
        if self.tight:
            draft.predicate("room-in", "here", "there ~be floor space in the {here}", "floor-free|has-floor-space")
            push.require("room-in there")
            push.cause("room-in here, not room-in there")
            draft.rule("A {place} has floor space for one {heavy} only.")
        if self.free and "free" in draft.predicates:
            push.require("free who")
            draft.rule("{you} ~need free hands to push a {heavy}.")

    def furnish(self, scene: Scene) -> None:
        count = min(1 + (scene.size >= 2) + (scene.size >= 5), len(scene.plain) - 1)
        spots = scene.rng.sample(scene.plain, count)
        for spot in spots:
            scene.fact(f"rests {scene.new('heavy')} {spot}")
        if self.tight:
            for place in scene.places:
                if place not in spots:
                    scene.fact(f"room-in {place}")

    def offer(self, scene: Scene) -> None:
        rests = [w[1:] for w in scene.facts if w[0] == "rests"]
        for heavy, spot in rests:
            taken = [other for name, other in rests if name != heavy] if self.tight else []
            targets = [p for p in scene.plain if p != spot and scene.passable(spot, p, taken)]
            for target in scene.rng.sample(targets, min(2, len(targets))):
                claim = "floor" if self.tight else f"where {heavy}"
                scene.offer(f"rests {heavy} {target}", scene.errand(spot, target) - 2, claim)
