"""Clients who have to be led from place to place.

Variants: a client walks along while led, hand in hand with each step; or follows from the call until told to wait.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Escort(Mechanic):
    name = "escort"
    group = "extra"
    needs = ("travel",)
    clashes = ("queues",)

    def __init__(self, rng: random.Random) -> None:
        self.follows = rng.random() < 0.5
        self.one = rng.random() < 0.6
        self.register = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        draft.type("client", draft.theme.client, draft.theme.clients)
        draft.predicate("waits", "client here", "the {client} ~wait in the {here}", "waits-in|waiting-in|is-waiting-in")
        if self.follows:
            self._follow(draft)
        else:
            lead = draft.clone(
                "move",
                "lead",
                "lead|guide|show",
                "client",
                "waits client here",
                "not waits client here, waits client there",
                "{who} ~verb the {client} from the {here} to the {there}",
                "lead",
            )
            if "free" in draft.predicates and self.one:
                lead.require("free who")
                draft.rule("{you} ~need free hands to lead a {client}.")
        draft.rule("A {client} goes nowhere alone.")
        if self.register:
            draft.predicate("desk", "here", "the front desk ~be in the {here}", "front-desk-in|registers-in")
            draft.predicate("listed", "client", "the {client} ~be on the list", "registered|listed|on-the-list")
            draft.action(
                "register",
                "register|enrol|sign in",
                "who client here",
                "at who here, desk here, waits client here, not listed client"
                if not self.follows
                else "at who here, desk here, trails client who, not listed client",
                "listed client",
                "{who} ~verb the {client} at the desk in the {here}",
            )

    def _follow(self, draft: Draft) -> None:
        draft.predicate(
            "trails", "client who", "the {client} ~follow " + ("you" if draft.solo else "the {who}"), "follows|in-tow"
        )
        call = draft.action(
            "call",
            "call|wave over|invite along",
            "who client here",
            "at who here, waits client here",
            "not waits client here, trails client who",
            "{who} ~verb the {client} in the {here}",
        )
        stay = draft.action(
            "settle",
            "settle|seat|take leave of",
            "who client here",
            "at who here, trails client who",
            "not trails client who, waits client here",
            "{who} ~verb the {client} in the {here}",
        )
        if self.one:
            draft.predicate("alone", "who", "{who} ~be unaccompanied", "unaccompanied|without-company")
            call.require("alone who")
            call.cause("not alone who")
            stay.cause("alone who")
            draft.rule("Only one {client} can follow {you} at a time.")

    def furnish(self, scene: Scene) -> None:
        for client in scene.several("client", 1 + (scene.size >= 2) + (scene.size >= 5)):
            scene.fact(f"waits {client} {scene.rng.choice(scene.plain)}")
        if self.register:
            scene.fact(f"desk {scene.openly()}")
        if self.follows and self.one:
            for who in scene.crew:
                scene.fact(f"alone {who}")

    def offer(self, scene: Scene) -> None:
        desk = next((w[1] for w in scene.facts if w[0] == "desk"), "")
        for client, spot in [w[1:] for w in scene.facts if w[0] == "waits"]:
            target = scene.rng.choice([p for p in scene.plain if p != spot])
            cost = scene.errand(spot, target) - (0 if self.follows else 2)
            scene.offer(f"waits {client} {target}", cost, f"where {client}")
            if desk:
                more = scene.errand(spot, desk) - 1 - 2 * (not self.follows) + scene.distance(desk, target) + 2
                scene.offer(f"listed {client}, waits {client} {target}", more, f"where {client}")
