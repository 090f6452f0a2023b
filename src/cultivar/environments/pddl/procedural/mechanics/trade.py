"""Trade: goods on a counter are bought with tokens, and things handed in bring tokens back.

Variants: goods cost a token each; what is handed in is for sale again, or is gone.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Trade(Mechanic):
    name = "trade"
    group = "extra"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.resale = rng.random() < 0.6

    def build(self, draft: Draft) -> None:
        draft.type("token", "token", ("brass token", "copper token", "paper token", "wooden token"))
        draft.predicate("stall", "here", "a stall ~stand in the {here}", "stall-in|shop-in|trades-in")
        draft.predicate("priced", "item here", "the {item} ~be for sale in the {here}", "for-sale|on-offer-in")
        draft.predicate("owns", "who token", "{who} ~have the {token}", "owns|has-token")
        draft.predicate("till", "token", "the {token} ~be in the till", "in-till|banked")
        buy = draft.action(
            "buy",
            "buy|purchase|redeem",
            "who item token here",
            "at who here, stall here, priced item here, owns who token",
            "not priced item here, not owns who token, till token",
            "{who} ~verb the {item} for the {token} in the {here}",
        )
        draft.take(buy, "item")
        sell = draft.action(
            "sell",
            "sell|trade in|pawn",
            "who item token here",
            "at who here, stall here, till token",
            "not till token, owns who token" + (", priced item here" if self.resale else ""),
            "{who} ~verb the {item} for the {token} in the {here}",
        )
        draft.release(sell, "item")
        draft.rule("Every purchase costs a token, and everything sold brings one back.")

    def furnish(self, scene: Scene) -> None:
        stall = scene.openly()
        scene.fact(f"stall {stall}")
        items = [i for i in scene.all("item") if scene.where(i)]
        for item in items[: 1 + (len(items) > 3)]:
            scene.unfact(f"lies {item} {scene.where(item)}")
            scene.fact(f"priced {item} {stall}")
        tokens = scene.several("token", 2)
        for token in tokens:
            scene.fact(f"owns {scene.crew[0]} {token}" if scene.rng.random() < 0.5 else f"till {token}")
        if not any(f[0] == "owns" for f in scene.facts) and len(items) < 3:
            scene.unfact(f"till {tokens[0]}")
            scene.fact(f"owns {scene.crew[0]} {tokens[0]}")
        if all(f != ("till", t) for f in scene.facts for t in tokens):
            scene.unfact(f"owns {scene.crew[0]} {tokens[1]}")
            scene.fact(f"till {tokens[1]}")

    def offer(self, scene: Scene) -> None:
        stall = next(w[1] for w in scene.facts if w[0] == "stall")
        purse = sum(f[0] == "owns" for f in scene.facts)
        for item in [w[1] for w in scene.facts if w[0] == "priced"]:
            target = scene.anywhere(but=stall)
            cost = scene.errand(stall, target) + (0 if purse else 4)
            scene.offer(f"lies {item} {target}", cost, f"where {item}", "purse")
        for token in [w[1] for w in scene.facts if w[0] == "till"]:
            source = next((p for i in scene.all("item") if (p := scene.where(i))), stall)
            scene.offer(f"owns {scene.crew[0]} {token}", scene.errand(source, stall), "purse", *self._all(scene))

    def _all(self, scene: Scene) -> list[str]:
        return [f"where {item}" for item in scene.all("item")]
