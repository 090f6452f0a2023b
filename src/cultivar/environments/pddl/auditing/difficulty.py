"""How hard a task is, measured: by its plan and random orders of it, by the search that found it, by random walks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from cultivar.core.records import JSON
from cultivar.environments.pddl.grounded import GroundTask, Operator
from cultivar.environments.pddl.planner.search import Plan
from cultivar.environments.pddl.simulation.simulate import Simulator

BUCKETS: tuple[tuple[int, int | None], ...] = ((3, 4), (5, 6), (7, 9), (10, 13), (14, 19), (20, None))
"""Classes of best known plan length, both ends included."""

BUCKET_NAMES = tuple(f"{low}+" if high is None else f"{low}-{high}" for low, high in BUCKETS)


def bucket(length: int) -> str | None:
    """The class of a plan length, ``"3-4"`` to ``"20+"``; None below three steps."""
    for (low, high), name in zip(BUCKETS, BUCKET_NAMES):
        if length >= low and (high is None or length <= high):
            return name
    return None


@dataclass(frozen=True, slots=True)
class Difficulty:
    """``plan_length`` in steps. ``optimal``: the planner proved that no plan costs less.

    ``expanded``: states that the search expanded. ``branching``: mean number of applicable actions in the states of
    the plan. ``random_walk_success``: share of uniform random walks of 2 x plan length + 6 steps that meet the goal.
    ``dead_ends``: share of those walks after which the goal is proved out of reach (no action is applicable, or the
    goal is unreachable even without deletes, or all states from there were looked at): a lower bound; None if no walk
    was made. ``goals``: top-level goal conjuncts. ``interactions``: how often along the plan a goal literal that holds
    stops holding, that is, how often a goal must be given up for another. ``reordered``: share of random orders of the
    plan that are plans too, 1 for a checklist.
    """

    plan_length: int
    optimal: bool
    expanded: int
    branching: float
    dead_ends: float | None
    random_walk_success: float
    goals: int
    interactions: int
    bucket: str | None
    reordered: float = 0.0

    def to_json(self) -> dict[str, JSON]:
        return asdict(self)


def measure(
    task: GroundTask,
    plan: Plan,
    rng: random.Random,
    *,
    walks: int = 12,
    orders: int = 20,
    simulator: Simulator | None = None,
    look_ahead: int = 60,
) -> Difficulty:
    """Measures a solved task. ``look_ahead``: states expanded, over all walks, to prove dead ends by exhaustion.

    Raises ValueError if the plan is not a solution's.
    """
    if plan.status != "solved":
        raise ValueError(f"only a solved task can be measured, this one is {plan.status!r}")
    simulator = simulator or Simulator(task)
    walker = _Walker(simulator, look_ahead)
    states = [simulator.initial]
    for op in plan.operators:
        states.append(simulator.apply(states[-1], op))
    open_states = states[:-1] or states
    hits = dead = 0
    for _ in range(walks):
        end = walker.walk(2 * len(plan.operators) + 6, rng)
        if simulator.is_goal(end):
            hits += 1
        elif walker.dead(end):
            dead += 1
    return Difficulty(
        plan_length=len(plan.operators),
        optimal=plan.optimal,
        expanded=plan.expanded,
        branching=round(sum(len(walker.applicable(s)) for s in open_states) / len(open_states), 3),
        dead_ends=round(dead / walks, 4) if walks else None,
        random_walk_success=round(hits / walks, 4) if walks else 0.0,
        goals=len(simulator.goals()),
        interactions=_interactions(task, states),
        bucket=bucket(len(plan.operators)),
        reordered=reordered(simulator, plan.operators, rng, orders),
    )


def reordered(simulator: Simulator, steps: Sequence[Operator], rng: random.Random, orders: int) -> float:
    """The share of random orders of a plan, its own left out, that are plans too; 1 if it has no other order.

    It is measured on the one plan that was found, and only as a whole: pairs of steps that must follow each other, each
    pair independent of the others, give a small share.
    """
    order, tried, good = list(steps), 0, 0
    own = [(op.name, op.args) for op in steps]
    for _ in range(orders):
        rng.shuffle(order)
        calls = [(op.name, op.args) for op in order]
        if calls != own:
            tried += 1
            good += _reaches_goal(simulator, calls)
    return round(good / tried, 4) if tried else 1.0


def _reaches_goal(simulator: Simulator, calls: Sequence[tuple[str, tuple[str, ...]]]) -> bool:
    state = simulator.initial
    for name, args in calls:
        op = simulator.find(state, name, args)
        if op is None:
            return False
        state = simulator.apply(state, op)
    return simulator.is_goal(state)


def _interactions(task: GroundTask, states: list[int]) -> int:
    lost = 0
    for before, after in pairwise(states):
        lost += (task.need & before & ~after).bit_count() + (task.forbid & ~before & after).bit_count()
    return lost


class _Walker:
    """Random walks that look up what is applicable in a state once."""

    def __init__(self, simulator: Simulator, look_ahead: int) -> None:
        self.simulator = simulator
        self.look_ahead = look_ahead
        self._applicable: dict[int, list[Operator]] = {}
        self._dead: dict[int, bool] = {}

    def applicable(self, state: int) -> list[Operator]:
        found = self._applicable.get(state)
        if found is None:
            found = self._applicable[state] = self.simulator.applicable(state)
        return found

    def walk(self, steps: int, rng: random.Random) -> int:
        """The state in which a walk from the start meets the goal, is stuck, or has made its steps."""
        simulator, state = self.simulator, self.simulator.initial
        for _ in range(steps):
            if simulator.is_goal(state):
                break
            operators = self.applicable(state)
            if not operators:
                break
            state = simulator.apply(state, operators[int(rng.random() * len(operators))])
        return state

    def dead(self, state: int) -> bool:
        found = self._dead.get(state)
        if found is None:
            found = self._dead[state] = (
                not self.applicable(state) or not relaxed_solvable(self.simulator.task, state) or self._exhausted(state)
            )
        return found

    def _exhausted(self, state: int) -> bool:
        """Whether the states from here on are few enough to see all of them, and none is a goal."""
        seen, todo = {state}, [state]
        while todo:
            if self.look_ahead <= 0:
                return False
            self.look_ahead -= 1
            here = todo.pop()
            for op in self.applicable(here):
                after = self.simulator.apply(here, op)
                if after not in seen:
                    if self.simulator.is_goal(after):
                        return False
                    seen.add(after)
                    todo.append(after)
        return True


def relaxed_solvable(task: GroundTask, state: int) -> bool:
    """Whether the goal can be reached from a state if what was true stays true and what was false stays false.

    False proves that it cannot be reached. Derived facts count as possibly false throughout. Source: the delete
    relaxation of Bonet and Geffner, Planning as heuristic search, 2001, with negative literals kept apart.
    """
    derived = 0
    for layer in task.axioms:
        for axiom in layer:
            derived |= axiom.head
    everything = (1 << len(task.facts)) - 1
    true, false = state, (everything & ~state) | derived
    pending = [(op.need, op.forbid, op.add, op.delete) for op in task.operators]
    for op in task.operators:
        pending += [(op.need | c.need, op.forbid | c.forbid, c.add, c.delete) for c in op.conditional]
    pending += [(axiom.need, axiom.forbid, axiom.head, 0) for layer in task.axioms for axiom in layer]
    while True:
        if not task.need & ~true and not task.forbid & ~false:
            return True
        waiting = []
        before = (true, false)
        for rule in pending:
            need, forbid, add, delete = rule
            if need & ~true or forbid & ~false:
                waiting.append(rule)
            else:
                true |= add
                false |= delete
        if (true, false) == before:
            return False
        pending = waiting
