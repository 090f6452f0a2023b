"""Dirt: work leaves something dirty, and nothing more can be done until it is clean.

Variants: the station gets dirty and is wiped; or the apron of the one who
works gets stained and picks nothing up until it is washed.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Cleaning(Mechanic):
    name = "cleaning"
    group = "modifier"
    after = ("work", "fit")

    def __init__(self, rng: random.Random) -> None:
        self.hands = rng.random() < 0.5
        self.all = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        work = draft.of_kind("work", "fit")
        stations = [a for a in work if a.has("station")]
        self.hands = self.hands or not stations
        if not self.hands:
            draft.predicate("dirty", "station", "the {station} ~be dirty", "dirty|soiled|messy")
            for action in stations if self.all else draft.some(stations):
                action.require("not dirty station")
                action.cause("dirty station")
                action.overhead += 0.7
            draft.action(
                "wipe",
                "wipe down|clean|scrub down",
                "who station here",
                "at who here, set-up station here, dirty station",
                "not dirty station",
                "{who} ~verb the {station} in the {here}",
            )
            draft.rule("Work leaves a station dirty, and a dirty station cannot be used.")
            return
        whose = "your apron" if draft.solo else "the apron of the {who}"
        draft.predicate("grimy", "who", f"{whose} ~be stained", "grimy|stained|smeared")
        draft.predicate("sink", "here", "a wash basin ~hang in the {here}", "wash-basin-in|sink-in")
        for action in work if self.all else draft.some(work):
            action.cause("grimy who")
            action.overhead += 1.5
        draft.actions["pick"].require("not grimy who")
        draft.action(
            "wash",
            "wash|clean up|scrub up",
            "who here",
            "at who here, sink here, grimy who",
            "not grimy who",
            "{who} ~verb at the basin in the {here}",
        )
        draft.rule("{you} cannot pick anything up after work that stains, until a basin has been used.")

    def furnish(self, scene: Scene) -> None:
        if self.hands:
            scene.fact(f"sink {scene.openly()}")
            return
        for words in [w for w in scene.facts if w[0] == "set-up"]:
            if scene.rng.random() < 0.4:
                scene.fact(f"dirty {words[1]}")

    def offer(self, scene: Scene) -> None:
        if self.hands:
            return
        for station, spot in [w[1:] for w in scene.facts if w[0] == "set-up"]:
            scene.offer(f"not dirty {station}", scene.visit(spot), f"dirt {station}")
