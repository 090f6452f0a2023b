"""A chute into a place from which nothing comes back.

Variants: things are sent down, workers slide down, or both; the place below has a way out on another side.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Oneway(Mechanic):
    name = "oneway"
    group = "gate"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.send = rng.random() < 0.75
        self.slide = not self.send or rng.random() < 0.6
        self.back = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        draft.predicate(
            "chute", "here there", "a chute ~drop from the {here} to the {there}", "chute|drops-to|slopes-to"
        )
        if self.send:
            send = draft.action(
                "send",
                "send|drop|tip",
                "who thing here there",
                "at who here, chute here there",
                "lies thing there",
                "{who} ~verb the {thing} down the chute from the {here} to the {there}",
                "handle",
            )
            draft.release(send, "thing")
        if self.slide:
            slide = draft.action(
                "slide",
                "slide|climb",
                "who here there",
                "at who here, chute here there",
                "not at who here, at who there",
                "{who} ~verb down the chute from the {here} to the {there}",
                "enter",
            )
            if "crowded" in draft.predicates:
                slide.require("not crowded there")
                slide.cause("not crowded here, crowded there")
        draft.rule("A chute can only be taken downwards.")
        if not self.back:
            draft.rule("No way leads up again from the foot of a chute.")

    def lay_out(self, scene: Scene) -> None:
        foot, head = scene.island(1), scene.openly()
        scene.fact(f"chute {head} {foot}")
        scene.near(head, foot)
        if self.back:
            scene.link(foot, scene.openly(but=head), back=False)

    def offer(self, scene: Scene) -> None:
        head, foot = next(w[1:] for w in scene.facts if w[0] == "chute")
        if self.send:
            for item in scene.all("item"):
                if source := scene.where(item):
                    scene.offer(f"lies {item} {foot}", scene.errand(source, head), f"where {item}")
        if self.slide:
            who = scene.crew[0]
            scene.offer(f"at {who} {foot}", scene.distance(scene.start[who], head) + 1, f"where {who}")
