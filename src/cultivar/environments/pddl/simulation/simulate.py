"""The simulator: what can be done in a state, what it leads to, and why an action cannot be done.

States are the integers of ``GroundTask``. Stepping works on bit masks alone; explaining works on the lifted action, so
that it also answers for actions that the grounder proved unreachable, for unknown names and for wrong arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cultivar.core.errors import InputError, did_you_mean
from cultivar.environments.pddl.grounded import GroundTask, Operator
from cultivar.environments.pddl.grounding.layers import Closure
from cultivar.environments.pddl.model import And, Formula
from cultivar.environments.pddl.simulation.applicability import Applicability
from cultivar.environments.pddl.simulation.evaluate import Evaluator, Reason

__all__ = ["Reason", "Simulator", "Validation", "read_plan"]

_STEP = re.compile(r"\(\s*([^\s();]+(?:\s+[^\s();]+)*)\s*\)")


@dataclass(frozen=True, slots=True)
class Validation:
    """The outcome of a plan. ``states`` are all states passed, the initial one first; ``message`` is a sentence."""

    valid: bool
    reached_goal: bool
    failed_step: int | None
    message: str
    cost: int
    states: tuple[int, ...]


class Simulator:
    """Steps through the states of one task. Nothing about a state is kept but bounded tables."""

    def __init__(self, task: GroundTask) -> None:
        self.task = task
        self.initial = task.initial
        self._close = Closure(task.axioms) if task.axioms else None
        self._evaluator = Evaluator(task)
        self._goals: tuple[Formula, ...] | None = None

    @cached_property
    def _applicable(self) -> Applicability:
        return Applicability(self.task)

    @cached_property
    def _split(self) -> bool:
        """Whether some action became several operators."""
        return len(self.task.by_action) < len(self.task.operators)

    def applicable(self, state: int) -> list[Operator]:
        """The operators that can be applied, one for each action, in the order of the task's operators."""
        found = self._applicable(state)
        if self._split:
            return list({(op.name, op.args): op for op in reversed(found)}.values())[::-1]
        return found

    def successors(self, state: int) -> list[tuple[Operator, int]]:
        """The applicable operators, each with the state it leads to."""
        apply = self.apply
        return [(op, apply(state, op)) for op in self.applicable(state)]

    def apply(self, state: int, op: Operator) -> int:
        """The state after ``op``, whose precondition is not checked."""
        add, delete = op.add, op.delete
        for effect in op.conditional:
            if state & effect.need == effect.need and not state & effect.forbid:
                add |= effect.add
                delete |= effect.delete
        after = (state | delete) ^ delete | add
        return self._close(after) if self._close is not None else after

    def is_applicable(self, state: int, op: Operator) -> bool:
        return state & op.need == op.need and not state & op.forbid

    def is_goal(self, state: int) -> bool:
        return state & self.task.need == self.task.need and not state & self.task.forbid

    def find(self, state: int, name: str, args: tuple[str, ...]) -> Operator | None:
        """The applicable operator of an action, None if the action cannot be done."""
        for op in self.task.by_action.get((name, args), ()):
            if self.is_applicable(state, op):
                return op
        return None

    def holds(self, state: int, formula: Formula) -> bool:
        """Whether a ground formula is true in a state."""
        return self._evaluator.holds(state, formula, {})

    def goals(self) -> tuple[Formula, ...]:
        """The conjuncts of the goal, quantifiers expanded; conjuncts that are true in every state are left out."""
        if self._goals is None:
            goal = self._evaluator.expand(self.task.problem.goal, {})
            self._goals = goal.parts if isinstance(goal, And) else (goal,)  # type: ignore[assignment]
        assert self._goals is not None
        return self._goals

    def progress(self, state: int) -> float:
        """The share of ``goals()`` that hold: AgentBoard's matching score (Ma et al., arXiv 2401.13178)."""
        goals = self.goals()
        return sum(self.holds(state, goal) for goal in goals) / len(goals) if goals else 1.0

    def explain(self, state: int, name: str, args: tuple[str, ...]) -> tuple[Reason, ...]:
        """Why an action cannot be done in a state; empty if it can."""
        action = self.task.domain.action.get(name)
        if action is None:
            return (Reason(f"there is no action {name!r}{did_you_mean(name, self.task.domain.action)}"),)
        if len(args) != len(action.parameters):
            wants = f"{len(action.parameters)} arguments ({' '.join(p.name for p in action.parameters)})"
            return (Reason(f"{name} takes {wants if action.parameters else 'no arguments'}, not {len(args)}"),)
        reasons = []
        for parameter, arg in zip(action.parameters, args):
            kind = self.task.objects.get(arg)
            if kind is None:
                reasons.append(Reason(f"there is no object {arg!r}{did_you_mean(arg, self.task.objects)}"))
            elif not self.task.domain.is_a(kind, parameter.types):
                wanted = " or ".join(parameter.types)
                is_of = f"{arg} is of type {' or '.join(kind)}"
                reasons.append(Reason(f"{is_of}, but {parameter.name} must be of type {wanted}"))
        if reasons:
            return tuple(reasons)
        binding = {p.name: arg for p, arg in zip(action.parameters, args)}
        return tuple(dict.fromkeys(self._evaluator.failures(state, action.precondition, binding)))

    def validate(self, plan: Sequence[tuple[str, tuple[str, ...]]]) -> Validation:
        """Replay a plan from the initial state."""
        state, cost, states = self.initial, 0, [self.initial]
        for i, (name, args) in enumerate(plan):
            op = self.find(state, name, args)
            if op is None:
                step = f"({' '.join((name, *args))})"
                why = "; ".join(r.text for r in self.explain(state, name, args)[:5])
                message = f"step {i + 1}, {step}, cannot be done: {why}"
                return Validation(False, False, i, message, cost, tuple(states))
            cost += op.cost
            state = self.apply(state, op)
            states.append(state)
        if self.is_goal(state):
            message = f"the plan of {len(plan)} steps reaches the goal"
            return Validation(True, True, None, message, cost, tuple(states))
        return Validation(False, False, None, self._unreached(len(plan), state), cost, tuple(states))

    def _unreached(self, length: int, state: int) -> str:
        missing = self._evaluator.failures(state, self.task.problem.goal, {})
        listed = ", ".join(r.text for r in missing[:5]) + (", ..." if len(missing) > 5 else "")
        return f"after {length} steps the goal does not hold: {listed}"


def read_plan(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """A plan in the format of planners and VAL: one ``(name arg ...)`` a line, ``;`` starts a comment.

    Raises InputError with the number of the first line that is none.
    """
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.split(";", 1)[0].strip().lower()
        if not bare:
            continue
        match = _STEP.fullmatch(bare)
        if match is None:
            raise InputError(f"line {number} of the plan is {line.strip()[:80]!r}, not one step such as '(name arg)'")
        name, *args = match[1].split()
        steps.append((name, tuple(args)))
    return steps
