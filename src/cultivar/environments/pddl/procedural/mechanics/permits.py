"""Restricted places, which can only be entered with the right badge.

Variants: one badge at a time, to be handed in before the next; every badge exists once, so that workers must share.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Permits(Mechanic):
    name = "permits"
    group = "gate"
    needs = ("travel",)

    def __init__(self, rng: random.Random) -> None:
        self.single = rng.random() < 0.6
        self.shared = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        badges = ("red badge", "blue badge", "green badge", "yellow badge")
        draft.type("badge", "badge", badges)
        draft.predicate("public", "there", "the {there} ~be open to everyone", "public|open-to-all|unrestricted")
        draft.predicate("admits", "badge there", "the {badge} ~admit its wearer to the {there}", "admits|valid-for")
        draft.predicate("issued", "badge here", "the {badge} ~be issued in the {here}", "issued-in|handed-out-in")
        draft.predicate("wears", "who badge", "{who} ~wear the {badge}", "wears|has-badge")
        draft.actions["move"].require("public there")
        draft.action(
            "enter",
            "step|pass",
            "who badge here there",
            "at who here, link here there, admits badge there, wears who badge",
            "not at who here, at who there",
            "{who} ~verb from the {here} into the {there} with the {badge}",
            "enter",
        )
        if "crowded" in draft.predicates:
            draft.actions["enter"].require("not crowded there")
            draft.actions["enter"].cause("not crowded here, crowded there")
        get = draft.action(
            "sign-out",
            "sign out|put on|check out",
            "who badge here",
            "at who here, issued badge here, not wears who badge",
            "wears who badge",
            "{who} ~verb the {badge} in the {here}",
        )
        back = draft.action(
            "hand-in",
            "hand in|give back|return",
            "who badge here",
            "at who here, issued badge here, wears who badge",
            "not wears who badge",
            "{who} ~verb the {badge} in the {here}",
        )
        draft.rule("A restricted {place} can only be entered with a badge that admits to it.")
        if self.single:
            draft.predicate("unbadged", "who", "{who} ~be without a badge", "unbadged|badgeless")
            get.require("unbadged who")
            get.cause("not unbadged who")
            back.cause("unbadged who")
            draft.rule("{you} can wear only one badge at a time.")
        if self.shared:
            draft.predicate("on-rack", "badge", "the {badge} ~hang on the rack", "on-rack|unclaimed")
            get.require("on-rack badge")
            get.cause("not on-rack badge")
            back.cause("on-rack badge")

    def lay_out(self, scene: Scene) -> None:
        for _ in range(1 + (scene.size >= 4)):
            scene.gate(2.5, plain=False, outside=scene.openly())

    def furnish(self, scene: Scene) -> None:
        desk = scene.openly()
        for place in scene.gates[self.name]:
            badge = scene.new("badge")
            scene.fact(f"admits {badge} {place}, issued {badge} {desk}")
            if self.shared:
                scene.fact(f"on-rack {badge}")
        for place in scene.places:
            if place not in scene.gates[self.name]:
                scene.fact(f"public {place}")
        if self.single:
            for who in scene.crew:
                scene.fact(f"unbadged {who}")

    def offer(self, scene: Scene) -> None:
        who, badge = scene.crew[0], scene.all("badge")[-1]
        desk = next(w[2] for w in scene.facts if w[0] == "issued")
        scene.offer(f"wears {who} {badge}", scene.visit(desk), "badge")
        for place, worn in zip(scene.gates[self.name], scene.all("badge")):
            scene.offer(f"at {who} {place}", scene.distance(scene.start[who], place) + 1, f"where {who}", "badge")
            for item in scene.all("item"):
                if (source := scene.where(item)) and source != place:
                    cost = scene.errand(source, place) + 2
                    scene.offer(f"lies {item} {place}, not wears {who} {worn}", cost, f"where {item}", "badge")
