"""Environments, tasks and gold dialogues for the probe's benchmarks: drawn by the procedural proposer, told tersely.

A problem is ground once and demonstrated several times, from its initial state and from states that random walks reach:
grounding is what costs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cultivar.environments.pddl.auditing.canonical import domain_key
from cultivar.environments.pddl.environment import World
from cultivar.environments.pddl.grounded import GroundTask, Operator
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import Formula
from cultivar.environments.pddl.narration.goal_words import conjuncts
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.procedural.compose import consistent, fits
from cultivar.environments.pddl.procedural.lexicon import Theme, choose_theme
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.mechanics import MECHANICS
from cultivar.environments.pddl.procedural.proposal import Proposal, assemble
from cultivar.environments.pddl.procedural.themes import THEMES
from cultivar.environments.pddl.terse import DONE, TerseWorld
from cultivar.sources.text import read_corpus
from cultivar.train.probe.dialogues import Said

EXPANSIONS = 5_000
VARIANTS = 5
"""Starts from which a problem is demonstrated."""
WANDERING = 0.15
"""Chance of an action that is not the plan's."""
MAX_WALK = 10
MIN_PLAN = 3
GOALS = 4
"""Of one session."""

PASSAGES = tuple(document.text for document in read_corpus(None))
RECIPES = (("work",), ("gate",), ("extra",)) * 3 + (
    ("work", "gate"),
    ("work", "work"),
    ("work", "extra"),
    ("gate", "gate"),
)
"""Groups of mechanics that are added to moving and carrying."""
LEXICON = THEMES[0]
"""The words that every environment of the control has."""


def environment(seed: int, *, shared: bool = False) -> Proposal:
    """``shared``: with the words of one lexicon, whatever the passage is about."""
    rng = random.Random(f"environment {seed}")
    theme = LEXICON if shared else choose_theme(PASSAGES[seed % len(PASSAGES)], rng, THEMES)
    return assemble(theme, _mechanics(theme, rng), [], rng)


def _mechanics(theme: Theme, rng: random.Random) -> list[type[Mechanic]]:
    """Moving, carrying and one or two more; the proposer's own choice takes two or three more."""
    while True:
        chosen = {m.name for m in MECHANICS if m.group == "base"}
        for group in rng.choice(RECIPES):
            able = [m for m in MECHANICS if m.group == group and m.name not in chosen and fits(m, theme, chosen)]
            if able:
                chosen.add(rng.choice(able).name)
        picked = [m for m in MECHANICS if m.name in chosen]
        if len(picked) > len([m for m in MECHANICS if m.group == "base"]) and consistent(picked):
            return picked


def environments(first: int, count: int, avoid: set[str], *, shared: bool = False) -> list[Proposal]:
    """``count`` environments that differ in structure from each other and from those in ``avoid``, which grows."""
    found: list[Proposal] = []
    seed = first
    while len(found) < count:
        drawn = environment(seed, shared=shared)
        seed += 1
        key = domain_key(drawn.domain)
        if key not in avoid:
            avoid.add(key)
            found.append(drawn)
    return found


def world_of(drawn: Proposal, rng: random.Random, size: int) -> World:
    return World.of("", ground(drawn.domain, drawn.sample(rng, size)), drawn.language)


def tasks(drawn: Proposal, rng: random.Random, size: int, count: int) -> list[TerseWorld]:
    """Tasks to be tried, with a horizon of twice their plan and 6: least plan ``MIN_PLAN``."""
    found: list[TerseWorld] = []
    for _ in range(100 * count):
        world = world_of(drawn, rng, size)
        steps = plan(world.simulator.task, max_expansions=EXPANSIONS).steps()
        if len(steps) >= MIN_PLAN:
            found.append(TerseWorld(world, 2 * len(steps) + 6, remind=True))
            if len(found) == count:
                return found
    raise ValueError(f"the mechanics {drawn.mechanics} give no tasks of {MIN_PLAN} steps at size {size}")


def sessions(drawn: Proposal, rng: random.Random, sizes: Sequence[int], count: int) -> Iterator[list[Said]]:
    """``count`` dialogues, ``VARIANTS`` of each problem: ``GOALS`` goals reached one after another, each by a plan.

    The first is the problem's own, from its initial state or one that a random walk reaches. The others are one or two
    facts that a random walk would make true: what is told at the beginning, most of a dialogue, is told once for all.
    Now and then an action that is not the plan's is taken and a new plan made: it is read and not learned. The goal is
    told again after each action, in tasks too: in one short run that made the difference (docs/probe.md).
    """
    made = 0
    while made < count:
        world = world_of(drawn, rng, rng.choice(sizes))
        for variant in range(VARIANTS):
            turns = _session(world, rng, walked(world, rng) if variant else world.simulator.initial)
            if len(turns) > 1 and made < count:
                yield turns
                made += 1


def _session(world: World, rng: random.Random, state: int) -> list[Said]:
    teller, task = TerseWorld(world, 0), world.simulator.task
    turns: list[Said] = []
    told = teller.scene(state)
    for at in range(GOALS):
        if at == 0:
            aim, wanted = task, conjuncts(task)
        else:
            new = task.atoms(walked(world, rng, state) & ~state)
            some = rng.sample(new, min(len(new), rng.choice((1, 1, 2))))
            aim = replace(task, need=sum(task.bit[atom] for atom in some), forbid=0)
            wanted = list[Formula](some)
        done, after = _reached(world, aim, rng, state)
        if done:
            want = teller.want(wanted)
            turns.append(Said(f"{told} {want}"))
            for op, learned in done:
                turns += [Said(teller.said((op.name, op.args)), True, learned), Said(f"{DONE} {want}")]
            turns.pop()
            told, state = DONE, after
    return turns


def _reached(world: World, aim: GroundTask, rng: random.Random, state: int) -> tuple[list[tuple[Operator, bool]], int]:
    """(actions that reach the goal, each with whether it is a plan's; where they lead); none if there is no plan."""
    simulator = world.simulator
    taken: list[tuple[Operator, bool]] = []
    ahead = list(plan(replace(aim, initial=state), max_expansions=EXPANSIONS).operators)
    while ahead:
        others = [op for op in simulator.applicable(state) if (op.name, op.args) != (ahead[0].name, ahead[0].args)]
        wandering = bool(others) and rng.random() < WANDERING
        op = rng.choice(others) if wandering else ahead.pop(0)
        after = simulator.apply(state, op)
        if wandering:
            found = list(plan(replace(aim, initial=after), max_expansions=EXPANSIONS).operators)
            if not found:
                continue  # there is no way back, or it is one more plan
            ahead = found
        taken.append((op, not wandering))
        state = after
    return taken, state


def walked(world: World, rng: random.Random, state: int | None = None) -> int:
    """Where a random walk comes to."""
    state = world.simulator.initial if state is None else state
    for _ in range(rng.randint(2, MAX_WALK)):
        able = world.simulator.applicable(state)
        if not able:
            break
        state = world.simulator.apply(state, rng.choice(able))
    return state
