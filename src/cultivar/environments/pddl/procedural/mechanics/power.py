"""Power: a station works only while it is live.

Variants: a switch at each station; one circuit that feeds one station; one cable that is plugged in and out; a starter
that must be pulled before every use.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Power(Mechanic):
    name = "power"
    group = "modifier"
    after = ("station",)

    def __init__(self, rng: random.Random) -> None:
        self.style = rng.choice(("switch", "single", "cable", "starter"))
        self.off = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        if self.style == "cable" and not draft.roomy and "tools" in draft.mechanics:
            self.style = "switch"
        draft.predicate("live", "station", "the {station} ~have power", "powered|live|switched-on")
        for action in draft.some([a for a in draft.of_kind("work") if a.has("station")]):
            action.require("live station")
            action.overhead += 1
            if self.style == "starter":
                action.cause("not live station")
        draft.rule("Without power, nothing can be done at a station that needs it.")
        if self.style == "cable":
            self._cable(draft)
            return
        start = draft.action(
            "switch-on",
            "start up|crank up" if self.style == "starter" else "switch on|turn on",
            "who station here",
            "at who here, set-up station here, not live station",
            "live station",
            "{who} ~verb the {station} in the {here}",
        )
        if self.style == "starter":
            draft.rule("A station stops after each use and has to be started anew.")
            return
        stop = draft.action(
            "switch-off",
            "switch off|turn off",
            "who station here",
            "at who here, set-up station here, live station",
            "not live station",
            "{who} ~verb the {station} in the {here}",
        )
        if self.style == "single":
            draft.type("circuit", "circuit", ("main circuit", "spare circuit"))
            draft.predicate("spare", "circuit", "the {circuit} ~be unused", "circuit-free|unused-circuit")
            draft.predicate("feeds", "circuit station", "the {circuit} ~feed the {station}", "feeds|supplies")
            for action, before, after in (
                (start, "spare circuit", "not spare circuit, feeds circuit station"),
                (stop, "feeds circuit station", "spare circuit, not feeds circuit station"),
            ):
                action.extend("circuit", " on the {circuit}")
                action.require(before)
                action.cause(after)
            draft.rule("A circuit can feed only one station at a time.")

    def _cable(self, draft: Draft) -> None:
        draft.type("cable", "cable", ("orange cable", "armoured cable", "coiled cable"), parent="thing")
        draft.predicate(
            "plugged", "cable station", "the {cable} ~be plugged into the {station}", "plugged-into|wired-to"
        )
        plug = draft.action(
            "plug",
            "plug|connect|hook up",
            "who cable station here",
            "at who here, set-up station here, not live station",
            "plugged cable station, live station",
            "{who} ~verb the {cable} to the {station} in the {here}",
        )
        draft.release(plug, "cable")
        unplug = draft.action(
            "unplug",
            "unplug|disconnect",
            "who cable station here",
            "at who here, set-up station here, plugged cable station",
            "not plugged cable station, not live station",
            "{who} ~verb the {cable} from the {station} in the {here}",
        )
        draft.take(unplug, "cable")

    def furnish(self, scene: Scene) -> None:
        if self.style == "single":
            scene.fact(f"spare {scene.new('circuit')}")
        elif self.style == "cable":
            scene.fact(f"lies {scene.new('cable')} {scene.openly()}")
        elif self.style == "switch" and self.off:
            for words in [w for w in scene.facts if w[0] == "set-up"]:
                if scene.rng.random() < 0.4:
                    scene.fact(f"live {words[1]}")

    def offer(self, scene: Scene) -> None:
        for station, spot in [w[1:] for w in scene.facts if w[0] == "set-up"]:
            if ("live", station) in scene.facts:
                scene.offer(f"not live {station}", scene.visit(spot), "power")
            elif self.style == "cable":
                cable = scene.all("cable")[0]
                scene.offer(f"plugged {cable} {station}", scene.errand(scene.where(cable), spot), "power")
            elif self.style != "starter":
                scene.offer(f"live {station}", scene.visit(spot), "power")
