"""Who proposes environments, tasks and variations of tasks: the protocol, and the proposer that asks no model.

A proposer lives as long as one item: it makes one environment out of one passage, and then tasks in it. Whatever it
proposes is only a proposal; the gates decide.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from cultivar.core.records import Document, EnvironmentSpec, Task
from cultivar.core.scope import Scope
from cultivar.environments.pddl.assess import read_domain, spec_of
from cultivar.environments.pddl.evolution.curve import Order
from cultivar.environments.pddl.evolution.evolve import evolve
from cultivar.environments.pddl.parsing.parse import parse_problem
from cultivar.environments.pddl.parsing.write import write_domain, write_problem
from cultivar.environments.pddl.procedural.proposal import Proposal, propose

UNCONDITIONED_SIZES = (1, 2, 2, 3)
"""Sizes that a task of stage 1 is drawn from: what one poses when nothing is asked for."""


class Proposer(Protocol):
    """Raises Unparsable (with a reason) or Dropped where it has nothing good to offer."""

    async def environment(self, scope: Scope, library: Sequence[EnvironmentSpec]) -> EnvironmentSpec:
        """An environment about the passage; ``library`` are environments to be shown as examples."""
        ...

    async def problem(self, spec: EnvironmentSpec, scope: Scope) -> str:
        """PDDL of a task in that environment, with nothing asked of it."""
        ...

    async def variation(self, spec: EnvironmentSpec, parent: Task, order: Order, scope: Scope) -> str | None:
        """PDDL of a task made from another one in the direction ordered; None if there is none to be had."""
        ...


class ProceduralProposer:
    """Draws environments from mechanics and lexicons; asks no model (``environments.pddl.procedural``)."""

    def __init__(self, passage: Document) -> None:
        self.passage = passage
        self._seed = 0

    async def environment(self, scope: Scope, library: Sequence[EnvironmentSpec]) -> EnvironmentSpec:
        self._seed = scope.rng("environment").getrandbits(48)
        spec: EnvironmentSpec = await scope.once("draw", draw, self.passage.text, self._seed, self.passage.id)
        return spec

    async def problem(self, spec: EnvironmentSpec, scope: Scope) -> str:
        rng = scope.rng("problem")
        size = rng.choice(UNCONDITIONED_SIZES)
        text: str = await scope.once("sample", sample, self.passage.text, self._seed, rng.getrandbits(48), size)
        return text

    async def variation(self, spec: EnvironmentSpec, parent: Task, order: Order, scope: Scope) -> str | None:
        seed = scope.rng("variation").getrandbits(48)
        arguments = (self.passage.text, self._seed, parent.data["problem"], order.direction, order.bucket, seed)
        text: str | None = await scope.once("vary", vary, *arguments)
        return text


@lru_cache(maxsize=64)
def _proposal(passage: str, seed: int) -> Proposal:
    return propose(passage, random.Random(seed))


def draw(passage: str, seed: int, parent: str) -> EnvironmentSpec:
    """The environment that the procedural proposer draws for a passage."""
    drawn = _proposal(passage, seed)
    return spec_of(
        write_domain(drawn.domain),
        drawn.language,
        title=drawn.title,
        description=drawn.description,
        parents=(parent,),
        proposer="procedural",
        theme=drawn.theme,
        mechanics=list(drawn.mechanics),
    )


def sample(passage: str, seed: int, task_seed: int, size: int) -> str:
    """A problem of a given size in the environment that ``draw`` made of the same passage and seed."""
    return write_problem(_proposal(passage, seed).sample(random.Random(task_seed), size))


def vary(passage: str, seed: int, problem: str, direction: Any, bucket: str, task_seed: int) -> str | None:
    """A variation of a problem of that environment; None if none was found within the search limits."""
    drawn = _proposal(passage, seed)
    return vary_problem(write_domain(drawn.domain), problem, direction, bucket, task_seed, drawn)


def vary_problem(
    domain_text: str, problem: str, direction: Any, bucket: str, seed: int, drawn: Proposal | None = None
) -> str | None:
    """Procedural evolution of a problem of any domain; ``drawn`` lends its sampler where there is one."""
    domain = read_domain(domain_text)
    parent = parse_problem(problem, domain)
    if parent.value is None:
        return None
    grow = drawn.sample if drawn is not None else None
    found = evolve(domain, parent.value, direction, random.Random(seed), target=bucket, grow=grow)
    return write_problem(found.problem) if found is not None else None
