"""Moving on a graph of places.

Variants: plain; every visit is recorded, so that rounds can be asked for; a place holds one worker at a time (crews).
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene
from cultivar.environments.pddl.procedural.wording import with_article

VERBS = "walk|go|cross over|head over|move"


class Travel(Mechanic):
    name = "travel"
    group = "base"

    def __init__(self, rng: random.Random) -> None:
        self.rounds = rng.random() < 0.2
        self.narrow = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        theme = draft.theme
        self.narrow = self.narrow and not draft.solo and draft.mechanics.isdisjoint(("teamwork", "vehicles"))
        draft.type("place", theme.place, theme.places)
        if not draft.solo:
            draft.type("worker", theme.worker, theme.workers)
        draft.predicate("at", "who here", "{who} ~be in the {here}", "at|present-in|stands-in")
        draft.predicate(
            "link",
            "here there",
            f"{with_article(theme.way)} ~lead from the {{here}} to the {{there}}",
            "linked|connected|leads-to",
        )
        move = draft.action(
            "move",
            VERBS,
            "who here there",
            "at who here, link here there",
            "not at who here, at who there",
            "{who} ~verb from the {here} to the {there}",
            "move",
        )
        if self.rounds:
            draft.predicate("visited", "here", "the {here} ~be visited", "visited|looked-at|on-record")
        if self.narrow:
            draft.predicate("crowded", "here", "the {here} ~be occupied", "occupied|crowded")
            move.require("not crowded there")
            move.cause("not crowded here, crowded there")
            draft.rule("A {place} has room for one {worker} at a time.")
        draft.rule("{you} can only go from one {place} to another where a way leads there.")

    def conclude(self, draft: Draft) -> None:
        """A place is visited by whatever way one comes into it."""
        if self.rounds:
            for action in draft.actions.values():
                for effect in [e for e in action.effects if e.wanted and e.words[0] == "at"]:
                    action.cause(f"visited {effect.words[2]}")

    def lay_out(self, scene: Scene) -> None:
        count = 3 + self.narrow + (scene.size >= 3) + (scene.size >= 5)
        scene.places = scene.several("place", count)
        scene.open = list(scene.places)
        scene.walkable = list(scene.places)
        scene.plain = list(scene.places)
        for i, place in enumerate(scene.places[1:], 1):
            scene.link(scene.places[i - 1] if self.narrow else scene.rng.choice(scene.places[max(0, i - 2) : i]), place)
        if self.narrow:  # in a ring, workers can get out of each other's way
            scene.link(scene.places[-1], scene.places[0])
        if not scene.draft.solo:
            scene.crew = scene.several("worker", 2)
        homes = scene.rng.sample(scene.open, len(scene.crew))
        for who, home in zip(scene.crew, homes):
            scene.start[who] = home
            scene.fact(f"at {who} {home}")
            if self.rounds:
                scene.fact(f"visited {home}")
            if self.narrow:
                scene.fact(f"crowded {home}")

    def offer(self, scene: Scene) -> None:
        who = scene.crew[-1]
        for place in scene.places:
            if place in scene.plain and place not in scene.start.values():
                cost = scene.distance(scene.start[who], place)
                if not self.narrow:
                    scene.offer(f"at {who} {place}", cost, f"where {who}", f"in {place}", f"visit {place}")
                if self.rounds:
                    scene.offer(f"visited {place}", cost, f"visit {place}")
