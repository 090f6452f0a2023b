"""One task through all gates: a problem's text in, a Task and its demonstration out, or the gate that it failed.

These are the functions that recipes run in other processes (``scope.once``): arguments and results are JSON and records,
and equal arguments give equal results on every machine, because searches are limited by states and not by seconds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from cultivar.core.errors import InputError
from cultivar.core.records import JSON, EnvironmentSpec, Task
from cultivar.environments.pddl import audit
from cultivar.environments.pddl.canonical import domain_key, problem_key
from cultivar.environments.pddl.coverage import witness
from cultivar.environments.pddl.demonstrate import demonstrate
from cultivar.environments.pddl.diagnostics import render_all
from cultivar.environments.pddl.difficulty import measure
from cultivar.environments.pddl.environment import PddlEnvironment
from cultivar.environments.pddl.ground import GroundingLimit, ground
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.language import Language
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.narrate import Narrator
from cultivar.environments.pddl.parse import parse_domain, parse_problem
from cultivar.environments.pddl.search import Plan, plan
from cultivar.environments.pddl.simulate import Simulator
from cultivar.environments.pddl.write import write_problem

MAX_OPERATORS = 20_000
"""Ground actions of a task that is still of use to an agent that reads it."""


@dataclass(frozen=True)
class Demands:
    """What a task must satisfy, and what may be spent to find out (states, not seconds)."""

    min_plan: int = 3
    max_random: float = 0.5
    expansions: int = 20_000
    optimal_expansions: int = 2_000
    thoughts: str = "none"
    observations: str = "full"


def spec_of(
    domain_text: str, language: Language, *, title: str, description: str, parents: tuple[str, ...], **meta: JSON
) -> EnvironmentSpec:
    """The record of an environment whose domain has been checked; ``key`` in its meta is the canonical hash."""
    domain = read_domain(domain_text)
    return EnvironmentSpec(
        family="pddl",
        name=title,
        description=description,
        data={"domain": domain_text, "language": language.to_json()},
        parents=parents,
        meta={"key": domain_key(domain), **meta},
    )


@lru_cache(maxsize=64)
def read_domain(text: str) -> Domain:
    """A domain that was checked before; raises InputError if it was not."""
    parsed = parse_domain(text)
    if parsed.value is None:
        raise InputError(f"the environment's domain is not good: {render_all(parsed.diagnostics)}")
    return parsed.value


def best_plan(task: GroundTask, demands: Demands) -> Plan:
    """A plan by greedy search, then the best of it and of A* within its own limit."""
    found = plan(task, max_expansions=demands.expansions)
    if found.status != "solved" or not found.operators:
        return found
    better = plan(task, optimal=True, max_expansions=demands.optimal_expansions)
    return better if better.status == "solved" else found


def assess(spec: EnvironmentSpec, problem_text: str, demands: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """``{"findings": [...]}`` if a gate was failed, otherwise task, trajectory, key, witnessed actions, mutants.

    ``demands`` are the fields of Demands. ``seed`` is of the random walks, the mutants and the words of thoughts.
    """
    wanted = Demands(**demands)
    domain = read_domain(spec.data["domain"])
    parsed = parse_problem(problem_text, domain)
    if parsed.value is None:
        return _failed(audit.Finding("problem-unreadable", render_all(parsed.diagnostics), {"problem": problem_text}))
    try:
        task = ground(domain, parsed.value, max_operators=MAX_OPERATORS)
    except GroundingLimit as limit:
        return _failed(audit.Finding("too-large", f"The task is too large to be grounded: {limit}", {}))
    simulator = Simulator(task)
    found = audit.audit_start(simulator)
    if found:
        return _failed(*found)
    best = best_plan(task, wanted)
    found = audit.audit_plan(simulator, best, min_plan=wanted.min_plan)
    if found:
        return _failed(*found)
    difficulty = measure(task, best, random.Random(seed), simulator=simulator)
    found = audit.audit_difficulty(difficulty, max_random=wanted.max_random)
    if found:
        return _failed(*found)
    narrator = Narrator(task, Language.from_json(spec.data["language"]))
    found = audit.audit_language(narrator.clash())
    if found:
        return _failed(*found)
    record = Task(
        environment=spec.id,
        goal=narrator.goal(),
        data={"problem": write_problem(parsed.value), "plan": [str(op) for op in best.operators]},
        parents=(spec.id,),
        meta={"difficulty": difficulty.to_json()},
    )
    return _demonstrated(spec, record, task, simulator, best, wanted, seed)


def _demonstrated(
    spec: EnvironmentSpec,
    record: Task,
    task: GroundTask,
    simulator: Simulator,
    best: Plan,
    wanted: Demands,
    seed: int,
) -> dict[str, Any]:
    """The last gates: the plan through text alone, and mutants of it."""
    raise NotImplementedError


def _failed(*findings: audit.Finding) -> dict[str, Any]:
    return {"findings": [f.to_json() for f in findings]}


def demands_json(demands: Demands) -> dict[str, JSON]:
    return asdict(demands)


__all__ = ["Demands", "PddlEnvironment", "assess", "best_plan", "demonstrate", "problem_key", "spec_of", "witness"]
