"""Assembly: parts are fixed to a frame, and the whole is finished.

Variants: two parts or three; parts can be taken off again; they must be fixed in order; a finishing step.
"""

from __future__ import annotations

import random
from itertools import pairwise

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Assembly(Mechanic):
    name = "assembly"
    group = "work"
    needs = ("travel", "carrying")
    provides = ("fit",)

    def __init__(self, rng: random.Random) -> None:
        self.parts = rng.choice((2, 2, 3))
        self.detach = rng.random() < 0.6
        self.ordered = rng.random() < 0.4
        self.finish = rng.random() < 0.5

    def build(self, draft: Draft) -> None:
        products = draft.theme.products
        draft.type("frame", "assembly", tuple(name for name, _ in products))
        draft.type("part", "part", tuple(p for _, parts in products for p in parts), parent="thing")
        draft.predicate("mounted", "frame here", "the {frame} ~be set up in the {here}", "based-in|erected-in")
        draft.predicate("fits-on", "part frame", "the {part} ~belong on the {frame}", "fits-on|part-of")
        draft.predicate("attached", "part frame", "the {part} ~be fixed to the {frame}", "attached|fixed-to")
        attach = draft.action(
            "attach",
            "fix|attach|fasten|fit",
            "who part frame here",
            "at who here, mounted frame here, fits-on part frame",
            "attached part frame",
            "{who} ~verb the {part} to the {frame} in the {here}",
            "fit",
        )
        draft.release(attach, "part")
        if self.ordered:
            text = "on the {frame} the {part2} ~come right after the {part}"
            draft.predicate("comes-after", "part part2:part frame", text, "precedes|goes-before")
            draft.predicate("basic", "part", "the {part} ~need no other part", "basic|base-part")
            attach.extend("part2:part", ", next to the {part2}")
            attach.require("comes-after part2 part frame, attached part2 frame")
            first = draft.action(
                "begin",
                "begin|commence",
                "who part frame here",
                "at who here, mounted frame here, fits-on part frame, basic part",
                "attached part frame",
                "{who} ~verb the {frame} with the {part} in the {here}",
                "fit",
            )
            draft.release(first, "part")
            draft.rule("The parts of an {frame} go on in a fixed order.")
        if self.detach:
            self._detach(draft)
        if self.finish:
            draft.predicate("whole", "frame", "the {frame} ~be complete", "complete|finished|whole")
            draft.action(
                "finish",
                "complete|finish|check over",
                "who frame part part2:part here",
                "at who here, mounted frame here, attached part frame, attached part2 frame, part != part2, "
                "not whole frame",
                "whole frame",
                "{who} ~verb the {frame} with the {part} and the {part2} in the {here}",
            )
            if self.detach:
                draft.actions["detach"].require("not whole frame")
                draft.rule("Nothing can be taken off an {frame} that is complete.")

    def _detach(self, draft: Draft) -> None:
        detach = draft.action(
            "detach",
            "detach|unfasten|take off",
            "who part frame here",
            "at who here, mounted frame here, attached part frame",
            "not attached part frame",
            "{who} ~verb the {part} from the {frame} in the {here}",
        )
        draft.take(detach, "part")

    def furnish(self, scene: Scene) -> None:
        products = scene.draft.theme.products
        for product, names in scene.rng.sample(products, 1 + (scene.size >= 5 and len(products) > 1)):
            frame = scene.call("frame", product)
            scene.fact(f"mounted {frame} {scene.anywhere()}")
            parts = [scene.call("part", name) for name in names[: self.parts]]
            for part in parts:
                scene.fact(f"lies {part} {scene.anywhere()}, fits-on {part} {frame}")
            if self.ordered:
                scene.fact(f"basic {parts[0]}")
                for one, other in pairwise(parts):
                    scene.fact(f"comes-after {one} {other} {frame}")
            for part in parts[: scene.rng.choice((0, 0, 1, len(parts) - 1))]:
                scene.unfact(f"lies {part} {scene.where(part)}")
                scene.fact(f"attached {part} {frame}")

    def offer(self, scene: Scene) -> None:
        overhead = scene.draft.actions["attach"].overhead
        for frame, spot in [w[1:] for w in scene.facts if w[0] == "mounted"]:
            parts = [w[1] for w in scene.facts if w[0] == "fits-on" and w[2] == frame]
            loose = [p for p in parts if scene.where(p)]
            costs = [scene.errand(scene.where(p), spot) + overhead for p in loose]
            for k in range(1, len(loose) + 1):
                goal = ", ".join(f"attached {p} {frame}" for p in loose[:k])
                scene.offer(goal, sum(costs[:k]), f"frame {frame}")
            if self.finish:
                scene.offer(
                    f"whole {frame}",
                    sum(costs[: max(0, 2 - len(parts) + len(loose))]) + scene.visit(spot),
                    f"frame {frame}",
                )
