"""Heavy things that take two workers, who lift and carry together.

Variants: carried from place to place in one go, or shouldered first and set down later; both need free hands.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Teamwork(Mechanic):
    name = "teamwork"
    group = "extra"
    needs = ("travel",)
    clashes = ("pushing",)
    crew = True

    def __init__(self, rng: random.Random) -> None:
        self.shoulder = rng.random() < 0.5
        self.free = rng.random() < 0.6

    def build(self, draft: Draft) -> None:
        draft.type("heavy", "heavy load", draft.theme.heavy)
        draft.predicate("rests", "heavy here", "the {heavy} ~rest in the {here}", "rests-in|parked-on-floor-in")
        haul = draft.clone(
            "move",
            "haul",
            "carry|haul|lug",
            "mate heavy",
            "at mate here, who != mate",
            "not at mate here, at mate there",
            "{who} ~verb the {heavy} from the {here} to the {there} together with the {mate}",
            "haul",
        )
        draft.rule("A {heavy} can only be moved by two {worker+} together.")
        grasp = haul
        if not self.shoulder:
            haul.require("rests heavy here")
            haul.cause("not rests heavy here, rests heavy there")
        else:
            text = "the {heavy} ~be on the shoulders of the {who} and the {mate}"
            draft.predicate("shouldered", "who mate heavy", text, "shouldered|lifted-by")
            haul.require("shouldered who mate heavy")
            grasp = draft.action(
                "hoist",
                "hoist|raise|shoulder",
                "who mate heavy here",
                "at who here, at mate here, rests heavy here, who != mate",
                "not rests heavy here, shouldered who mate heavy",
                "{who} ~verb the {heavy} in the {here} together with the {mate}",
            )
            draft.action(
                "lower",
                "lower|ease down",
                "who mate heavy here",
                "at who here, at mate here, shouldered who mate heavy",
                "not shouldered who mate heavy, rests heavy here",
                "{who} ~verb the {heavy} in the {here} together with the {mate}",
            )
        if "free" in draft.predicates and self.free:
            grasp.extend("", "")
            grasp.require("free who, free mate")
            draft.rule("Both need free hands to lift it.")

    def furnish(self, scene: Scene) -> None:
        for heavy in scene.several("heavy", 1 + (scene.size >= 4)):
            scene.fact(f"rests {heavy} {scene.rng.choice(scene.plain)}")

    def offer(self, scene: Scene) -> None:
        for heavy, spot in [w[1:] for w in scene.facts if w[0] == "rests"]:
            for target in scene.rng.sample([p for p in scene.plain if p != spot], 2):
                far = sum(0.7 * scene.distance(scene.start[who], spot) for who in scene.crew)
                cost = far + scene.distance(spot, target) + 2 * self.shoulder
                scene.offer(f"rests {heavy} {target}", cost, f"where {heavy}")
