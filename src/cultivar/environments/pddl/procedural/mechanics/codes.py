"""Keypads: a place is opened with a code that has to be read elsewhere first.

Variants: only one code can be kept in mind at a time; the place can be, and in some tasks has to be, secured again.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Codes(Mechanic):
    name = "codes"
    group = "gate"
    needs = ("travel",)

    def __init__(self, rng: random.Random) -> None:
        self.forgetful = rng.random() < 0.6
        self.arm = rng.random() < 0.6

    def build(self, draft: Draft) -> None:
        draft.type("code", "code", ("amber code", "violet code", "scarlet code", "ivory code", "indigo code"))
        draft.predicate("sealed", "there", "the keypad of the {there} ~be armed", "armed|coded|keypad-armed")
        draft.predicate("posted", "code here", "the {code} ~be written up in the {here}", "posted-in|written-in")
        draft.predicate("fits-pad", "code there", "the {code} ~belong to the {there}", "belongs-to|code-of")
        draft.predicate("knows", "who code", "{who} ~remember the {code}", "remembers|knows")
        for move in draft.of_kind("move"):
            move.require("not sealed there")
        learn = draft.action(
            "learn",
            "memorise|read|learn",
            "who code here",
            "at who here, posted code here, not knows who code",
            "knows who code",
            "{who} ~verb the {code} in the {here}",
        )
        draft.action(
            "key-in",
            "key in|type in|punch in",
            "who code here there",
            "at who here, link here there, sealed there, fits-pad code there, knows who code",
            "not sealed there",
            "{who} ~verb the {code} in the {here} to open the {there}",
        )
        draft.rule("A {place} with an armed keypad cannot be entered.")
        if self.forgetful:
            draft.predicate("clear-headed", "who", "{who} ~be free to learn a code", "clear-headed|open-minded")
            learn.require("clear-headed who")
            learn.cause("not clear-headed who")
            draft.action(
                "forget",
                "forget|dismiss",
                "who code",
                "knows who code",
                "not knows who code, clear-headed who",
                "{who} ~verb the {code}",
            )
            draft.rule("{you} can keep only one code in mind at a time.")
        if self.arm:
            draft.action(
                "arm",
                "arm|secure",
                "who code here there",
                "at who here, link here there, fits-pad code there, knows who code, not sealed there",
                "sealed there",
                "{who} ~verb the keypad of the {there} from the {here} with the {code}",
            )

    def lay_out(self, scene: Scene) -> None:
        for _ in range(1 + (self.forgetful or scene.size >= 4)):
            scene.gate(2.5)

    def furnish(self, scene: Scene) -> None:
        for place in scene.gates[self.name]:
            code = scene.new("code")
            scene.fact(f"posted {code} {scene.before(place)}, fits-pad {code} {place}, sealed {place}")
        if self.forgetful:
            for who in scene.crew:
                scene.fact(f"clear-headed {who}")

    def offer(self, scene: Scene) -> None:
        for place in scene.gates[self.name]:
            scene.offer(f"not sealed {place}", scene.distance(scene.start[scene.crew[0]], place) - 0.5, f"in {place}")
            for item in scene.all("item"):
                if self.arm and (source := scene.where(item)) and source != place:
                    cost = scene.errand(source, place) + 2
                    scene.offer(f"lies {item} {place}, sealed {place}", cost, f"where {item}", f"in {place}")
