"""Vehicles that are boarded, driven along roads and left again; some places can be reached in no other way.

Variants: what is held comes along; or it must be loaded and unloaded, and driving takes free hands.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Vehicles(Mechanic):
    name = "vehicles"
    group = "gate"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.cargo = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        draft.type("vehicle", draft.theme.vehicle, draft.theme.vehicles)
        draft.predicate("parked", "vehicle here", "the {vehicle} ~be parked in the {here}", "parked-in|halted-in")
        draft.predicate("aboard", "who vehicle", "{who} ~be aboard the {vehicle}", "aboard|on-board")
        draft.predicate("road", "here there", "a lane ~run from the {here} to the {there}", "lane|drivable|road")
        board = draft.action(
            "board",
            "board|get onto|mount",
            "who vehicle here",
            "at who here, parked vehicle here",
            "not at who here, aboard who vehicle",
            "{who} ~verb the {vehicle} in the {here}",
        )
        draft.action(
            "alight",
            "leave|get off|step off",
            "who vehicle here",
            "aboard who vehicle, parked vehicle here",
            "not aboard who vehicle, at who here",
            "{who} ~verb the {vehicle} in the {here}",
        )
        draft.action(
            "drive",
            "drive|steer|take",
            "who vehicle here there",
            "aboard who vehicle, parked vehicle here, road here there",
            "not parked vehicle here, parked vehicle there",
            "{who} ~verb the {vehicle} from the {here} to the {there}",
            "drive",
        )
        draft.rule("A {vehicle} goes only where a lane runs, and only with {you} aboard.")
        if not self.cargo:
            return
        draft.predicate("stowed", "thing vehicle", "the {thing} ~be loaded on the {vehicle}", "stowed-on|loaded-on")
        load = draft.action(
            "load",
            "load|stow|heave",
            "who thing vehicle here",
            "at who here, parked vehicle here",
            "stowed thing vehicle",
            "{who} ~verb the {thing} onto the {vehicle} in the {here}",
            "handle",
        )
        draft.release(load, "thing")
        unload = draft.action(
            "unload",
            "unload|take|lift",
            "who thing vehicle here",
            "at who here, parked vehicle here, stowed thing vehicle",
            "not stowed thing vehicle",
            "{who} ~verb the {thing} off the {vehicle} in the {here}",
            "handle",
        )
        draft.take(unload, "thing")
        if "free" in draft.predicates:
            board.require("free who")
            draft.rule("{you} ~need free hands to get aboard, so that freight has to be loaded.")

    def lay_out(self, scene: Scene) -> None:
        dock = scene.openly()
        for _ in range(1 + (scene.size >= 4)):
            place = scene.island(3)
            scene.fact(f"road {dock} {place}, road {place} {dock}")
            scene.near(dock, place)
            scene.near(place, dock)
            scene.places.append(place)

    def furnish(self, scene: Scene) -> None:
        dock = next(w[1] for w in scene.facts if w[0] == "road")
        scene.fact(f"parked {scene.new('vehicle')} {dock}")

    def offer(self, scene: Scene) -> None:
        vehicle = scene.all("vehicle")[0]
        dock = next(w[1] for w in scene.facts if w[0] == "road")
        for place in scene.gates[self.name]:
            cost = scene.visit(dock) + 1
            scene.offer(f"parked {vehicle} {place}", cost, f"where {vehicle}", f"where {scene.crew[0]}")
            for who in scene.crew[:1]:
                scene.offer(f"at {who} {place}", scene.visit(dock) + 2, f"where {who}")
