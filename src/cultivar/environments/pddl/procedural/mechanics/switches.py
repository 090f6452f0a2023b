"""Levers that open ways and bar them.

Variants: one lever for one place, thrown to and fro; one lever between two places, of which one is always barred.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Switches(Mechanic):
    name = "switches"
    group = "gate"
    needs = ("travel",)

    def __init__(self, rng: random.Random) -> None:
        self.swings = rng.random() < 0.5
        self.rebar = rng.random() < 0.6

    def build(self, draft: Draft) -> None:
        draft.type("lever", "lever", ("red lever", "black lever", "long lever", "bent lever"))
        draft.predicate("fixed", "lever here", "the {lever} ~be mounted in the {here}", "mounted-in|fixed-in")
        draft.predicate("blocked", "there", "the way into the {there} ~be blocked", "blocked|gated|cut-off")
        for move in draft.of_kind("move"):
            move.require("not blocked there")
        draft.rule("A {place} cannot be entered while the way into it is blocked.")
        if self.swings:
            text = "the {lever} ~shift the barrier from the {place} to the {place2}"
            draft.predicate("shifts", "lever place place2", text, "shifts|swings-between")
            draft.action(
                "throw",
                "throw|pull|swing",
                "who lever here place place2",
                "at who here, fixed lever here, shifts lever place place2, blocked place, not blocked place2",
                "not blocked place, blocked place2",
                "{who} ~verb the {lever} in the {here} to free the {place} and block the {place2}",
            )
            draft.rule("A lever that frees one {place} blocks another.")
            return
        draft.predicate("governs", "lever place", "the {lever} ~govern the way into the {place}", "governs|controls")
        draft.action(
            "throw",
            "throw|pull",
            "who lever here place",
            "at who here, fixed lever here, governs lever place, blocked place",
            "not blocked place",
            "{who} ~verb the {lever} in the {here} to free the {place}",
        )
        if self.rebar:
            draft.action(
                "reset",
                "push back|reset",
                "who lever here place",
                "at who here, fixed lever here, governs lever place, not blocked place",
                "blocked place",
                "{who} ~verb the {lever} in the {here} to block the {place}",
            )

    def lay_out(self, scene: Scene) -> None:
        for _ in range(2 if self.swings else 1 + (scene.size >= 5)):
            scene.gate(2, outside=scene.openly())

    def furnish(self, scene: Scene) -> None:
        gates = scene.gates[self.name]
        scene.fact(f"blocked {gates[0]}")
        if self.swings:
            lever = scene.new("lever")
            scene.fact(f"fixed {lever} {scene.openly()}")
            scene.fact(f"shifts {lever} {gates[0]} {gates[1]}, shifts {lever} {gates[1]} {gates[0]}")
            return
        for place in gates:
            lever = scene.new("lever")
            scene.fact(f"fixed {lever} {scene.openly()}, governs {lever} {place}, blocked {place}")

    def offer(self, scene: Scene) -> None:
        first = scene.gates[self.name][0]
        spot = next(w[2] for w in scene.facts if w[0] == "fixed")
        if self.swings:
            scene.offer(f"not blocked {first}", scene.visit(spot), *(f"in {gate}" for gate in scene.gates[self.name]))
        for item in scene.all("item"):
            source = scene.where(item)
            if source and source != first and not self.swings and self.rebar:
                cost = scene.errand(source, first) + 2
                scene.offer(f"lies {item} {first}, blocked {first}", cost, f"where {item}", f"in {first}")
