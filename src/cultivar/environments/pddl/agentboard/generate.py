"""Writes the problems of the suite, and a plan for each: ``python -m cultivar.environments.pddl.agentboard.generate``.

Sizes are AgentBoard's: 6 to 12 balls, 3 to 7 blocks, 4 to 9 glasses with 1 to 3 drinks wanted, 1 to 3 hubs. What is
drawn is kept if our planner solves it in at most 30 steps and no earlier problem is the same up to names. The planner
does not always find the shortest way of carrying many balls, so those plans are made by rule.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence

from cultivar.environments.pddl.agentboard import GAMES, HERE, MAX_STEPS, environments
from cultivar.environments.pddl.assess import read_domain
from cultivar.environments.pddl.auditing.canonical import problem_key
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import And, Atom
from cultivar.environments.pddl.parsing.parse import parse_problem
from cultivar.environments.pddl.parsing.write import write_problem
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.simulation.simulate import Simulator, read_plan

BALLS = (6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 12)
BLOCKS = (3, 4, 4, 5, 5, 6, 6, 6, 7, 7)
DRINKS = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3)
HUBS = (1, 1, 2, 2, 2, 2, 3, 3, 3, 3)
EXPANSIONS = 20_000
"""States that the planner may expand on a problem before another one is drawn."""

Drawn = tuple[str, str, str]
"""Objects, facts and goal conditions of a problem, as PDDL."""


def gripper(balls: int, rng: random.Random) -> Drawn:
    """Every ball has to go to the other room."""
    names = [f"ball{k}" for k in range(1, balls + 1)]
    away = set(rng.sample(names, rng.randrange(balls // 2 + 1)))
    rooms = {name: ("roomb", "rooma") if name in away else ("rooma", "roomb") for name in names}
    facts = ["(at-robby rooma)", "(free left)", "(free right)", *(f"(at {n} {rooms[n][0]})" for n in names)]
    objects = f"rooma roomb - room {' '.join(names)} - ball left right - gripper"
    return objects, " ".join(facts), " ".join(f"(at {n} {rooms[n][1]})" for n in names)


def carried(goal: Sequence[Atom]) -> list[str]:
    """The plan in which both grippers are filled for every way."""
    left = {"rooma": [a.args[0] for a in goal if a.args[1] == "roomb"]}
    left["roomb"] = [a.args[0] for a in goal if a.args[1] == "rooma"]
    steps: list[str] = []
    here, there = "rooma", "roomb"
    while left["rooma"] or left["roomb"]:
        load = list(zip(left[here], ("left", "right")))
        left[here] = left[here][2:]
        steps += [f"(pick {ball} {here} {gripper})" for ball, gripper in load]
        steps += [f"(move {here} {there})", *(f"(drop {ball} {there} {gripper})" for ball, gripper in load)]
        here, there = there, here
    return steps


def blocksworld(blocks: int, rng: random.Random) -> Drawn:
    """Towers are to become other towers; which blocks end on the table is not asked for."""
    names = [f"b{k}" for k in range(1, blocks + 1)]
    facts = ["(arm-empty)"]
    for tower in _towers(names, rng):
        facts += [f"(on-table {tower[0]})", f"(clear {tower[-1]})", *_stacked(tower)]
    goal = [on for tower in _towers(names, rng) for on in _stacked(tower)]
    return " ".join(names), " ".join(facts), " ".join(goal)


def _towers(names: Sequence[str], rng: random.Random) -> list[list[str]]:
    towers: list[list[str]] = []
    for name in rng.sample(list(names), len(names)):
        if not towers or rng.random() < 0.35:
            towers.append([name])
        else:
            rng.choice(towers).append(name)
    return towers


def _stacked(tower: Sequence[str]) -> Iterator[str]:
    return (f"(on {above} {below})" for below, above in itertools.pairwise(tower))


def barman(drinks: int, rng: random.Random) -> Drawn:
    """So many glasses are to hold a cocktail or, where there are several, perhaps a plain ingredient."""
    shots = [f"shot{k}" for k in range(1, drinks + rng.randint(3, 6) + 1)]
    parts = ["ingredient1", "ingredient2", "ingredient3"]
    cocktails = [f"cocktail{k}" for k in range(1, max(3, len(shots) - 2) + 1)]
    facts = ["(ontable shaker1)", "(clean shaker1)", "(empty shaker1)", "(handempty left)", "(handempty right)"]
    facts += ["(shaker-empty-level shaker1 l0)", "(shaker-level shaker1 l0)", "(next l0 l1)", "(next l1 l2)"]
    facts += [f"({fact} {shot})" for shot in shots for fact in ("ontable", "clean", "empty")]
    facts += [f"(dispenses dispenser{k} {part})" for k, part in enumerate(parts, 1)]
    for cocktail in cocktails:
        one, two = rng.sample(parts, 2)
        facts += [f"(cocktail-part1 {cocktail} {one})", f"(cocktail-part2 {cocktail} {two})"]
    wanted = [rng.choice(cocktails), *(rng.choice(cocktails + parts) for _ in range(drinks - 1))]
    goal = [f"(contains {shot} {drink})" for shot, drink in zip(shots, wanted)]
    objects = (
        f"shaker1 - shaker left right - hand {' '.join(shots)} - shot {' '.join(parts)} - ingredient "
        f"{' '.join(cocktails)} - cocktail dispenser1 dispenser2 dispenser3 - dispenser l0 l1 l2 - level"
    )
    return objects, " ".join(facts), " ".join(goal)


def tyreworld(hubs: int, rng: random.Random) -> Drawn:
    """Some or all of what changing the wheels of so many hubs comes to."""
    facts = ["(in jack boot)", "(in pump boot)", "(in wrench boot)", "(unlocked boot)", "(closed boot)"]
    goal: list[str] = []
    for k in range(1, hubs + 1):
        facts += [f"(intact r{k})", f"(in r{k} boot)", f"(not-inflated r{k})", f"(on w{k} hub{k})"]
        facts += [f"(on-ground hub{k})", f"(tight nuts{k} hub{k})", f"(fastened hub{k})"]
        wanted = [f"(inflated r{k})", f"(on r{k} hub{k})", f"(in w{k} boot)", f"(tight nuts{k} hub{k})"]
        goal += wanted[: rng.choice((1, 3, 4) if k > 1 else (3, 4))]
    numbers = range(1, hubs + 1)
    objects = (
        f"{' '.join(f'hub{k}' for k in numbers)} - hub {' '.join(f'nuts{k}' for k in numbers)} - nut "
        f"boot - container {' '.join(f'r{k} w{k}' for k in numbers)} - wheel"
    )
    return objects, " ".join(facts), " ".join(goal)


GENERATORS: dict[str, tuple[Callable[[int, random.Random], Drawn], Sequence[int]]] = {
    "gripper": (gripper, BALLS),
    "blocksworld": (blocksworld, BLOCKS),
    "barman": (barman, DRINKS),
    "tyreworld": (tyreworld, HUBS),
}


def problems(game: str) -> list[tuple[str, str]]:
    """(problem, plan) of each problem of a game, in the order of their sizes."""
    domain = read_domain(environments()[game].data["domain"])
    draw, sizes = GENERATORS[game]
    rng = random.Random(f"agentboard {game}")
    found: list[tuple[str, str]] = []
    keys: set[str] = set()
    while len(found) < len(sizes):
        objects, facts, goal = draw(sizes[len(found)], rng)
        name = f"{game}-{len(found) + 1:02}"
        text = f"(define (problem {name}) (:domain {game}) (:objects {objects}) (:init {facts}) (:goal (and {goal})))"
        problem = parse_problem(text, domain).value
        assert problem is not None, text
        key = problem_key(domain, problem)
        steps = _solved(ground(domain, problem), EXPANSIONS if game != "gripper" else 0)
        if key in keys or not 3 <= len(steps) <= MAX_STEPS:
            continue
        keys.add(key)
        found.append((write_problem(problem), "\n".join(steps) + "\n"))
    return found


def _solved(task: GroundTask, expansions: int) -> list[str]:
    """The planner's plan, or that made by rule where it may expand nothing; none if it finds none."""
    if expansions:
        return [str(op) for op in plan(task, max_expansions=expansions).operators]
    goal = task.problem.goal
    assert isinstance(goal, And)
    steps = carried([part for part in goal.parts if isinstance(part, Atom)])
    assert Simulator(task).validate(read_plan("\n".join(steps))).reached_goal
    return steps


def write() -> None:
    for game in GAMES:
        folder = HERE / game / "problems"
        folder.mkdir(exist_ok=True)
        for number, (problem, steps) in enumerate(problems(game), 1):
            (folder / f"{number:02}.pddl").write_text(problem, "utf-8")
            (folder / f"{number:02}.plan").write_text(steps, "utf-8")


if __name__ == "__main__":
    write()
