"""Plans with one mistake in them: what a checker of plans must reject."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from cultivar.core.records import JSON
from cultivar.environments.pddl.narration.read_action import Call
from cultivar.environments.pddl.simulation.reference import Reference
from cultivar.environments.pddl.simulation.simulate import Simulator

Kind = Literal["dropped", "swapped", "replaced"]
MAX_TRIES = 20


@dataclass(frozen=True)
class MutationCheck:
    """Counts of mutated plans.

    ``still_solves``: the mutated plan is another solution, by the simulator and by the independent executor; it is no
    error of the checker. ``wrongly_accepted`` and ``wrongly_rejected``: the two disagree. ``by_kind`` counts
    "kind rejected" and "kind still solves".
    """

    tried: int = 0
    rejected: int = 0
    still_solves: int = 0
    wrongly_accepted: int = 0
    wrongly_rejected: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """The share of the mutated plans that are no solutions which was rejected; 1.0 if there was none."""
        wrong = self.tried - self.still_solves - self.wrongly_rejected
        return (self.rejected - self.wrongly_rejected) / wrong if wrong else 1.0

    def to_json(self) -> dict[str, JSON]:
        names = ("tried", "rejected", "still_solves", "wrongly_accepted", "wrongly_rejected", "rate", "by_kind")
        return {name: getattr(self, name) for name in names}


def mutations(simulator: Simulator, plan: Sequence[Call], rng: random.Random) -> Iterator[tuple[Kind, list[Call]]]:
    """Without end, plans that differ from ``plan`` by one step dropped, two swapped or one replaced.

    A step is replaced by another action that can be done at that point or, half of the time and where there is none,
    by the same action with other objects. Ends only where no such plan was found in ``MAX_TRIES`` draws.
    """
    states = simulator.validate(plan).states
    by_name: dict[str, list[Call]] = {}
    for op in simulator.task.operators:
        by_name.setdefault(op.name, []).append((op.name, op.args))
    failed = 0
    while plan and failed < MAX_TRIES:
        kind: Kind = rng.choice(("dropped", "swapped", "replaced"))
        mutated = list(plan)
        at = rng.randrange(len(plan))
        if kind == "dropped":
            del mutated[at]
        elif kind == "swapped":
            other = rng.randrange(len(plan))
            mutated[at], mutated[other] = mutated[other], mutated[at]
        else:
            others = [c for c in by_name.get(plan[at][0], []) if c != plan[at]]
            if at < len(states) and (rng.random() < 0.5 or not others):
                here = [(op.name, op.args) for op in simulator.applicable(states[at])]
                others = [c for c in here if c != plan[at]] or others
            if others:
                mutated[at] = rng.choice(others)
        if mutated == list(plan):
            failed += 1
            continue
        failed = 0
        yield kind, mutated


def mutation_check(simulator: Simulator, plan: Sequence[Call], rng: random.Random, n: int = 20) -> MutationCheck:
    """``n`` mutated plans, judged by ``Simulator.validate`` and by an independent execution on the lifted problem."""
    reference = Reference(simulator.task.domain, simulator.task.problem)
    count: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    for kind, mutated in islice(mutations(simulator, plan, rng), n):
        accepted = simulator.validate(mutated).reached_goal
        solves = reference.reaches_goal(mutated)
        count["tried"] += 1
        if accepted and solves:
            count["still_solves"] += 1
            by_kind[f"{kind} still solves"] += 1
        elif accepted:
            count["wrongly_accepted"] += 1
        else:
            count["rejected"] += 1
            count["wrongly_rejected"] += solves
            by_kind[f"{kind} rejected"] += 1
    return MutationCheck(**count, by_kind=dict(sorted(by_kind.items())))
