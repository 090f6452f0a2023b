"""Stacks: items lie on one another, and only the top of a stack can be taken.

Variants: stacks of any height, or of two; what lies below can still be worked on, or must be clear.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Stacks(Mechanic):
    name = "stacks"
    group = "extra"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.low = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        draft.predicate("on", "item item2", "the {item} ~lie on top of the {item2}", "on-top-of|stacked-on|rests-on")
        draft.predicate("clear", "thing", "the top of the {thing} ~be clear", "clear|clear-top|nothing-on")
        draft.predicate("floor", "thing", "the {thing} ~stand on the floor", "on-floor|at-floor-level")
        for action in draft.actions.values():
            for effect in list(action.effects):
                if effect.words[0] != "lies":
                    continue
                thing = effect.words[1]
                if effect.wanted:
                    action.cause(f"floor {thing}")
                else:
                    action.require(f"clear {thing}, floor {thing}")
                    action.cause(f"not floor {thing}")
        stack = draft.action(
            "stack",
            "stack|pile",
            "who item item2 here",
            "at who here, lies item2 here, clear item2" + (", floor item2" if self.low else ""),
            "lies item here, on item item2, not clear item2",
            "{who} ~verb the {item} on the {item2} in the {here}",
            "handle",
        )
        draft.release(stack, "item")
        unstack = draft.action(
            "unstack",
            "unstack|take down|slide off",
            "who item item2 here",
            "at who here, lies item here, on item item2, clear item",
            "not lies item here, not on item item2, clear item2",
            "{who} ~verb the {item} from the {item2} in the {here}",
            "handle",
        )
        draft.take(unstack, "item")
        draft.rule("Only what nothing lies on can be taken from a stack.")
        if self.low:
            draft.rule("A stack is two high at most.")

    def offer(self, scene: Scene) -> None:
        items = [i for i in scene.all("item") if scene.where(i)]
        things = [w[1] for w in scene.facts if w[0] == "lies"]
        loose = [name for name, role in scene.objects if scene.draft.types[role].parent == "thing"]
        for thing in loose:
            scene.fact(f"clear {thing}")
        for thing in things:
            scene.fact(f"floor {thing}")
        if len(items) > 2 and scene.rng.random() < 0.6:
            top, base = items[0], items[1]
            spot = scene.where(base)
            scene.unfact(f"lies {top} {scene.where(top)}, floor {top}, clear {base}")
            scene.fact(f"lies {top} {spot}, on {top} {base}")
        for item in items:
            below = scene.rng.choice([i for i in items if i != item] or items)
            if below != item and ("on", item, below) not in scene.facts:
                cost = scene.errand(scene.where(item), scene.where(below))
                scene.offer(f"on {item} {below}", cost, f"where {item}", f"where {below}")
