"""Heat: a station has to be hot for some work.

Variants: hot or cold; cold, warm and hot, step by step; work cools it down; it must be cold again at the end.
"""

from __future__ import annotations

import random
from itertools import pairwise

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene

LEVELS = ("cold", "warm", "hot")


class Heating(Mechanic):
    name = "heating"
    group = "modifier"
    after = ("station",)
    lexical = "warm"

    def __init__(self, rng: random.Random) -> None:
        self.steps = rng.random() < 0.5
        self.cools = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        heats = draft.some([a for a in draft.of_kind("work") if a.has("station")])
        if not self.steps:
            draft.predicate("hot", "station", "the {station} ~be hot", "hot|heated|at-heat")
            need, cold = "hot station", "not hot station"
            moves = [
                ("heat-up", "heat up|fire up|warm up", cold, need),
                ("cool-down", "cool down|damp down", need, cold),
            ]
            parameters, tail = "who station here", ""
        else:
            draft.type("heat", "level", LEVELS)
            draft.predicate("heat-of", "station heat", "the {station} ~be {heat}", "temperature|heat-of")
            draft.predicate("hotter", "heat heat2", "{heat2} ~be one step hotter than {heat}", "hotter|next-heat")
            draft.predicate(
                "calls-for", "station heat", "work at the {station} ~call for it to be {heat}", "calls-for|needs-heat"
            )
            parameters, tail = "who station heat heat2 here", " from {heat} to {heat2}"
            change = "not heat-of station heat, heat-of station heat2"
            moves = [
                ("heat-up", "heat up|fire up", "heat-of station heat, hotter heat heat2", change),
                ("cool-down", "cool down|damp down", "heat-of station heat, hotter heat2 heat", change),
            ]
        for action in heats:
            if self.steps:
                action.extend("heat", " while it is {heat}")
                action.require("heat-of station heat, calls-for station heat")
            else:
                action.require("hot station")
                if self.cools:
                    action.cause("not hot station")
            action.overhead += 1
        for role, verbs, before, after in moves:
            draft.action(
                role,
                verbs,
                parameters,
                f"at who here, set-up station here, {before}",
                after,
                f"{{who}} ~verb the {{station}} in the {{here}}{tail}",
            )
        draft.rule("Some work can only be done at a station that has been brought to the right heat.")

    def furnish(self, scene: Scene) -> None:
        heats = scene.ordered("heat", 3) if self.steps else []
        for low, high in pairwise(heats):
            scene.fact(f"hotter {low} {high}")
        for words in [w for w in scene.facts if w[0] == "set-up"]:
            if self.steps:
                scene.fact(
                    f"heat-of {words[1]} {scene.rng.choice(heats)}, calls-for {words[1]} {scene.rng.choice(heats[1:])}"
                )
            elif scene.rng.random() < 0.3:
                scene.fact(f"hot {words[1]}")

    def offer(self, scene: Scene) -> None:
        for station, spot in [w[1:] for w in scene.facts if w[0] == "set-up"]:
            if self.steps:
                for heat in scene.all("heat"):
                    scene.offer(f"heat-of {station} {heat}", scene.visit(spot) + 0.5, f"heat {station}")
            else:
                scene.offer(
                    f"{'not ' if ('hot', station) in scene.facts else ''}hot {station}", scene.visit(spot), "heat"
                )
