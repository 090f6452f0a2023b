"""Evolution: what comes out replays, lies in the bucket asked for, and is the same for the same randomness."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cultivar.environments.pddl.auditing.canonical import problem_key
from cultivar.environments.pddl.auditing.difficulty import bucket
from cultivar.environments.pddl.evolution.curve import Direction, curve, entropy, steer
from cultivar.environments.pddl.evolution.evolve import OPERATORS, evolve
from cultivar.environments.pddl.evolution.evolve_bench import Bench, Evolved, Range, goal_predicates
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import And, Atom, Domain, Not, Problem
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.parsing.write import write_problem
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.simulation.simulate import Simulator
from tests.environments.pddl.auditing.test_audit import CROSSING, FERRY
from tests.environments.pddl.auditing.test_difficulty import BLOCKS, MATCH, ONE_MATCH, SUSSMAN

CASES = {"ferry": (FERRY, CROSSING), "blocks": (BLOCKS, SUSSMAN)}


def read(domain_text: str, problem_text: str) -> tuple[Domain, Problem]:
    domain = parse_domain(domain_text).value
    assert domain is not None
    problem = parse_problem(problem_text, domain).value
    assert problem is not None
    return domain, problem


def check(domain: Domain, found: Evolved) -> None:
    """The text of the problem is good, its task is the one given, and its plan replays."""
    parsed = parse_problem(write_problem(found.problem), domain)
    assert parsed.value == found.problem, [d.render() for d in parsed.diagnostics]
    assert found.task.problem is found.problem
    simulator = Simulator(ground(domain, found.problem))
    outcome = simulator.validate(found.plan.steps())
    assert outcome.reached_goal, outcome.message
    assert not simulator.is_goal(simulator.initial)
    goal = found.problem.goal
    assert isinstance(goal, And)
    assert 1 <= len(goal.parts) <= 10
    assert not any(isinstance(part, Not) for part in goal.parts)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("direction", ["easier", "harder", "sideways"])
def test_directions_without_a_target(name: str, direction: Direction) -> None:
    domain, problem = read(*CASES[name])
    length = len(plan(ground(domain, problem), max_expansions=5000))
    made = 0
    for seed in range(6):
        found = evolve(domain, problem, direction, random.Random(seed))
        if found is None:
            continue
        made += 1
        check(domain, found)
        assert found.problem != problem
        match direction:
            case "easier":
                assert 3 <= len(found.plan) < length
            case "harder":
                assert len(found.plan) > length
            case "sideways":
                assert abs(len(found.plan) - length) <= max(2, 0.3 * length) + 0.5
    assert made >= 4


@pytest.mark.parametrize("name", CASES)
def test_targets_are_met(name: str) -> None:
    domain, problem = read(*CASES[name])
    for target in ("3-4", "5-6", "7-9", "10-13", "14-19"):
        direction: Direction = "easier" if target == "3-4" else "harder"
        found = [evolve(domain, problem, direction, random.Random(seed), target=target) for seed in range(4)]
        good = [f for f in found if f is not None]
        assert good, target
        for f in good:
            check(domain, f)
            assert bucket(len(f.plan)) == target


def test_steering_fills_every_bucket_from_one_task() -> None:
    domain, problem = read(*CASES["blocks"])
    rng = random.Random(1)
    lengths = [len(plan(ground(domain, problem), max_expansions=5000))]
    problems, keys, failed = [problem], {problem_key(domain, problem)}, Counter[str]()
    for _ in range(45):
        order = steer(curve(lengths), lengths, rng, failed=failed)
        assert order is not None
        found = evolve(domain, problems[order.seed], order.direction, rng, target=order.bucket)
        if found is None or problem_key(domain, found.problem) in keys:
            failed[order.bucket] += 1
            continue
        keys.add(problem_key(domain, found.problem))
        problems.append(found.problem)
        lengths.append(len(found.plan))
        if len(lengths) == 24:
            break
    counts = curve(lengths)
    assert min(counts.values()) >= 2, counts
    assert entropy(counts) > 2.3


def test_same_randomness_same_result() -> None:
    domain, problem = read(*CASES["ferry"])
    for direction in OPERATORS:
        one = evolve(domain, problem, direction, random.Random(9))
        other = evolve(domain, problem, direction, random.Random(9))
        assert one is not None
        assert other is not None
        assert (one.problem, one.plan.steps(), one.operator) == (other.problem, other.plan.steps(), other.operator)


def test_a_solved_seed_need_not_be_solved_again() -> None:
    domain, problem = read(*CASES["blocks"])
    task = ground(domain, problem)
    found = plan(task, optimal=True)
    later = evolve(domain, problem, "easier", random.Random(2), solved=(task, found), max_plans=4)
    assert later is not None
    check(domain, later)


@pytest.mark.parametrize("direction", list(OPERATORS))
def test_every_operator_gives_what_checks_or_nothing(direction: Direction) -> None:
    third = CROSSING.replace("red blue - car", "red blue green - car").replace(":init", ":init (waits green south)")
    domain, problem = read(FERRY, third)
    made = Counter[str]()
    for seed in range(5):
        for operator in OPERATORS[direction]:
            bench = Bench.of(domain, problem, random.Random(seed), None, 8, lambda t: plan(t, max_expansions=5000))
            assert bench is not None
            found = operator(bench, Range(3, None))
            assert bench.plans_left >= 0
            if found is not None:
                check(domain, found)
                made[operator.__name__] += 1
    assert {o.__name__ for o in OPERATORS[direction]} == made.keys()


def test_fewer_objects_drops_what_the_plan_leaves_alone() -> None:
    domain, problem = read(FERRY, CROSSING.replace("red blue - car", "red blue spare - car"))
    bench = Bench.of(domain, problem, random.Random(0), None, 8, lambda t: plan(t, max_expansions=5000))
    assert bench is not None
    found = OPERATORS["easier"][3](bench, Range(3, None))
    assert found is not None
    assert {o.name for o in found.problem.objects} == {"north", "south", "red", "blue"}


def test_a_sampler_is_drawn_from_where_the_seed_cannot_grow() -> None:
    domain, seed = read(MATCH, ONE_MATCH)
    sizes = []

    def grow(rng: random.Random, size: int) -> Problem:
        sizes.append(size)
        return read(MATCH, ONE_MATCH)[1]

    assert evolve(domain, seed, "harder", random.Random(0), target="14-19", grow=grow, max_plans=30) is None
    assert sizes[0] == 5
    assert set(sizes) <= {5, 6}


def test_unsolved_seeds_give_nothing() -> None:
    domain, problem = read(MATCH, ONE_MATCH.replace("(match m)", ""))
    assert evolve(domain, problem, "harder", random.Random(0)) is None


def test_goal_predicates() -> None:
    ferry, _ = read(FERRY, CROSSING)
    assert goal_predicates(ferry, [Atom("waits", ("red", "north"))]) == {"waits"}
    match, _ = read(MATCH, ONE_MATCH)
    # Nothing needs burnt or warm, and warm has no argument; candle is never added.
    assert goal_predicates(match, [Atom("candle", ("c",))]) == {"burnt"}


def test_range() -> None:
    assert 5 in Range(3, 6)
    assert 7 not in Range(3, 6)
    assert 100 in Range(3, None)
    assert Range(3, 6).within(1, 4) == [3, 4]
    assert Range(20, None).within(1, 25) == [20, 21, 22, 23, 24, 25]
