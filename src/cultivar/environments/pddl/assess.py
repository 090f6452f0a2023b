"""One task through all gates: a problem's text in, a Task and its demonstration out, or the gate that it failed.

These are the functions that recipes run in other processes (``scope.once``): arguments and results are JSON and
records, and equal arguments give equal results on every machine, because searches are limited by states and not by
seconds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cultivar.core.errors import InputError, Unparsable
from cultivar.core.records import JSON, EnvironmentSpec, Task
from cultivar.environments.pddl.auditing import audit
from cultivar.environments.pddl.auditing.canonical import domain_key, problem_key
from cultivar.environments.pddl.auditing.coverage import witness
from cultivar.environments.pddl.auditing.difficulty import measure
from cultivar.environments.pddl.auditing.formulas import nnf, predicates_of
from cultivar.environments.pddl.auditing.gates import GATES, Finding
from cultivar.environments.pddl.auditing.mutate import mutation_check
from cultivar.environments.pddl.demonstrate import Thoughts, demonstrate, thought_material
from cultivar.environments.pddl.environment import World, stored_plan
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.grounding.ground import GroundingLimit, ground
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.narration.narrate import Mode, Narrator
from cultivar.environments.pddl.narration.read_language import read_language
from cultivar.environments.pddl.parsing.diagnostics import render_all
from cultivar.environments.pddl.parsing.parse import extract_pddl, parse_domain, parse_problem
from cultivar.environments.pddl.parsing.write import write_domain, write_problem
from cultivar.environments.pddl.planner.search import Plan, plan
from cultivar.environments.pddl.simulation.simulate import Simulator

MUTANTS = 6
"""Plans with one step changed that are tried on the checker, for each task."""
MAX_OPERATORS = 20_000
"""Ground actions of a task that is still of use to an agent that reads it."""


@dataclass(frozen=True)
class Demands:
    """What a task must satisfy, and what may be spent to find out (states, not seconds)."""

    min_plan: int = 3
    max_random: float = audit.MAX_RANDOM
    thoughts: Thoughts = "none"
    observations: Mode = "full"
    expansions: int = 20_000
    optimal_expansions: int = 2_000
    max_reordered: float = audit.MAX_REORDERED


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
    """The default plan; where it is not proved cheapest already, A* may improve on it within its own limit."""
    found = plan(task, max_expansions=demands.expansions)
    if found.status != "solved" or found.optimal:
        return found
    better = plan(task, optimal=True, max_expansions=demands.optimal_expansions)
    return better if better.status == "solved" else found


def assess(spec: EnvironmentSpec, problem_text: str, demands: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """``{"findings": [...]}`` if a gate was failed, otherwise task, trajectory, key, witnessed actions, mutants,
    and the predicates that the goal asks for.

    ``demands`` are the fields of Demands. ``seed`` is of the random walks, the mutants and the words of thoughts.
    """
    wanted = Demands(**demands)
    domain = read_domain(spec.data["domain"])
    parsed = parse_problem(problem_text, domain)
    if parsed.value is None:
        return _failed(Finding("problem-unreadable", render_all(parsed.diagnostics), {"problem": problem_text}))
    try:
        task = ground(domain, parsed.value, max_operators=MAX_OPERATORS)
    except GroundingLimit as limit:
        return _failed(Finding("too-large", f"The task is too large to be grounded: {limit}", {}))
    simulator = Simulator(task)
    if found := audit.audit_start(simulator):
        return _failed(*found)
    best = best_plan(task, wanted)
    if found := audit.audit_plan(simulator, best, min_plan=wanted.min_plan):
        return _failed(*found)
    difficulty = measure(task, best, random.Random(seed), simulator=simulator)
    if found := audit.audit_order(difficulty.reordered, max_reordered=wanted.max_reordered):
        return _failed(*found)
    if found := audit.audit_difficulty(difficulty, max_random=wanted.max_random):
        return _failed(*found)
    narrator = Narrator(task, Language.from_json(spec.data["language"]))
    if found := audit.audit_language(narrator.clash()):
        return _failed(*found)
    record = Task(
        environment=spec.id,
        goal=narrator.goal(),
        data={"problem": write_problem(parsed.value), "plan": [str(op) for op in best.operators]},
        parents=(spec.id,),
        meta={"difficulty": difficulty.to_json()},
    )
    world = World(record.id, simulator, narrator)
    return _demonstrated(spec, record, world, best, wanted, seed)


def _demonstrated(
    spec: EnvironmentSpec, record: Task, world: World, best: Plan, wanted: Demands, seed: int
) -> dict[str, Any]:
    """The last gates: the plan through text alone, and plans with one step changed."""
    trajectory = demonstrate(
        spec,
        record,
        best.steps(),
        thoughts=wanted.thoughts,
        rng=random.Random(seed),
        observations=wanted.observations,
        world=world,
    )
    if found := audit.audit_replay(trajectory.reward if trajectory.success else 0.0):
        return _failed(*found)
    simulator, task = world.simulator, world.simulator.task
    mutants = mutation_check(simulator, best.steps(), random.Random(seed), MUTANTS)
    if found := audit.audit_mutants(mutants):
        return _failed(*found)
    actions = set(task.domain.action)
    return {
        "findings": [],
        "task": replace(record, meta={**record.meta, "mutants": mutants.by_kind}),
        "trajectory": replace(trajectory, meta={"observations": wanted.observations}),
        "key": problem_key(task.domain, task.problem),
        "witnessed": sorted(witness(simulator, actions, random.Random(seed), steps=best.steps())),
        "relaxed": sorted({op.name for op in task.operators}),
        "asked": sorted(set(predicates_of(nnf(task.problem.goal)))),
    }


def examine_problem(reply: str, domain: Domain) -> str:
    """The tidy text of the problem in a model's reply; raises Unparsable with all that is wrong with it."""
    parsed = parse_problem(extract_pddl(reply, "problem"), domain)
    if parsed.value is None:
        raise Unparsable(f"the problem has mistakes:\n{render_all(parsed.diagnostics)}", "problem-unreadable")
    return write_problem(parsed.value)


def step_facts_of(spec: EnvironmentSpec, task: Task) -> list[str]:
    """What is known of each step of a task's plan, in words, one text to a step: material for a model's thoughts."""
    facts = thought_material(spec, task, stored_plan(task) or [])
    told = []
    for number, step in enumerate(facts, 1):
        uses: dict[str, list[str]] = {}
        for made, later in step.serves:
            uses.setdefault(made, []).append(later or "the goal")
        serves = [f"   makes so: {made} (needed for: {'; '.join(later)})" for made, later in uses.items()]
        aim = [f"   leads to the goal that {step.aim}"] if step.aim else []
        told.append("\n".join([f"{number}. {step.action}", *serves, *aim]))
    return told


def _failed(*findings: Finding) -> dict[str, Any]:
    return {"findings": [f.to_json() for f in findings]}


def examine_domain(reply: str) -> tuple[Domain, str]:
    """The domain in a model's reply, checked and through the gates that need no task, and its tidy text.

    Raises Unparsable in words that help a model to mend it; the reason is the gate, or ``domain-unreadable``.
    """
    parsed = parse_domain(extract_pddl(reply))
    if parsed.value is None:
        raise Unparsable(f"the domain has mistakes:\n{render_all(parsed.diagnostics)}", "domain-unreadable")
    findings = [f for f in audit.audit_domain(parsed.value) if f.drops]
    if findings:
        told = "\n".join(f"- {f.message} (Demanded: {GATES[f.gate]})" for f in findings)
        raise Unparsable(f"the domain can be read, but it is no world to plan in:\n{told}", findings[0].gate)
    return parsed.value, write_domain(parsed.value)


def examine_language(reply: str, domain: Domain) -> Language:
    """The language interface in a model's reply; raises Unparsable with all that is wrong with it."""
    language = read_language(reply, domain)
    wrong = [d for d in check_language(domain, language) if d.severity == "error"]
    if wrong:
        raise Unparsable(f"the sentences have mistakes:\n{render_all(wrong)}", "language-unusable")
    return language
