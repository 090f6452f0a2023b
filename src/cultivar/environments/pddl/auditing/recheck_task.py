"""What is wrong with a task's plan and with its claimed difficulty, found by planning and measuring again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TypeAlias

from cultivar.core.records import EnvironmentSpec, Task
from cultivar.environments.pddl.assess import Demands, best_plan
from cultivar.environments.pddl.auditing.difficulty import measure
from cultivar.environments.pddl.environment import World
from cultivar.environments.pddl.narration.read_action import Call
from cultivar.environments.pddl.planner.search import Plan
from cultivar.environments.pddl.simulation.reference import Reference

Faults: TypeAlias = Iterator[tuple[str, str]]
"""(gate, sentence)."""

SHARES = {"random_walk_success": "random-walk", "reordered": "any-order"}
"""What is measured by chance, and its gate."""
TRIALS = 12
"""Trials behind a claimed share: walks as ``measure`` makes them, and no more orders than it tries."""
MORE = 200
"""Trials where so few leave a doubt."""
DOUBT, DISBELIEF = 0.01, 1e-6
"""The chance of a claimed share below which it is looked at again, and below which it is not believed: a run of a
million tasks may meet one such chance honestly."""
EXACT = ("plan_length", "bucket", "branching", "goals", "interactions")
"""What the plan alone determines."""


@dataclass
class Prepared:
    """A task made ready; ``trajectories`` counts those seen after it."""

    task: Task
    spec: EnvironmentSpec
    world: World
    plan: tuple[Call, ...]
    trajectories: int = 0

    @cached_property
    def executed(self) -> Plan | None:
        """The stored plan with its operators; None if a step cannot be done, or the goal is met before the end."""
        simulator = self.world.simulator
        state, operators = simulator.initial, []
        for name, args in self.plan:
            operator = simulator.find(state, name, args)
            if operator is None or simulator.is_goal(state):
                return None
            operators.append(operator)
            state = simulator.apply(state, operator)
        if not simulator.is_goal(state):
            return None
        return Plan("solved", tuple(operators), sum(op.cost for op in operators))


def plan_faults(it: Prepared, least: int) -> Faults:
    """The stored plan, executed twice: by the simulator, and by what shares no code with it."""
    ground_task = it.world.simulator.task
    reference = Reference(ground_task.domain, ground_task.problem)
    if reference.reaches_goal([]):
        yield "goal-true", "The goal holds at the start."
    if not reference.reaches_goal(it.plan):
        yield "plan-invalid", "The plan does not reach the goal."
    elif it.executed is None:
        yield "plan-invalid", "The plan reaches the goal before its end, or not in the simulator."
    if len(it.plan) < least:
        yield "plan-short", f"Its plan has {len(it.plan)} steps; the run asked for at least {least}."


def difficulty_faults(it: Prepared, most: Mapping[str, float], optimal: Counter[str]) -> Faults:
    """What ``meta["difficulty"]`` claims of a valid plan.

    ``most``: the largest share allowed, by the names in SHARES; ``optimal`` counts what became of claims of optimality.
    """
    given = it.executed
    assert given is not None
    claimed = it.task.meta["difficulty"]
    simulator = it.world.simulator
    measured = measure(simulator.task, given, random.Random(it.task.id), walks=TRIALS, simulator=simulator)
    unlike = [name for name, value in measured.to_json().items() if type(claimed.get(name)) is not type(value)]
    if unlike:
        yield "difficulty", f"Its difficulty does not say {', '.join(unlike)}, or not as measured values are written."
        return
    for name in EXACT:
        value = getattr(measured, name)
        if claimed[name] != value:
            yield "difficulty", f"It claims a {name} of {claimed[name]!r}; it is {value!r}."
    best = best_plan(simulator.task, Demands())
    if best.status == "solved" and best.cost < given.cost:
        yield "plan-not-best", f"Its plan costs {given.cost}, and planning again finds one that costs {best.cost}."
    elif not claimed["optimal"]:
        optimal["not claimed"] += 1
        if best.optimal:
            yield "difficulty", "Its plan is said not to be proved optimal; planning again proves that it is."
    else:
        optimal["confirmed" if best.optimal else "not decided"] += 1
    for name, gate in SHARES.items():
        yield from _share_faults(it, given, (name, gate), getattr(measured, name), most[name])


def _share_faults(it: Prepared, given: Plan, of: tuple[str, str], measured: float, most: float) -> Faults:
    """Other walks and orders end otherwise: a claim is a fault only if these make it next to impossible."""
    name, gate = of
    claimed = float(it.task.meta["difficulty"][name])
    if not 0 <= claimed <= most:
        yield gate, f"It claims a {name} of {claimed:.0%}; at most {most:.0%} is allowed."
    elif _chance(claimed, measured, TRIALS) < DOUBT:
        simulator = it.world.simulator
        again = measure(
            simulator.task, given, random.Random(f"{it.task.id} again"), walks=MORE, orders=MORE, simulator=simulator
        )
        share = float(getattr(again, name))
        if _chance(claimed, share, MORE) < DISBELIEF:
            found = f"It claims a {name} of {claimed:.0%}; measured again it is {share:.0%}."
            yield gate if share > most else "difficulty", found


def _chance(claimed: float, share: float, trials: int) -> float:
    """How likely TRIALS trials are to end as claimed or further out, if ``share`` of ``trials`` others succeeded."""
    p = (share * trials + 1) / (trials + 2)  # Laplace: nothing seen is not nothing there
    hits = round(claimed * TRIALS)
    chances = [comb(TRIALS, k) * p**k * (1 - p) ** (TRIALS - k) for k in range(TRIALS + 1)]
    return min(sum(chances[: hits + 1]), sum(chances[hits:]))
