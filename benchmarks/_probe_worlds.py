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
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.model import Formula
from cultivar.environments.pddl.narration.goal_words import conjuncts
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.procedural.compose import choose_mechanics
from cultivar.environments.pddl.procedural.proposal import Proposal, assemble, propose
from cultivar.environments.pddl.procedural.themes import THEMES
from cultivar.environments.pddl.terse import DONE, TerseWorld
from cultivar.sources.text import read_corpus

EXPANSIONS = 5_000
VARIANTS = 5
"""Starts from which a problem is demonstrated."""
MAX_WALK = 10
MIN_PLAN = 3
GOALS = 4
"""Of one session."""

PASSAGES = tuple(document.text for document in read_corpus(None))
LEXICON = THEMES[0]
"""The words that every environment of the control has."""


def environment(seed: int, *, shared: bool = False) -> Proposal:
    """``shared``: with the words of one lexicon, whatever the passage is about."""
    rng = random.Random(f"environment {seed}")
    if shared:
        return assemble(LEXICON, choose_mechanics(LEXICON, rng), [], rng)
    return propose(PASSAGES[seed % len(PASSAGES)], rng)


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
            found.append(TerseWorld(world, 2 * len(steps) + 6))
            if len(found) == count:
                return found
    raise ValueError(f"the mechanics {drawn.mechanics} give no tasks of {MIN_PLAN} steps at size {size}")


def sessions(drawn: Proposal, rng: random.Random, sizes: Sequence[int], count: int) -> Iterator[list[str]]:
    """``count`` dialogues, ``VARIANTS`` of each problem: ``GOALS`` goals reached one after another, each by a plan.

    The first is the problem's own, from its initial state or one that a random walk reaches. The others are one or two
    facts that a random walk would make true: what is told at the beginning, most of a dialogue, is told once for all.
    """
    made = 0
    while made < count:
        world = world_of(drawn, rng, rng.choice(sizes))
        for variant in range(VARIANTS):
            start = walked(world, rng) if variant else world.simulator.initial
            texts = _session(world, rng, start)
            if len(texts) > 1 and made < count:
                yield texts
                made += 1


def _session(world: World, rng: random.Random, start: int) -> list[str]:
    teller, simulator, task = TerseWorld(world, 0), world.simulator, world.simulator.task
    texts, state, told = [], start, teller.scene(start)
    for at in range(GOALS):
        if at == 0:
            aim, wanted = task, conjuncts(task)
        else:
            new = task.atoms(walked(world, rng, state) & ~state)
            some = rng.sample(new, min(len(new), rng.choice((1, 1, 2))))
            aim = replace(task, need=sum(task.bit[atom] for atom in some), forbid=0)
            wanted = list[Formula](some)
        found = plan(replace(aim, initial=state), max_expansions=EXPANSIONS)
        if found.status != "solved" or not found.operators:
            continue
        texts.append(f"{told} {teller.want(wanted)}")
        for op in found.operators:
            texts += [teller.said((op.name, op.args)), DONE]
            state = simulator.apply(state, op)
        told = texts.pop()
    return texts


def walked(world: World, rng: random.Random, state: int | None = None) -> int:
    """Where a random walk comes to."""
    state = world.simulator.initial if state is None else state
    for _ in range(rng.randint(2, MAX_WALK)):
        able = world.simulator.applicable(state)
        if not able:
            break
        state = world.simulator.apply(state, rng.choice(able))
    return state
