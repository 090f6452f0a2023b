"""Marking items with a colour, by a brush that is dipped, used and rinsed.

Variants: the brush is spent after one item, or stays wet until it is rinsed; a mark can be painted over.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Marking(Mechanic):
    name = "marking"
    group = "work"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.spent = rng.random() < 0.5
        self.over = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        draft.type("colour", "colour", ("red", "blue", "green", "yellow"))
        draft.type("brush", "brush", ("broad brush", "flat brush", "round brush"), parent="thing")
        draft.predicate("pot", "colour here", "a pot of {colour} paint ~stand in the {here}", "paint-pot|pot-in")
        draft.predicate("rinsed-brush", "brush", "the {brush} ~be clean", "brush-clean|spotless")
        draft.predicate("dipped", "brush colour", "the {brush} ~be wet with {colour} paint", "dipped-in|wet-with")
        draft.predicate("bare", "item", "the {item} ~be unmarked", "unmarked|plain|blank")
        draft.predicate("marked", "item colour", "the {item} ~be marked {colour}", "marked|colour-coded")
        draft.action(
            "dip",
            "dip|wet|soak",
            "who brush colour here",
            "at who here, pot colour here, holds who brush, rinsed-brush brush",
            "not rinsed-brush brush, dipped brush colour",
            "{who} ~verb the {brush} in the {colour} paint in the {here}",
        )
        draft.action(
            "mark",
            "mark|paint",
            "who item brush colour here",
            "at who here, lies item here, holds who brush, dipped brush colour, bare item",
            "not bare item, marked item colour"
            + (", not dipped brush colour, rinsed-brush brush" if self.spent else ""),
            "{who} ~verb the {item} {colour} with the {brush} in the {here}",
        )
        draft.rule("An {item} takes paint only while it is unmarked, and a brush only while it is clean.")
        if not self.spent:
            draft.predicate("basin", "here", "a basin ~stand in the {here}", "basin-in|has-basin")
            draft.action(
                "rinse-brush",
                "rinse|wash out",
                "who brush colour here",
                "at who here, basin here, holds who brush, dipped brush colour",
                "not dipped brush colour, rinsed-brush brush",
                "{who} ~verb the {colour} paint from the {brush} in the {here}",
            )
        if self.over:
            draft.action(
                "scrub",
                "scrub|wipe off",
                "who item colour here",
                "at who here, lies item here, marked item colour" + ("" if self.spent else ", basin here"),
                "not marked item colour, bare item",
                "{who} ~verb the {colour} mark from the {item} in the {here}",
            )

    def furnish(self, scene: Scene) -> None:
        for colour in scene.several("colour", 2):
            scene.fact(f"pot {colour} {scene.anywhere()}")
        brush = scene.new("brush")
        scene.fact(f"lies {brush} {scene.openly()}, rinsed-brush {brush}")
        if not self.spent:
            scene.fact(f"basin {scene.openly()}")
        for item in scene.all("item"):
            if self.over and scene.rng.random() < 0.25:
                scene.fact(f"marked {item} {scene.all('colour')[0]}")
            else:
                scene.fact(f"bare {item}")

    def offer(self, scene: Scene) -> None:
        pots = {w[1]: w[2] for w in scene.facts if w[0] == "pot"}
        source = scene.where(scene.all("brush")[0])
        for item in scene.all("item"):
            spot = scene.where(item)
            for colour, pot in pots.items():
                if spot and ("bare", item) in scene.facts:
                    cost = scene.visit(source) + scene.distance(source, pot) + scene.distance(pot, spot) + 2
                    scene.offer(f"marked {item} {colour}", cost, f"mark {item}")
                    target = scene.anywhere(but=spot)
                    more = cost + scene.distance(spot, target) + 3
                    scene.offer(f"marked {item} {colour}, lies {item} {target}", more, f"mark {item}", f"where {item}")
