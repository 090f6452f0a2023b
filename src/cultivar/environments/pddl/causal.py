"""Why each step of a plan is there: causal links, read off the states that the plan passes.

A link says that a literal which a later step needs (its precondition, or the condition of an effect of it that
changes something) or which the goal needs was made true by this step, and stayed true from then on. So it is true by
construction. Source: causal links of partial-order planning, McAllester and Rosenblitt, AAAI 1991.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cultivar.core.errors import InputError
from cultivar.environments.pddl.grounded import GroundTask, Operator
from cultivar.environments.pddl.model import Atom, Formula, Not
from cultivar.environments.pddl.read_action import Call
from cultivar.environments.pddl.simulate import Simulator


@dataclass(frozen=True, slots=True)
class Link:
    """``producer`` and ``consumer`` are numbers of steps (from 0); ``consumer`` None is the goal.

    ``condition`` is a literal, or a compound condition of the goal.
    """

    producer: int
    condition: Formula
    consumer: int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """One step of a plan: the links that start at it, and the later ones last. ``changes`` are its visible effects."""

    name: str
    args: tuple[str, ...]
    links: tuple[Link, ...]
    changes: tuple[Atom | Not, ...]


def explain_plan(simulator: Simulator, plan: Sequence[Call]) -> list[Explained]:
    """Raises InputError if a step cannot be done or the plan does not reach the goal."""
    operators, states = _run(simulator, plan)
    task = simulator.task
    links: list[list[Link]] = [[] for _ in plan]
    for consumer in (*range(len(plan)), None):
        need, forbid = (task.need, task.forbid) if consumer is None else _needs(operators[consumer], states[consumer])
        end = len(plan) if consumer is None else consumer
        for mask, wanted in ((need, True), (forbid, False)):
            for bit, atom in _visible(task, mask):
                producer = _producer(states, bit, wanted, end)
                if producer is not None:
                    links[producer].append(Link(producer, atom if wanted else Not(atom), consumer))
    for condition in simulator.goals():
        truth = [simulator.holds(state, condition) for state in states]
        if not _is_literal(condition) and not all(truth):
            producer = max(i for i, true in enumerate(truth) if not true)
            links[producer].append(Link(producer, condition, None))
    return [
        Explained(name, args, tuple(found), tuple(_changes(task, before, after)))
        for (name, args), found, before, after in zip(plan, links, states, states[1:])
    ]


def _run(simulator: Simulator, plan: Sequence[Call]) -> tuple[list[Operator], list[int]]:
    states, operators = [simulator.initial], []
    for name, args in plan:
        operator = simulator.find(states[-1], name, args)
        if operator is None:
            raise InputError(simulator.validate(plan).message)
        operators.append(operator)
        states.append(simulator.apply(states[-1], operator))
    if not simulator.is_goal(states[-1]):
        raise InputError(simulator.validate(plan).message)
    return operators, states


def _needs(operator: Operator, state: int) -> tuple[int, int]:
    """What must hold and what must not: the precondition, and the conditions of the effects that change the state."""
    need, forbid = operator.need, operator.forbid
    for effect in operator.conditional:
        fires = state & effect.need == effect.need and not state & effect.forbid
        if fires and (effect.add & ~state or effect.delete & state):
            need, forbid = need | effect.need, forbid | effect.forbid
    return need, forbid


def _producer(states: Sequence[int], bit: int, wanted: bool, end: int) -> int | None:
    """The step that made the literal true for good, as far as ``end``; None if it held from the start."""
    for step in range(end - 1, -1, -1):
        if bool(states[step] & bit) is not wanted:
            return step
    return None


def _is_literal(formula: Formula) -> bool:
    return isinstance(formula.body if isinstance(formula, Not) else formula, Atom)


def _visible(task: GroundTask, mask: int) -> Iterator[tuple[int, Atom]]:
    for atom in task.atoms(mask):
        yield task.bit[atom], atom


def _changes(task: GroundTask, before: int, after: int) -> Iterator[Atom | Not]:
    yield from task.atoms(after & ~before)
    for atom in task.atoms(before & ~after):
        yield Not(atom)
