"""Picking things up and putting them down.

Variants: one thing at a time; as many as there are hands (each is an object); a load that goes up and down in levels;
no limit. What other mechanics need: ``take`` and ``release`` make an action pick up or give up what is carried.
"""

from __future__ import annotations

import random
from itertools import pairwise

from cultivar.environments.pddl.procedural.draft import ActionDraft, Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene

LOADS = ("nil", "light", "heavy", "maximal")


class Carrying(Mechanic):
    name = "carrying"
    group = "base"
    needs = ("travel",)

    def __init__(self, rng: random.Random) -> None:
        self.limit = rng.choice(("one", "one", "hands", "levels", "none"))
        self.most = rng.choice((2, 3))

    def build(self, draft: Draft) -> None:
        theme = draft.theme
        draft.type("thing", "thing")
        draft.type("item", theme.item, theme.items, parent="thing")
        draft.predicate("lies", "thing here", "the {thing} ~be in the {here}", "lies-in|located-in|stored-in|is-in")
        draft.predicate("holds", "who thing", "{who} ~hold the {thing}", "holding|carries|in-hand")
        if self.limit == "one":
            draft.predicate("free", "who", "{who} ~have free hands", "free-handed|hands-free|unburdened")
            draft.rule("{you} can hold only one thing at a time.")
        elif self.limit == "hands":
            self._hands(draft)
        elif self.limit == "levels":
            draft.type("load", "level", LOADS[: self.most + 1])
            whose = "your load" if draft.solo else "the load of the {who}"
            draft.predicate("loaded", "who load", f"{whose} ~be {{load}}", "load-of|laden")
            draft.predicate(
                "heavier",
                "load load2",
                "a load that is {load} ~become {load2} with one thing more",
                "next-load|heavier",
            )
            draft.rule(f"{{you}} can hold at most {self.most} things at a time.")
        draft.capacity = self
        draft.roomy = self.limit != "one"
        pick = draft.action(
            "pick",
            "pick up|lift|grab|collect|fetch",
            "who thing here",
            "at who here, lies thing here",
            "not lies thing here",
            "{who} ~verb the {thing} in the {here}",
            "handle",
        )
        draft.take(pick, "thing")
        put = draft.action(
            "put",
            "put down|set down|leave|drop off|deposit",
            "who thing here",
            "at who here",
            "lies thing here",
            "{who} ~verb the {thing} in the {here}",
            "handle",
        )
        draft.release(put, "thing")

    def _hands(self, draft: Draft) -> None:
        whose = "your {hand}" if draft.solo else "the {hand} of the {who}"
        draft.type("hand", "hand", ("left hand", "right hand"))
        draft.predicate("idle", "who hand", f"{whose} ~be empty", "idle|empty-hand")
        draft.predicate("grips", "who hand thing", f"the {{thing}} ~be in {whose}", "grips|in-grip")
        draft.rule("{you} ~have a left hand and a right hand, and each can hold one thing.")

    def take(self, action: ActionDraft, thing: str) -> None:
        """Makes the action need room for one more thing, and use it."""
        if self.limit == "one":
            action.require("free who")
            action.cause("not free who")
        elif self.limit == "hands":
            action.extend("hand", " with the {hand}")
            action.require("idle who hand")
            action.cause(f"not idle who hand, grips who hand {thing}")
        elif self.limit == "levels":
            action.extend("load load2", ", bringing the load from {load} to {load2}")
            action.require("loaded who load, heavier load load2")
            action.cause("not loaded who load, loaded who load2")

    def release(self, action: ActionDraft, thing: str) -> None:
        """Makes the action need the thing in hand, and free the room it took."""
        if self.limit == "one":
            action.cause("free who")
        elif self.limit == "hands":
            action.extend("hand", " with the {hand}")
            action.require(f"grips who hand {thing}")
            action.cause(f"not grips who hand {thing}, idle who hand")
        elif self.limit == "levels":
            action.extend("load load2", ", bringing the load from {load2} to {load}")
            action.require("loaded who load2, heavier load load2")
            action.cause("not loaded who load2, loaded who load")

    def furnish(self, scene: Scene) -> None:
        for item in scene.several("item", scene.count(2, 4)):
            scene.fact(f"lies {item} {scene.anywhere()}")
        hands = scene.several("hand", 2) if self.limit == "hands" else []
        loads = scene.ordered("load", self.most + 1) if self.limit == "levels" else []
        for who in scene.crew:
            if self.limit == "one":
                scene.fact(f"free {who}")
            for hand in hands:
                scene.fact(f"idle {who} {hand}")
            if loads:
                scene.fact(f"loaded {who} {loads[0]}")
        for lighter, heavier in pairwise(loads):
            scene.fact(f"heavier {lighter} {heavier}")

    def offer(self, scene: Scene) -> None:
        for item in scene.all("item"):
            source = scene.where(item)
            if source:
                target = scene.anywhere(but=source)
                scene.offer(f"lies {item} {target}", scene.errand(source, target), f"where {item}")
