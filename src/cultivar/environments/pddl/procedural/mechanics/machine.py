"""A machine that works on one item at a time: load, run, unload.

Variants: running it takes one step, or it has to be started and stopped; a finished item blocks it until taken out.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Machine(Mechanic):
    name = "machine"
    group = "work"
    needs = ("travel", "carrying")
    provides = ("work", "station")

    def __init__(self, rng: random.Random) -> None:
        self.stop = rng.random() < 0.5
        self.fresh = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        machine, verb, state = draft.theme.machine
        draft.type("station", "station")
        draft.type("machine", machine, parent="station")
        draft.predicate("set-up", "station here", "the {station} ~be set up in the {here}", "set-up-in|stationed-in")
        draft.predicate("fed", "item machine", "the {item} ~be in the {machine}", "loaded-in|fed-to|in-machine")
        draft.predicate("clear-machine", "machine", "the {machine} ~be free", "machine-free|unoccupied|free-for-use")
        draft.predicate("made", "item", f"the {{item}} ~be {state}", state)
        feed = draft.action(
            "feed",
            "feed|insert|load",
            "who item machine here",
            "at who here, set-up machine here, clear-machine machine" + (", not made item" if self.fresh else ""),
            "not clear-machine machine, fed item machine",
            "{who} ~verb the {item} into the {machine} in the {here}",
            "handle",
        )
        draft.release(feed, "item")
        run = draft.action(
            "run",
            verb,
            "who item station:machine here",
            "at who here, set-up station here, fed item station, not made item",
            "made item",
            "{who} ~verb the {item} in the {station} in the {here}",
            "work",
        )
        empty = draft.action(
            "empty",
            "unload|take out|remove",
            "who item machine here",
            "at who here, set-up machine here, fed item machine",
            "not fed item machine, clear-machine machine",
            "{who} ~verb the {item} from the {machine} in the {here}",
            "handle",
        )
        draft.take(empty, "item")
        draft.rule("The {machine} takes one {item} at a time.")
        if self.stop:
            draft.predicate("running", "machine", "the {machine} ~be running", "running|turning|in-motion")
            run.require("not running station")
            run.cause("running station")
            empty.require("not running machine")
            draft.action(
                "halt",
                "stop|halt",
                "who machine here",
                "at who here, set-up machine here, running machine",
                "not running machine",
                "{who} ~verb the {machine} in the {here}",
            )
            draft.rule("The {machine} must be stopped before anything is taken from it.")

    def furnish(self, scene: Scene) -> None:
        machine = scene.new("machine")
        scene.fact(f"set-up {machine} {scene.anywhere()}, clear-machine {machine}")
        items = scene.all("item")
        if scene.rng.random() < 0.3 and len(items) > 2:
            scene.unfact(f"lies {items[0]} {scene.where(items[0])}, clear-machine {machine}")
            scene.fact(f"fed {items[0]} {machine}")

    def offer(self, scene: Scene) -> None:
        machine = scene.all("machine")[0]
        spot = next(w[2] for w in scene.facts if w[:2] == ("set-up", machine))
        stop = f", not running {machine}" if self.stop else ""
        for item in scene.all("item"):
            source = scene.where(item)
            inside = ("fed", item, machine) in scene.facts
            if not source and not inside:
                continue
            cost = scene.visit(spot) if inside else scene.errand(source, spot) + 1
            cost += scene.draft.actions["run"].overhead + bool(stop)
            target = scene.anywhere(but=spot)
            scene.offer(f"made {item}, fed {item} {machine}{stop}", cost, f"where {item}", f"machine {machine}")
            cost += scene.distance(spot, target) + 2
            scene.offer(f"made {item}, lies {item} {target}", cost, f"where {item}")
