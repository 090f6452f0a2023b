"""Processing in stages: an item goes from one state to the next, each at its own station.

Variants: one, two or three stages; the item lies at the station or is held; finished items can be undone, back to the
first state.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Stages(Mechanic):
    name = "stages"
    group = "work"
    provides = ("work", "station")
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.depth = rng.choice((1, 2, 2, 3))
        self.held = rng.random() < 0.4
        self.undo = rng.random() < 0.25

    def build(self, draft: Draft) -> None:
        first, steps = draft.theme.stages
        steps = steps[-self.depth :] if draft.chance(0.3) else steps[: self.depth]
        if steps[0] != draft.theme.stages[1][0]:
            first = draft.theme.stages[1][draft.theme.stages[1].index(steps[0]) - 1][1]
        self.held = self.held and draft.roomy
        states = [first, *(state for _, state, _ in steps)]
        draft.type("station", "station")
        draft.predicate("state0", "item", f"the {{item}} ~be {first}", first)
        draft.predicate("set-up", "station here", "the {station} ~be set up in the {here}", "set-up-in|stationed-in")
        for i, (verb, state, station) in enumerate(steps):
            draft.type(f"station{i}", station, parent="station")
            draft.predicate(f"state{i + 1}", "item", f"the {{item}} ~be {state}", state)
            draft.action(
                f"work{i}",
                verb,
                f"who item station:station{i} here",
                f"at who here, {'holds who item' if self.held else 'lies item here'}, set-up station here, "
                f"state{i} item",
                f"not state{i} item, state{i + 1} item",
                "{who} ~verb the {item} at the {station} in the {here}",
                "work",
            )
            draft.rule(f"{{you}} can {verb} a {{item}} only at the {station}, and only while it is {states[i]}.")
        if self.undo:
            draft.action(
                "undo",
                "undo|scrap",
                "who item here",
                f"at who here, holds who item, state{len(steps)} item",
                f"not state{len(steps)} item, state0 item",
                "{who} ~verb the work on the {item} in the {here}",
            )
        self.depth = len(steps)

    def furnish(self, scene: Scene) -> None:
        for i in range(self.depth):
            scene.fact(f"set-up {scene.new(f'station{i}')} {scene.anywhere()}")
        for item in scene.all("item"):
            scene.fact(f"state{0 if scene.rng.random() < 0.6 else scene.rng.randint(1, self.depth)} {item}")

    def offer(self, scene: Scene) -> None:
        at = {w[1]: w[2] for w in scene.facts if w[0] == "set-up"}
        stops = [at[scene.all(f"station{i}")[0]] for i in range(self.depth)]
        for item in scene.all("item"):
            source = scene.where(item)
            if not source:
                continue
            cost = scene.visit(source)
            done = next(i for i in range(self.depth + 1) if (f"state{i}", item) in scene.facts)
            for i, stop in enumerate(stops[done:], done):
                cost += scene.distance(source, stop) + (2 if source != stop else 0) + 1
                cost += scene.draft.actions[f"work{i}"].overhead
                source = stop
                scene.offer(f"state{i + 1} {item}", cost, f"state {item}", f"where {item}")
            if done == self.depth:
                continue
            target = scene.anywhere(but=source)
            more = scene.distance(source, target) + 2
            scene.offer(
                f"state{self.depth} {item}, lies {item} {target}", cost + more, f"state {item}", f"where {item}"
            )
