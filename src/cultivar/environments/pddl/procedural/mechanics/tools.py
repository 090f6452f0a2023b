"""Tools: some work can only be done with a tool in hand.

Variants: the tool wears with every use and is made good again at its own station; it has to be brought back at the end.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Tools(Mechanic):
    name = "tools"
    group = "modifier"
    needs = ("carrying",)
    after = ("work",)

    def __init__(self, rng: random.Random) -> None:
        self.wears = rng.random() < 0.7
        self.carried = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        draft.type("tool", "tool", draft.theme.tools, parent="thing")
        chosen = draft.some(draft.of_kind("work"))
        for action in chosen:
            action.extend("tool", " with the {tool}")
            action.require("holds who tool")
            action.overhead += 1.5
        draft.rule(f"{{you}} can {draft.deeds(chosen)} only with a tool in hand.")
        if not self.wears:
            return
        blunt, sharp, verb, station = draft.theme.wear
        draft.type("grinder", station)
        draft.predicate("keen", "tool", f"the {{tool}} ~be {sharp}", sharp)
        draft.predicate("kept", "grinder here", "the {grinder} ~be kept in the {here}", "kept-in|found-in")
        for action in chosen:
            action.require("keen tool")
            action.cause("not keen tool")
            action.overhead += 1
        draft.action(
            "renew",
            verb,
            "who tool grinder here",
            "at who here, kept grinder here, holds who tool, not keen tool",
            "keen tool",
            "{who} ~verb the {tool} at the {grinder} in the {here}",
        )
        draft.rule(f"A tool is {blunt} after each use, and {{you}} must {verb} that tool before it can be used again.")

    def furnish(self, scene: Scene) -> None:
        for tool in scene.several("tool", 1 + (scene.size >= 4)):
            scene.fact(f"lies {tool} {scene.openly()}")
            if self.wears and scene.rng.random() < 0.6:
                scene.fact(f"keen {tool}")
        if self.wears:
            scene.fact(f"kept {scene.new('grinder')} {scene.openly()}")

    def offer(self, scene: Scene) -> None:
        for tool in scene.all("tool"):
            source = scene.where(tool)
            target = scene.anywhere(but=source)
            if self.carried:
                scene.offer(f"lies {tool} {target}", scene.errand(source, target), f"where {tool}")
            if self.wears and ("keen", tool) not in scene.facts:
                grinder = next(w[2] for w in scene.facts if w[0] == "kept")
                scene.offer(f"keen {tool}", scene.errand(source, grinder) - 1, f"wear {tool}")
