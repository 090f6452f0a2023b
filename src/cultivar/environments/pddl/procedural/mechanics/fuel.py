"""Fuel: every drive costs a level of the tank, which is filled up again at a pump. An empty tank far off is a dead end.

Variants: two or three levels; the pump fills level by level, or the whole tank at once.
"""

from __future__ import annotations

import random
from itertools import pairwise

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene

LEVELS = ("empty", "low", "ample", "full")


class Fuel(Mechanic):
    name = "fuel"
    group = "extra"
    needs = ("vehicles",)

    def __init__(self, rng: random.Random) -> None:
        self.most = rng.choice((2, 3))
        self.whole = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        names = ("empty", "low", "full") if self.most == 2 else LEVELS
        draft.type("level", "level", names)
        draft.predicate("tank", "vehicle level", "the tank of the {vehicle} ~be {level}", "tank|fuel-level")
        draft.predicate(
            "lower", "level level2", "a tank that ~be {level} holds one drive less than one that is {level2}"
        )
        draft.predicate("pump", "here", "a pump ~stand in the {here}", "pump-in|fuel-in|pump")
        for drive in draft.of_kind("drive"):
            drive.extend("level level2", ", bringing the tank from {level2} to {level}")
            drive.require("tank vehicle level2, lower level level2")
            drive.cause("not tank vehicle level2, tank vehicle level")
        draft.rule("Every drive uses up one level of the tank; with an empty tank a {vehicle} cannot be driven.")
        if self.whole:
            draft.predicate("topped", "level", "a tank that ~be {level} can hold no more", "topmost|brimful")
        draft.action(
            "refuel",
            "refuel|fill up",
            "who vehicle here level level2",
            "at who here, parked vehicle here, pump here, tank vehicle level, "
            + ("topped level2, level != level2" if self.whole else "lower level level2"),
            "not tank vehicle level, tank vehicle level2",
            "{who} ~verb the {vehicle} at the pump in the {here} from {level} to {level2}",
        )

    def furnish(self, scene: Scene) -> None:
        vehicle = scene.all("vehicle")[0]
        levels = scene.ordered("level", self.most + 1)
        dock = next(w[2] for w in scene.facts if w[0] == "parked")
        scene.fact(f"pump {dock}, tank {vehicle} {scene.rng.choice(levels)}")
        for low, high in pairwise(levels):
            scene.fact(f"lower {low} {high}")
        if self.whole:
            scene.fact(f"topped {levels[-1]}")

    def offer(self, scene: Scene) -> None:
        vehicle, full = scene.all("vehicle")[0], scene.all("level")[-1]
        dock = next(w[2] for w in scene.facts if w[0] == "parked")
        claims = [f"tank {vehicle}", f"where {vehicle}", *(f"where {who}" for who in scene.crew)]
        scene.offer(f"tank {vehicle} {full}", scene.visit(dock), *claims)
