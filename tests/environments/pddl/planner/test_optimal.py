"""Bounds never overestimate, cheapest plans are cheapest, improved plans hold."""

from __future__ import annotations

import dataclasses
import random

from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.planner.effort import Effort
from cultivar.environments.pddl.planner.greedy import Search
from cultivar.environments.pddl.planner.heuristics import RelaxedPlans
from cultivar.environments.pddl.planner.improve import improve, strike
from cultivar.environments.pddl.planner.lmcut import LandmarkCut
from cultivar.environments.pddl.planner.normal import Move, NormalTask
from cultivar.environments.pddl.planner.optimal import astar, uniform_cost
from cultivar.environments.pddl.planner.successors import Successors
from tests.environments.pddl.ground_tasks import blocks, cheapest_cost, is_goal, logistics, random_task, replay, step

seeds = st.integers(0, 2**32 - 1)


def run(search: Search) -> list[Move] | None:
    while True:
        try:
            next(search)
        except StopIteration as end:
            found: list[Move] | None = end.value
            return found


def cost(moves: list[Move] | None) -> int | None:
    return None if moves is None else sum(m.cost for m in moves)


@given(seeds)
def test_both_optimal_searches_find_the_cheapest(seed: int) -> None:
    task = random_task(seed)
    normal = NormalTask(task)
    truth = cheapest_cost(task)
    if truth == 0 and is_goal(task, task.initial):
        return  # the planner answers this before it searches
    assert cost(run(uniform_cost(normal, Successors(normal), Effort()))) == truth
    assert cost(run(astar(normal, Successors(normal), Effort(), LandmarkCut(normal).value))) == truth


@given(seeds)
def test_landmark_cut_never_overestimates(seed: int) -> None:
    """Along a random walk, from scratch and from the cuts of the state before."""
    task, rng = random_task(seed), random.Random(seed)
    normal = NormalTask(task)
    scratch, follows = LandmarkCut(normal), LandmarkCut(normal)
    state, here, came = task.initial, normal.initial, None
    for _ in range(6):
        truth = cheapest_cost(dataclasses.replace(task, initial=state))
        for bound in (scratch.value(here), follows.value(here, came)):
            if truth is not None:
                assert bound is not None
                assert bound <= truth
        if follows.value(here, came) is None:
            return
        moves = Successors(normal).moves(here)
        if not moves:
            return
        move = rng.choice(moves)
        after = step(task, state, move.operator)
        assert after is not None
        came, state, here = (here, move), after, normal.apply(here, move)


def test_landmark_cut_is_exact_where_deletes_do_not_matter() -> None:
    normal = NormalTask(logistics(1, 3, 1))
    assert LandmarkCut(normal).value(normal.initial) == cheapest_cost(logistics(1, 3, 1)) == 3


@given(seeds)
def test_successors_are_the_applicable_moves(seed: int) -> None:
    task, rng = random_task(seed), random.Random(seed)
    normal = NormalTask(task)
    successors = Successors(normal)
    state, here = task.initial, normal.initial
    for _ in range(8):
        moves = successors.moves(here)
        kept = {m.operator.index for m in normal.moves}
        truth = {op.index for op in task.operators if op.index in kept and step(task, state, op) is not None}
        assert {m.operator.index for m in moves} == truth
        if not moves:
            return
        move = rng.choice(moves)
        after = step(task, state, move.operator)
        assert after is not None
        state, here = after, normal.apply(here, move)
        assert is_goal(task, state) == (here & normal.goal == normal.goal)


@given(seeds)
def test_relaxed_plan_reaches_the_goal_without_deletes(seed: int) -> None:
    normal = NormalTask(random_task(seed))
    reached, before = normal.initial, -1
    while reached != before:
        before = reached
        for rule in normal.relaxed:
            if reached & rule.need == rule.need:
                reached |= rule.add
    estimate = RelaxedPlans(normal).estimate(normal.initial)
    assert (estimate is None) == (reached & normal.goal != normal.goal)
    if estimate is not None:
        assert (estimate.adds | normal.initial) & normal.goal == normal.goal
        assert estimate.adds & ~reached == 0


@given(seeds)
def test_improved_plans_replay_and_cost_no_more(seed: int) -> None:
    """A walk that happens to end in the goal is made cheaper."""
    task, rng = random_task(seed), random.Random(seed)
    normal = NormalTask(task)
    successors = Successors(normal)
    state, plan = normal.initial, []
    for _ in range(30):
        moves = successors.moves(state)
        if not moves or state & normal.goal == normal.goal:
            break
        plan.append(rng.choice(moves))
        state = normal.apply(state, plan[-1])
    if state & normal.goal != normal.goal:
        return
    better = improve(normal, successors, Effort(), plan, 10_000)
    spent = replay(task, (m.operator for m in better))
    assert spent <= replay(task, (m.operator for m in plan))
    # All of this space fits into the neighbourhood, so that the path through it is the best there is.
    assert spent == cheapest_cost(task)


def test_moves_that_serve_nothing_are_struck() -> None:
    task = blocks(3)
    normal = NormalTask(task)
    named = {str(m.operator): m for m in normal.moves}
    useful = ["(unstack b0 b1)", "(put-down b0)", "(unstack b1 b2)", "(stack b1 b0)", "(pick-up b2)", "(stack b2 b1)"]
    detour = ["(unstack b0 b1)", "(stack b0 b1)", *useful]
    plan = strike(normal, Effort(), [named[name] for name in detour])
    assert [str(m.operator) for m in plan] == useful
