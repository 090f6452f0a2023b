"""Supplies: work uses up what a station is stocked with, and a can brings more from the source.

Variants: a station holds one charge or two (levels); the can is filled at the source, or several are full at the start.
"""

from __future__ import annotations

import random
from itertools import pairwise

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene

LEVELS = ("spent", "scant", "plentiful")


class Supply(Mechanic):
    name = "supply"
    group = "modifier"
    needs = ("carrying",)
    after = ("station",)

    def __init__(self, rng: random.Random) -> None:
        self.levels = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        what, vessel, source = draft.theme.resource
        draft.type("can", vessel, tuple(f"{kind} {vessel}" for kind in ("grey", "steel", "dented")), parent="thing")
        draft.predicate("brimful", "can", f"the {{can}} ~be filled with {what}", "filled|brimful|charged")
        draft.predicate("source", "here", f"the {source} ~be in the {{here}}", "source-in|drawn-in")
        draft.action(
            "fill",
            "fill|fill up",
            "who can here",
            "at who here, source here, holds who can, not brimful can",
            "brimful can",
            f"{{who}} ~verb the {{can}} at the {source} in the {{here}}",
        )
        work = draft.some([a for a in draft.of_kind("work") if a.has("station")])
        refill = draft.action(
            "restock",
            "top up|replenish|restock",
            "who can station here",
            "at who here, set-up station here, holds who can, brimful can",
            "not brimful can",
            f"{{who}} ~verb the {{station}} with {what} from the {{can}} in the {{here}}",
        )
        if self.levels:
            draft.type("stock", "level", LEVELS)
            draft.predicate(
                "stock-of",
                "station stock",
                f"the {what} supply of the {{station}} ~be {{stock}}",
                "stock-of|holds-stock",
            )
            draft.predicate(
                "less", "stock stock2", f"a {what} supply that ~be {{stock}} is one charge short of {{stock2}}"
            )
            refill.extend("stock stock2", ", bringing the supply from {stock} to {stock2}")
            refill.require("stock-of station stock, less stock stock2")
            refill.cause("not stock-of station stock, stock-of station stock2")
        else:
            draft.predicate("stocked", "station", f"the {{station}} ~have {what}", "stocked|has-supply|charged-up")
            refill.require("not stocked station")
            refill.cause("stocked station")
        for action in work:
            action.overhead += 2
            if self.levels:
                action.extend("stock stock2", f", bringing the {what} supply from {{stock2}} to {{stock}}")
                action.require("stock-of station stock2, less stock stock2")
                action.cause("not stock-of station stock2, stock-of station stock")
            else:
                action.require("stocked station")
                action.cause("not stocked station")
        draft.rule(f"To {draft.deeds(work)} uses up {what}, which has to be fetched from the {source}.")

    def furnish(self, scene: Scene) -> None:
        scene.fact(f"source {scene.openly()}")
        can = scene.new("can")
        scene.fact(f"lies {can} {scene.openly()}")
        if scene.rng.random() < 0.3:
            scene.fact(f"brimful {can}")
        levels = scene.ordered("stock", 3) if self.levels else []
        for low, high in pairwise(levels):
            scene.fact(f"less {low} {high}")
        for words in [w for w in scene.facts if w[0] == "set-up"]:
            if self.levels:
                scene.fact(f"stock-of {words[1]} {scene.rng.choice(levels[:2])}")
            elif scene.rng.random() < 0.4:
                scene.fact(f"stocked {words[1]}")

    def offer(self, scene: Scene) -> None:
        can = scene.where(scene.all("can")[0])
        source = next(w[1] for w in scene.facts if w[0] == "source")
        full = scene.all("stock")[-1] if self.levels else ""
        for station, spot in [w[1:] for w in scene.facts if w[0] == "set-up"]:
            cost = 0.7 * scene.errand(can, source) + scene.distance(source, spot) + 1
            goal = f"stock-of {station} {full}" if self.levels else f"stocked {station}"
            scene.offer(goal, cost + 2 * self.levels, f"stock {station}")
