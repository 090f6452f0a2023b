"""Containers that stand in places: things are put in and taken out.

Variants: with a lid to be opened and closed, which may take free hands; with room for one thing or for any number; a
lid that, once sealed, stays closed (a dead end).
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Containers(Mechanic):
    name = "containers"
    group = "work"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.lid = rng.choice(("none", "lid", "lid", "seal"))
        self.single = rng.random() < 0.4
        self.bare = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        draft.type("box", draft.theme.container, draft.theme.containers)
        draft.predicate("stands", "box here", "the {box} ~stand in the {here}", "stands-in|placed-in|set-up-in")
        draft.predicate("inside", "item box", "the {item} ~be inside the {box}", "inside|packed-in|contained-in")
        insert = draft.action(
            "insert",
            "put|place|stow|pack",
            "who item box here",
            "at who here, stands box here",
            "inside item box",
            "{who} ~verb the {item} into the {box} in the {here}",
            "handle",
        )
        draft.release(insert, "item")
        extract = draft.action(
            "extract",
            "take|remove|pull|draw",
            "who item box here",
            "at who here, stands box here, inside item box",
            "not inside item box",
            "{who} ~verb the {item} out of the {box} in the {here}",
            "handle",
        )
        draft.take(extract, "item")
        if self.single:
            draft.predicate("vacant", "box", "the {box} ~be empty", "vacant|unfilled|has-room")
            insert.require("vacant box")
            insert.cause("not vacant box")
            extract.cause("vacant box")
            draft.rule("A {box} has room for one {item} only.")
        if self.lid != "none":
            self._lid(draft)

    def _lid(self, draft: Draft) -> None:
        draft.predicate("shut", "box", "the {box} ~be closed", "closed|shut|lid-on")
        for role in ("insert", "extract"):
            draft.actions[role].require("not shut box")
        draft.rule("Nothing can be put into or taken out of a closed {box}.")
        lid = [
            draft.action(
                "close",
                "seal|nail shut" if self.lid == "seal" else "close|shut",
                "who box here",
                "at who here, stands box here, not shut box",
                "shut box",
                "{who} ~verb the {box} in the {here}",
            )
        ]
        if self.lid == "lid":
            lid.append(
                draft.action(
                    "open",
                    "open|uncover",
                    "who box here",
                    "at who here, stands box here, shut box",
                    "not shut box",
                    "{who} ~verb the {box} in the {here}",
                    "open",
                )
            )
        else:
            draft.rule("A {box} that has been closed cannot be opened again.")
        if self.bare and "free" in draft.predicates:
            for action in lid:
                action.require("free who")

    def furnish(self, scene: Scene) -> None:
        for box in scene.several("box", 1 + (scene.size >= 4)):
            scene.fact(f"stands {box} {scene.anywhere()}")
            if self.single:
                scene.fact(f"vacant {box}")
            if self.lid == "lid" and scene.rng.random() < 0.7:
                scene.fact(f"shut {box}")
        items = scene.all("item")
        box = scene.all("box")[0]
        if len(items) > 2 and self.lid != "seal" and scene.rng.random() < 0.5:
            item = items[-1]
            scene.unfact(f"lies {item} {scene.where(item)}")
            scene.fact(f"inside {item} {box}")
            scene.unfact(f"vacant {box}")

    def offer(self, scene: Scene) -> None:
        at = {w[1]: w[2] for w in scene.facts if w[0] == "stands"}
        for box in scene.all("box"):
            for item in scene.all("item"):
                if not (source := scene.where(item)):
                    continue
                lid = "" if self.lid == "none" else f", shut {box}"
                extra = (1 + (self.lid == "lid")) if lid else 0
                claims = [f"where {item}", *([f"room {box}"] if self.single else [])]
                scene.offer(f"inside {item} {box}{lid}", scene.errand(source, at[box]) + extra, *claims)
        for item, box in [w[1:] for w in scene.facts if w[0] == "inside"]:
            target = scene.anywhere(but=at[box])
            scene.offer(f"lies {item} {target}", scene.errand(at[box], target) + 1, f"where {item}")
