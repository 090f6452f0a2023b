"""The gates that environments and tasks must pass, from cheap to dear, and what a failed one says."""

from __future__ import annotations

from dataclasses import dataclass, field

from cultivar.core.records import JSON

GATES: dict[str, str] = {
    # a domain, by reading it
    "no-actions": "The domain has an action.",
    "nullary-only": "Some predicate that an action uses has an argument.",
    "contradictory-action": "No action asks for a fact and excludes it.",
    "inert-action": "Every action can change something.",
    "delete-free": "Some action makes false what mattered while it was true.",
    "nothing-undone": "Some fact that an action can make true can be made false by an action.",
    "unused-predicate": "Every predicate is mentioned by an action or a derived rule.",
    "duplicate-environment": "No other environment is the same up to renaming.",
    # a task, before planning
    "problem-unreadable": "The problem is read without an error.",
    "too-large": "The task can be grounded within the limits.",
    "goal-true": "The goal does not hold at the start.",
    "duplicate-task": "No other task of the environment is the same up to the names of its objects.",
    # a task, with its plan
    "unsolvable": "The task has a solution (the planner proved that it has none).",
    "unsolved": "The planner finds a solution within its limits.",
    "plan-invalid": "The plan replays in the simulator and ends in the goal.",
    "plan-short": "The best plan found has the least length asked for.",
    "any-order": "The order of the plan's actions matters: few enough of its random orders are plans too.",
    "random-walk": "A random walk reaches the goal in no more than the share of attempts allowed.",
    # a task, through its language
    "language-clash": "No two ground facts or actions of the task are told in the same sentence.",
    "text-replay": "The plan, told as text and read back, earns the full reward.",
    "mutant-accepted": "A plan with one step dropped, swapped or replaced earns the full reward only if it is a plan.",
    # an environment, with its tasks
    "too-few-tasks": "The environment has the least number of accepted tasks asked for.",
    "action-never-applicable": "Every action was seen applicable in a reachable state of some task.",
}
"""gate -> what it demands; in the order in which they are tried."""

NOTES = frozenset({"unused-predicate"})
"""Gates whose findings are reported but drop nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A gate that was not passed: ``message`` is one sentence, ``evidence`` (JSON) what shows it."""

    gate: str
    message: str
    evidence: dict[str, JSON] = field(default_factory=dict)

    @property
    def drops(self) -> bool:
        return self.gate not in NOTES

    def to_json(self) -> dict[str, JSON]:
        return {"gate": self.gate, "demand": GATES[self.gate], "message": self.message, "evidence": self.evidence}
