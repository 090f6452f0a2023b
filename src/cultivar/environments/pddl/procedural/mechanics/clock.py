"""The hour: some work can be done only at its time of day, and time passes by waiting.

Variants: the day starts over after the evening, or ends with it (a dead end); work itself takes time.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Clock(Mechanic):
    name = "clock"
    group = "modifier"
    after = ("work", "fit")

    def __init__(self, rng: random.Random) -> None:
        self.hours = rng.choice((("morning", "noon", "evening"), ("dawn", "midday", "dusk", "midnight")))
        self.takes = rng.random() < 0.35
        self.ends = not self.takes and rng.random() < 0.25

    def build(self, draft: Draft) -> None:
        draft.type("hour", "hour", self.hours)
        draft.predicate("now", "hour", "it ~be {hour}", "now|current-hour|clock-shows")
        draft.predicate("passes", "hour hour2", "after {hour} ~come {hour2}", "followed-by|then|passes-to")
        work = draft.some(draft.of_kind("work", "fit"))
        self.kinds: list[str] = []
        for action in work:
            role = f"fit-{action.role}"
            name = action.name.replace("-", " ")
            draft.predicate(
                role, "hour", f"the hour to {name} ~be {{hour}}", f"{action.name}-hour|time-to-{action.name}"
            )
            action.extend("hour", " at {hour}")
            action.require(f"now hour, {role} hour")
            action.overhead += 1.2
            self.kinds.append(role)
            if self.takes:
                action.extend("hour2:hour", ", which takes until {hour2}")
                action.require("passes hour hour2")
                action.cause("not now hour, now hour2")
        draft.action(
            "wait",
            "wait|rest|pause",
            "who hour hour2:hour here",
            "at who here, now hour, passes hour hour2",
            "not now hour, now hour2",
            "{who} ~verb in the {here} from {hour} until {hour2}",
        )
        draft.rule(f"{{you}} can {draft.deeds(work)} only at the hour that is set for it.")
        if self.ends:
            draft.rule(f"After {self.hours[-1]}, time does not start over.")

    def furnish(self, scene: Scene) -> None:
        hours = scene.ordered("hour", len(self.hours))
        for hour, later in zip(hours, hours[1:] if self.ends else [*hours[1:], hours[0]]):
            scene.fact(f"passes {hour} {later}")
        scene.fact(f"now {hours[0] if self.ends else scene.rng.choice(hours)}")
        for kind in self.kinds:
            late = hours[-1] if self.ends else scene.rng.choice(hours)
            scene.fact(f"{kind} {late}")

    def offer(self, scene: Scene) -> None:
        """Time is no goal."""
