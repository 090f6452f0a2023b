"""Growing: sow, water, tend, harvest.

Variants: a crop ripens in one step or sprouts first; the bed dries out with every step; the can is filled at a tap.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Growth(Mechanic):
    name = "growth"
    group = "work"
    needs = ("travel", "carrying")
    lexical = "crop"

    def __init__(self, rng: random.Random) -> None:
        self.sprouts = rng.random() < 0.5
        self.canned = rng.random() < 0.6

    def build(self, draft: Draft) -> None:
        crop, bed, names = draft.theme.crop or ("crop", "bed", ())
        draft.type("crop", crop, names, parent="thing")
        draft.type("bed", bed, tuple(f"{side} {bed}" for side in ("sunny", "shady", "long", "raised")))
        draft.predicate("plot", "bed here", "the {bed} ~be laid out in the {here}", "laid-out-in|plot-in")
        draft.predicate("fallow", "bed", "the {bed} ~be fallow", "fallow|unplanted")
        draft.predicate("moist", "bed", "the {bed} ~be moist", "moist|watered")
        draft.predicate("seed", "crop", "the {crop} ~be a seedling", "seedling|unsown")
        draft.predicate("planted", "crop bed", "the {crop} ~grow in the {bed}", "grows-in|planted-in")
        draft.predicate("ripe", "crop", "the {crop} ~be ripe", "ripe|fully-grown")
        sow = draft.action(
            "sow",
            "plant|bed out|set",
            "who crop bed here",
            "at who here, plot bed here, fallow bed, seed crop",
            "not fallow bed, planted crop bed",
            "{who} ~verb the {crop} into the {bed} in the {here}",
        )
        draft.release(sow, "crop")
        self._water(draft)
        stages = [("grow", "tend|raise", "seed", "ripe")]
        if self.sprouts:
            draft.predicate("sprout", "crop", "the {crop} ~be in leaf", "in-leaf|half-grown")
            stages = [("grow", "thin out|train", "seed", "sprout"), ("ripen", "tend|raise", "sprout", "ripe")]
        for role, verbs, old, new in stages:
            draft.action(
                role,
                verbs,
                "who crop bed here",
                f"at who here, plot bed here, planted crop bed, {old} crop, moist bed",
                f"not {old} crop, {new} crop, not moist bed",
                "{who} ~verb the {crop} in the {bed} in the {here}",
            )
        harvest = draft.action(
            "harvest",
            "harvest|cut|gather",
            "who crop bed here",
            "at who here, plot bed here, planted crop bed, ripe crop",
            "not planted crop bed, fallow bed",
            "{who} ~verb the {crop} from the {bed} in the {here}",
        )
        draft.take(harvest, "crop")
        draft.rule("A {bed} holds one {crop}, which grows only while the {bed} is moist, and dries it out.")

    def _water(self, draft: Draft) -> None:
        words = "who bed here"
        needs, effect, text = (
            "at who here, plot bed here, not moist bed",
            "moist bed",
            "{who} ~verb the {bed} in the {here}",
        )
        if self.canned:
            draft.type("jug", "watering can", ("tin watering can", "green watering can"), parent="thing")
            draft.predicate("wet-jug", "jug", "the {jug} ~be full of water", "brimming|full-of-water")
            draft.predicate("tap", "here", "a tap ~run in the {here}", "tap-in|has-tap")
            draft.action(
                "draw-water",
                "fill|dip",
                "who jug here",
                "at who here, tap here, holds who jug, not wet-jug jug",
                "wet-jug jug",
                "{who} ~verb the {jug} at the tap in the {here}",
            )
            words, needs = f"{words} jug", f"{needs}, holds who jug, wet-jug jug"
            effect, text = f"{effect}, not wet-jug jug", f"{text} with the {{jug}}"
        draft.action("water", "water|sprinkle", words, needs, effect, text)

    def furnish(self, scene: Scene) -> None:
        for bed in scene.several("bed", 1 + (scene.size >= 4)):
            scene.fact(f"plot {bed} {scene.openly()}, fallow {bed}")
            if scene.rng.random() < 0.2:
                scene.fact(f"moist {bed}")
        beds = scene.all("bed")
        for i, crop in enumerate(scene.several("crop", 2 + (scene.size >= 5))):
            ripe = i == 0 and scene.rng.random() < 0.2
            scene.fact(f"{'ripe' if ripe else 'seed'} {crop}")
            if ripe or (i == 0 and scene.rng.random() < 0.4):
                scene.fact(f"planted {crop} {beds[0]}")
                scene.unfact(f"fallow {beds[0]}")
            else:
                scene.fact(f"lies {crop} {scene.openly()}")
        if self.canned:
            scene.fact(f"lies {scene.new('jug')} {scene.openly()}, tap {scene.openly()}")

    def offer(self, scene: Scene) -> None:
        plots = {w[1]: w[2] for w in scene.facts if w[0] == "plot"}
        growing = (2 + self.sprouts) * (1 + self.canned) + 2 * self.canned
        for bed, spot in plots.items():
            for crop in scene.all("crop"):
                source = scene.where(crop)
                steps = growing
                planted = ("planted", crop, bed) in scene.facts
                if not source and not planted:
                    continue
                cost = scene.visit(spot) if planted else scene.errand(source, spot)
                if not planted:
                    scene.offer(f"planted {crop} {bed}", cost, f"crop {crop}", f"bed {bed}")
                if ("ripe", crop) in scene.facts:
                    steps = 0
                scene.offer(f"ripe {crop}", cost + steps, f"crop {crop}", f"bed {bed}")
                target = scene.anywhere(but=spot)
                more = cost + steps + 2 + scene.distance(spot, target)
                scene.offer(f"ripe {crop}, lies {crop} {target}", more, f"crop {crop}")
