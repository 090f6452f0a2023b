"""Bi-Evol without a model: a task made easier, harder or moved sideways, and planned before it is given out.

AgentGen (arXiv 2408.00764, section 3.3) asks a model to rewrite a problem in one of three directions. Here each
direction is a handful of operators on the grounded task, which work for every domain:

    easier    start further along the plan; stop at what the plan has achieved half-way; fewer goals; fewer objects
    harder    more goals, goals that lie far off; a start that is further away; one object more
    sideways  another start; other goals of the same predicates; the goal carried by other objects

What is new about a task is always a state that was reached, so that goals taken from it hold together; the planner
decides whether the result is solvable and how long its plan is. Goals are few positive facts that actions add, of the
predicates that the seed's goal speaks of (else of those that only end chains of actions).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES, BUCKETS
from cultivar.environments.pddl.evolution.curve import Direction
from cultivar.environments.pddl.evolution.evolve_bench import Bench, Evolved, Planner, Range
from cultivar.environments.pddl.evolution.resize import (
    clone_group,
    moved,
    removable,
    together,
    with_clones,
    without_objects,
)
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.model import And, Atom, Domain, Problem
from cultivar.environments.pddl.planner.search import Plan, plan

Grow = Callable[[random.Random, int], Problem]
Operator = Callable[[Bench, Range], Evolved | None]

MOST_GOALS = 10


def evolve(
    domain: Domain,
    problem: Problem,
    direction: Direction,
    rng: random.Random,
    *,
    target: str | None = None,
    grow: Grow | None = None,
    solved: tuple[GroundTask, Plan] | None = None,
    planner: Planner | None = None,
    max_plans: int = 20,
    min_plan: int = 3,
) -> Evolved | None:
    """A new problem in one direction, with its grounded task and a plan that replays; None if none was found.

    ``target`` names the bucket of plan length wanted; without it, easier and harder mean a shorter and a longer plan
    than the seed's, and sideways one of about the same length. ``grow(rng, size)`` draws a problem whose best plan lies
    in about the size-th bucket, 1 to 6, where the domain has a sampler; harder falls back on it, else on clones.
    ``solved`` saves grounding and planning the seed again. ``planner`` says what counts as the best plan known and how
    long to look for it: the planner within 3,000 expansions unless told otherwise; it is asked ``max_plans`` times at
    most. The same ``rng`` state gives the same result if the planner is deterministic.
    """
    bench = Bench.of(domain, problem, rng, solved, max_plans, planner or _plan)
    if bench is None:
        return None
    wanted = _range(direction, len(bench.plan), target, min_plan)
    operators = list(OPERATORS[direction])
    rng.shuffle(operators)
    operators.sort(key=lambda operator: operator is start_later)  # its plan is the end of the seed's: the last resort
    if direction == "harder":
        share = 3 if wanted.low >= 2 * len(bench.plan) else 2  # a seed this small has to grow anyway
        bench.plans_left, reserve = bench.plans_left // share, bench.plans_left - bench.plans_left // share
    for operator in operators:
        found = operator(bench, wanted)
        if found is not None:
            return found
    if direction == "harder":
        bench.plans_left += reserve
        return _enlarged(bench, wanted, grow)
    return None


def _plan(task: GroundTask) -> Plan:
    return plan(task, max_expansions=3000)


def _range(direction: Direction, length: int, target: str | None, least: int) -> Range:
    if target is not None:
        low, high = BUCKETS[BUCKET_NAMES.index(target)]
        return Range(max(low, least), high)
    match direction:
        case "easier":
            return Range(least, length - 1)
        case "harder":
            return Range(max(least, length + 1), None)
        case "sideways":
            return Range(max(least, round(length * 0.7)), max(length + 2, round(length * 1.3)))


# Easier.


def start_later(bench: Bench, wanted: Range) -> Evolved | None:
    """The initial state is one that the plan passes through."""
    lengths = wanted.within(1, len(bench.plan) - 1)
    while lengths and bench.plans_left:
        length = lengths.pop(bench.rng.randrange(len(lengths)))
        state = bench.states[len(bench.plan) - length]
        rest = bench.plan.operators[-length:]
        known = replace(bench.plan, operators=rest, cost=sum(op.cost for op in rest))
        found = bench.attempt("start-later", wanted, start=state, known=known)
        if found is not None:
            return found
    return None


def stop_earlier(bench: Bench, wanted: Range) -> Evolved | None:
    """The goal is something that the plan has achieved after a part of its steps."""
    for step in bench.shuffled(wanted.within(1, len(bench.plan) - 1))[:3]:
        new = bench.new_goals(bench.states[step], since=bench.states[step - 1])
        old = bench.new_goals(bench.states[step])
        if new:
            goals = [bench.rng.choice(new)]
            goals += [g for g in bench.shuffled(old) if g not in goals][: bench.rng.randint(0, 2)]
            found = bench.attempt("stop-earlier", wanted, goals=goals)
            if found is not None:
                return found
    return None


def fewer_goals(bench: Bench, wanted: Range) -> Evolved | None:
    goals = bench.shuffled(bench.goals)
    while len(goals) > 1 and bench.plans_left:
        goals.pop()
        found = bench.attempt("fewer-goals", wanted, goals=goals)
        if found is not None:
            return found
    return None


def fewer_objects(bench: Bench, wanted: Range) -> Evolved | None:
    """Objects that neither the plan nor the goal touches go; the plan stays, what distracts from it does not."""
    if not bench.goals:
        return None
    touched = {name for op in bench.plan.operators for name in op.args}
    touched |= {name for goal in bench.goals for name in goal.args}
    names = removable(bench.problem, touched, bench.rng)
    return bench.rebuilt("fewer-objects", without_objects(bench.problem, names), wanted) if names else None


# Harder.


def more_goals(bench: Bench, wanted: Range) -> Evolved | None:
    """Goals are added to those of the seed, as long as some reached state has all of them."""
    ends = [s for s in bench.far_states() if bench.simulator.is_goal(s)]
    if not bench.goals or not ends:
        return None
    end = max(ends, key=lambda s: len(bench.new_goals(s)))
    return _conjoin(bench, wanted, "more-goals", list(bench.goals), bench.new_goals(end), bench.initial)


def far_goals(bench: Bench, wanted: Range) -> Evolved | None:
    """Goals are taken from a state far from the start, one after the other until the plan is long enough."""
    for end in bench.far_states()[:3]:
        found = _conjoin(bench, wanted, "far-goals", [], bench.new_goals(end), bench.initial)
        if found is not None:
            return found
    return None


def any_goals(bench: Bench, wanted: Range) -> Evolved | None:
    """Goals are any facts that seem to go together; whether they can all be reached is for the planner to say."""
    pool = [f for f in bench.task.facts if f.predicate in bench.predicates and not bench.task.bit[f] & bench.initial]
    return _conjoin(bench, wanted, "any-goals", [], bench.shuffled(pool)[:24], bench.initial)


def start_elsewhere(bench: Bench, wanted: Range) -> Evolved | None:
    """The initial state is one that walks from the old one end in; the goal stays."""
    for state in bench.far_states()[:4]:
        found = bench.attempt("start-elsewhere", wanted, start=state)
        if found is not None:
            return found
    return None


def both_elsewhere(bench: Bench, wanted: Range) -> Evolved | None:
    """Start and goals are taken from two ends of walks, the second begun where the first ended."""
    for start in bench.far_states()[:2]:
        for end in bench.far_states(start)[:2]:
            goals = bench.new_goals(end, since=start)
            found = _conjoin(bench, wanted, "both-elsewhere", [], goals, start)
            if found is not None:
                return found
    return None


def _conjoin(
    bench: Bench, wanted: Range, operator: str, goals: list[Atom], pool: list[Atom], start: int
) -> Evolved | None:
    """Adds goals from ``pool`` to ``goals`` until the plan is long enough; what makes it too long is left out."""
    pool = bench.far_first([g for g in pool if g not in goals])
    while pool and bench.plans_left and len(goals) < MOST_GOALS:
        more = [*goals, pool.pop(0)]
        likely = bench.predict(start, more) if together(more, bench.exclusive()) else None
        if likely is None or wanted.below(round(likely / 1.2)):
            continue
        if likely < wanted.low and pool:
            goals = more
            continue
        found = bench.search(start, more)
        if found is None or wanted.below(len(found)):
            continue
        goals = more
        if len(found) in wanted:
            return bench.finish(operator, start, goals, found)
    return None


def _enlarged(bench: Bench, wanted: Range, grow: Grow | None) -> Evolved | None:
    """Larger problems: drawn by the sampler if there is one, else with objects cloned; then the operators again."""
    for step in range(4):
        larger = _drawn(bench, wanted, step, grow) if grow is not None else _cloned(bench, wanted)
        if larger is None:
            return None
        inner = Bench.of(bench.domain, larger, bench.rng, None, bench.plans_left, bench.planner)
        bench.plans_left -= 1
        if inner is None:
            continue
        if len(inner.plan) in wanted:
            return inner.finish("larger", inner.initial, None, inner.plan)
        for operator in (fewer_goals,) if wanted.below(len(inner.plan)) else (more_goals, both_elsewhere):
            found = operator(inner, wanted)
            if found is not None:
                return replace(found, operator=f"larger, {found.operator}")
        bench.plans_left = inner.plans_left
        if bench.plans_left <= 0:
            return None
        if grow is None and not wanted.below(len(inner.plan)):
            bench = inner
    return None


def _drawn(bench: Bench, wanted: Range, step: int, grow: Grow) -> Problem:
    size = 1 + next(i for i, (_, high) in enumerate(BUCKETS) if high is None or wanted.low <= high)
    return grow(bench.rng, min(size + step // 2, len(BUCKETS)))


def _cloned(bench: Bench, wanted: Range) -> Problem | None:
    """Objects are cloned, those of the goal rather than others, and a clone inherits what the goal asks of it."""
    problem, exclusive = bench.problem, bench.exclusive()
    goals = list(bench.goals)
    most = len(problem.objects) + (1 if wanted.low < 2 * len(bench.plan) else 2)
    while len(problem.objects) < most:
        in_goal = {name for goal in goals for name in goal.args}
        groups = [clone_group(problem, o.name, exclusive) for o in problem.objects]
        groups = [g for g in groups if g and g[0] in in_goal] or [g for g in groups if g]
        if not groups:
            break
        problem, copies = with_clones(problem, bench.rng.choice(groups))
        inherited = [moved(g, copies) for g in goals if copies.keys() & set(g.args)]
        for goal in inherited[: MOST_GOALS - len(goals)]:
            if together([*goals, goal], exclusive):
                goals.append(goal)
    if problem is bench.problem:
        return None
    return replace(problem, goal=And(tuple(goals))) if len(goals) > len(bench.goals) else problem


# Sideways.


def other_goals(bench: Bench, wanted: Range) -> Evolved | None:
    """As many goals as before, taken from another state that was reached."""
    for end in bench.shuffled(bench.far_states())[:4]:
        pool = bench.shuffled(bench.new_goals(end))[: max(1, len(bench.goals))]
        if pool and set(pool) != set(bench.goals):
            found = bench.attempt("other-goals", wanted, goals=pool)
            if found is not None:
                return found
    return None


def other_carriers(bench: Bench, wanted: Range) -> Evolved | None:
    """The objects of the goal change places with others of their types."""
    by_type: dict[tuple[str, ...], list[str]] = {}
    for thing in bench.problem.objects:
        by_type.setdefault(thing.types, []).append(thing.name)
    for _ in range(3):
        names = {old: new for group in by_type.values() for old, new in zip(group, bench.shuffled(group))}
        goals = [moved(g, names) for g in bench.goals]
        reached = all(g in bench.task.bit for g in goals) and together(goals, bench.exclusive())
        if goals and reached and set(goals) != set(bench.goals):
            found = bench.attempt("other-carriers", wanted, goals=goals)
            if found is not None:
                return found
    return None


OPERATORS: dict[Direction, Sequence[Operator]] = {
    "easier": (start_later, stop_earlier, fewer_goals, fewer_objects),
    "harder": (more_goals, far_goals, any_goals, start_elsewhere, both_elsewhere),
    "sideways": (start_elsewhere, both_elsewhere, other_goals, other_carriers),
}
