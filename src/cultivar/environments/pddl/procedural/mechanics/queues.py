"""A queue at a counter: clients are served in turn, each with what is asked for.

Variants: each client wants something of their own, or takes anything; a client can be passed over, and then waits in
vain; clients are greeted first.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene

TURNS = ("first", "second", "third", "fourth", "fifth")


class Queues(Mechanic):
    name = "queues"
    group = "work"
    needs = ("travel", "carrying")
    clashes = ("escort",)

    def __init__(self, rng: random.Random) -> None:
        self.particular = rng.random() < 0.7
        self.skip = rng.random() < 0.5
        self.greet = rng.random() < 0.4

    def build(self, draft: Draft) -> None:
        draft.type("client", draft.theme.client, draft.theme.clients)
        draft.type("turn", "rank", TURNS)
        draft.predicate("counter", "here", "the counter ~be in the {here}", "counter-in|serves-in")
        draft.predicate("turn-of", "client turn", "the {client} ~be {turn} in line", "in-line|turn-of")
        draft.predicate(
            "after-turn", "turn turn2", "the {turn2} in line ~come after the {turn}", "next-turn|then-comes"
        )
        draft.predicate("now-serving", "turn", "the {turn} in line ~be next", "now-serving|called-up")
        draft.predicate("served", "client", "the {client} ~be served", "served|attended-to")
        serve = draft.action(
            "serve",
            "hand over|give|pass",
            "who client item turn turn2 here",
            "at who here, counter here, now-serving turn, turn-of client turn, after-turn turn turn2",
            "not now-serving turn, now-serving turn2, served client",
            "{who} ~verb the {item} to the {client} in the {here}, moving the line up from {turn} to {turn2}",
        )
        draft.release(serve, "item")
        draft.rule("The line moves up by one with every {client} who is served, and nobody is served out of turn.")
        if self.particular:
            draft.predicate("wants", "client item", "the {client} ~wait for the {item}", "waits-for|awaits|expects")
            serve.require("wants client item")
        if self.greet:
            draft.predicate("greeted", "client", "the {client} ~be greeted", "greeted|welcomed")
            serve.require("greeted client")
            serve.cause("not greeted client")
            draft.action(
                "greet",
                "greet|welcome",
                "who client turn here",
                "at who here, counter here, now-serving turn, turn-of client turn, not greeted client",
                "greeted client",
                "{who} ~verb the {client}, who is {turn} in line, in the {here}",
            )
        if self.skip:
            draft.action(
                "skip",
                "pass over|skip",
                "who client turn turn2 here",
                "at who here, counter here, now-serving turn, turn-of client turn, after-turn turn turn2",
                "not now-serving turn, now-serving turn2",
                "{who} ~verb the {client} in the {here}, moving the line up from {turn} to {turn2}",
            )
            draft.rule("A {client} who has been passed over is not called again.")

    def furnish(self, scene: Scene) -> None:
        items = scene.all("item")
        count = min(len(items) - 1, scene.count(1, 3))
        turns = scene.ordered("turn", count + 1)
        scene.fact(f"counter {scene.openly()}, now-serving {turns[0]}")
        clients = scene.several("client", count)
        for i, client in enumerate(clients):
            scene.fact(f"turn-of {client} {turns[i]}, after-turn {turns[i]} {turns[i + 1]}")
            if self.particular:
                scene.fact(f"wants {client} {items[i]}")

    def offer(self, scene: Scene) -> None:
        counter = next(w[1] for w in scene.facts if w[0] == "counter")
        wanted = [w[2] for w in scene.facts if w[0] == "wants"]
        items = wanted or scene.all("item")
        clients = scene.all("client")
        costs = [scene.errand(scene.where(i) or counter, counter) + self.greet for i in items]
        for k, client in enumerate(clients):
            claims = [f"where {i}" for i in (items[: k + 1] if wanted else items)]
            goal = ", ".join(f"served {c}" for c in clients[: k + 1])
            scene.offer(goal, sum(costs[: k + 1]), "queue", *claims)
            if self.skip:
                scene.offer(f"served {client}", costs[k] + k, "queue", *claims)
