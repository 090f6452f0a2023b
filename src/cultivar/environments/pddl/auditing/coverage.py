"""Which actions are really applicable somewhere: seen in a state that was reached, never inferred."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from cultivar.environments.pddl.planner.search import Plan, plan
from cultivar.environments.pddl.simulation.simulate import Simulator

Look = Callable[[int], list[int]]


def witness(
    simulator: Simulator,
    wanted: AbstractSet[str],
    rng: random.Random,
    *,
    steps: Sequence[tuple[str, tuple[str, ...]]] = (),
    walks: int = 3,
    walk_steps: int = 40,
    states: int = 200,
    searches: int = 2,
    max_expansions: int = 2000,
) -> set[str]:
    """Those of the ``wanted`` action names that are applicable in some reachable state of one task.

    Looked at, until all are found: the states of a plan, random walks, the first ``states`` states of a breadth-first
    search, and for every action still missing ``searches`` plans (of at most ``max_expansions`` expansions) to the
    precondition of one of its ground actions. An action that is not found may still be applicable further away; one
    of which the task has no operator is proved never to be.
    """
    missing = set(wanted) & {op.name for op in simulator.task.operators}
    found: set[str] = set()

    def look(state: int) -> list[int]:
        pairs = simulator.successors(state)
        found.update(op.name for op, _ in pairs if op.name in missing)
        missing.difference_update(found)
        return [after for _, after in pairs]

    state = simulator.initial
    look(state)
    for name, args in steps:
        op = simulator.find(state, name, args)
        if op is None or not missing:
            break
        state = simulator.apply(state, op)
        look(state)
    for _ in range(walks):
        state = simulator.initial
        for _ in range(walk_steps):
            after = look(state) if missing else []
            if not after:
                break
            state = rng.choice(after)
    _breadth_first(simulator, look, missing, states)
    for name in sorted(missing):
        if _plan_to(simulator, name, rng, searches, max_expansions):
            found.add(name)
    return found


def _breadth_first(simulator: Simulator, look: Look, missing: set[str], states: int) -> None:
    seen, layer = {simulator.initial}, [simulator.initial]
    while layer and missing and states > 0:
        ahead: list[int] = []
        for state in layer[:states]:
            for after in look(state):
                if after not in seen:
                    seen.add(after)
                    ahead.append(after)
        states -= len(layer)
        layer = ahead


def _plan_to(simulator: Simulator, name: str, rng: random.Random, searches: int, max_expansions: int) -> bool:
    task = simulator.task
    operators = [op for op in task.operators if op.name == name]
    for op in rng.sample(operators, min(searches, len(operators))):
        changed = replace(task, need=op.need, forbid=op.forbid, unreachable_goal=False)
        found: Plan = plan(changed, max_expansions=max_expansions)
        if found.status == "solved":
            return True
    return False
