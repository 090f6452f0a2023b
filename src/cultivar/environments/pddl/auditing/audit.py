"""The audit: what must hold of a domain, a task, its language and an environment, and the evidence where it does not.

The gates of one task are tried from cheap to dear and stop at the first stage that fails, because what comes after
would only repeat it: ``audit_start`` needs no plan, ``audit_plan`` needs one, ``audit_order`` its random orders,
``audit_difficulty`` the walks, ``audit_language``, ``audit_replay`` and ``audit_mutants`` the text. Everything that
costs is computed by the caller and passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Literal

from cultivar.environments.pddl.auditing.audit_domain import audit_domain
from cultivar.environments.pddl.auditing.difficulty import Difficulty
from cultivar.environments.pddl.auditing.gates import GATES, NOTES, Finding
from cultivar.environments.pddl.auditing.mutate import MutationCheck
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.planner.search import Plan
from cultivar.environments.pddl.simulation.simulate import Simulator

__all__ = [
    "GATES",
    "NOTES",
    "Finding",
    "audit_difficulty",
    "audit_domain",
    "audit_duplicate",
    "audit_environment",
    "audit_language",
    "audit_mutants",
    "audit_order",
    "audit_plan",
    "audit_replay",
    "audit_start",
]

MIN_PLAN = 3
MAX_RANDOM = 0.5
"""The share of random walks (of twice the plan's length and six steps more) that may reach the goal by accident."""
MAX_REORDERED = 0.5
"""The share of random orders of a plan that may be plans too: all are of a checklist, half where the only thing that
matters is that one step follows another, a sixth of three steps of which each needs the one before."""


def audit_duplicate(
    gate: Literal["duplicate-environment", "duplicate-task"], key: str, name: str, seen: Mapping[str, str]
) -> list[Finding]:
    """``seen`` maps the keys (``canonical``) of what was accepted to its name."""
    if key not in seen:
        return []
    return [Finding(gate, f"{name} is {seen[key]} under other names.", {"same_as": seen[key], "key": key})]


def audit_start(simulator: Simulator) -> list[Finding]:
    """What can be said before planning."""
    if simulator.is_goal(simulator.initial):
        goals = len(simulator.goals())
        return [Finding("goal-true", "The goal holds in the initial state.", {"goals": goals})]
    if simulator.task.unreachable_goal:
        evidence = {"proof": "the goal is out of reach even if nothing is ever deleted"}
        return [Finding("unsolvable", "The goal cannot be reached even if nothing is ever deleted.", evidence)]
    return []


def audit_plan(simulator: Simulator, plan: Plan, *, min_plan: int = MIN_PLAN) -> list[Finding]:
    """Solved, replayable, long enough. Of a plan that the planner did not prove optimal the length is what was found,
    so a task that passes may still have a shorter plan."""
    if plan.status == "unsolvable":
        evidence = {"proof": "the reachable states were exhausted", "expanded": plan.expanded}
        return [Finding("unsolvable", "The planner proved that the task has no solution.", evidence)]
    if plan.status != "solved":
        message = f"No plan was found in {plan.expanded} expansions."
        return [Finding("unsolved", message, {"expanded": plan.expanded, "evaluated": plan.evaluated})]
    check = simulator.validate(plan.steps())
    if check.failed_step is not None or not check.reached_goal:
        return [
            Finding("plan-invalid", f"The plan does not replay: {check.message}", {"failed_step": check.failed_step})
        ]
    if len(plan) < min_plan:
        message = f"The best plan has {len(plan)} steps; at least {min_plan} are asked for."
        return [Finding("plan-short", message, {"length": len(plan), "least": min_plan, "optimal": plan.optimal})]
    return []


def audit_order(share: float, *, max_reordered: float = MAX_REORDERED) -> list[Finding]:
    """``share`` as ``difficulty.reordered`` gives it."""
    if share <= max_reordered:
        return []
    message = f"{share:.0%} of the plan's random orders are plans too; at most {max_reordered:.0%} may be."
    return [Finding("any-order", message, {"share": share, "most": max_reordered})]


def audit_difficulty(difficulty: Difficulty, *, max_random: float = MAX_RANDOM) -> list[Finding]:
    share = difficulty.random_walk_success
    if share <= max_random:
        return []
    message = f"{share:.0%} of random walks reach the goal; at most {max_random:.0%} may."
    return [Finding("random-walk", message, {"share": share, "most": max_random, "length": difficulty.plan_length})]


def audit_language(clash: str | None) -> list[Finding]:
    """``clash`` as the narrator gives it: two things that are told in one sentence, named."""
    if clash is None:
        return []
    return [Finding("language-clash", f"The language is not injective: {clash}", {"clash": clash})]


def audit_replay(reward: float, failure: str | None = None) -> list[Finding]:
    """``reward`` of the plan told as text, read back and executed; ``failure`` is the first reply that was an error."""
    if reward >= 1 and failure is None:
        return []
    message = f"The plan replayed through text earns {reward:g}" + (f": {failure}" if failure else ".")
    return [Finding("text-replay", message, {"reward": reward, "failure": failure})]


def audit_mutants(check: MutationCheck) -> list[Finding]:
    """``check`` by the simulator, held against an independent execution."""
    if not check.wrongly_accepted:
        return []
    message = f"{check.wrongly_accepted} of {check.tried} plans with one step changed are accepted and are no plans."
    return [Finding("mutant-accepted", message, check.to_json())]


def audit_environment(
    domain: Domain, witnessed: AbstractSet[str], relaxed: AbstractSet[str], tasks: int, *, min_tasks: int = 1
) -> list[Finding]:
    """``tasks`` is the number of those accepted, ``witnessed`` the actions seen applicable in them
    (``coverage.witness``), ``relaxed`` the actions of which any of them has an operator."""
    found = []
    if tasks < min_tasks:
        message = f"{tasks} tasks were accepted; at least {min_tasks} are asked for."
        found.append(Finding("too-few-tasks", message, {"tasks": tasks, "least": min_tasks}))
    missing = [action.name for action in domain.actions if action.name not in witnessed]
    if tasks and missing:
        proved = [name for name in missing if name not in relaxed]
        message = f"In {tasks} tasks {', '.join(missing)} {'was' if len(missing) == 1 else 'were'} never applicable."
        evidence = {"actions": missing, "impossible_even_without_deletes": proved, "tasks": tasks}
        found.append(Finding("action-never-applicable", message, evidence))
    return found
