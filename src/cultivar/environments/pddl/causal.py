"""Why each step of a plan is there: causal links, read off the states that the plan passes.

A link says that this step made a condition true which stayed true until a later step needed it, or until the end,
where the goal asks for it. A step *needs* a literal if it could not be done in that very state without it; of one
alternative of a disjunction this is not said. So every link is true by construction. Source: causal links of
partial-order planning, McAllester and Rosenblitt, AAAI 1991.
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

    ``condition`` is a literal, or a compound condition of the goal. ``for_effect``: the consumer could be done without
    it, but a conditional effect of it which changes the state asks for it.
    """

    producer: int
    condition: Formula
    consumer: int | None
    for_effect: bool = False


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

    def link(bits: Iterator[tuple[int, Atom, bool]], consumer: int | None, for_effect: bool = False) -> None:
        end = len(plan) if consumer is None else consumer
        for bit, atom, wanted in bits:
            producer = _producer(states, bit, wanted, end)
            if producer is not None:
                links[producer].append(Link(producer, atom if wanted else Not(atom), consumer, for_effect))

    for i, operator in enumerate(operators):
        link(_preconditions(simulator, states[i], operator), i)
        link(_effect_conditions(task, states[i], operator), i, for_effect=True)
    link(_literals(task, task.need, task.forbid), None)
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


def _literals(task: GroundTask, need: int, forbid: int) -> Iterator[tuple[int, Atom, bool]]:
    for mask, wanted in ((need, True), (forbid, False)):
        for atom in task.atoms(mask):
            yield task.bit[atom], atom, wanted


def _preconditions(simulator: Simulator, state: int, operator: Operator) -> Iterator[tuple[int, Atom, bool]]:
    """The literals without which the action could not be done in this state."""
    for bit, atom, wanted in _literals(simulator.task, operator.need, operator.forbid):
        if simulator.find(state ^ bit, operator.name, operator.args) is None:
            yield bit, atom, wanted


def _effect_conditions(task: GroundTask, state: int, operator: Operator) -> Iterator[tuple[int, Atom, bool]]:
    """The conditions of the effects that change this state, those of the precondition left out."""
    need = forbid = 0
    for effect in operator.conditional:
        fires = state & effect.need == effect.need and not state & effect.forbid
        if fires and (effect.add & ~state or effect.delete & state):
            need, forbid = need | effect.need, forbid | effect.forbid
    yield from _literals(task, need & ~operator.need, forbid & ~operator.forbid)


def _producer(states: Sequence[int], bit: int, wanted: bool, end: int) -> int | None:
    """The step that made the literal true for good, as far as ``end``; None if it held from the start."""
    for step in range(end - 1, -1, -1):
        if bool(states[step] & bit) is not wanted:
            return step
    return None


def _is_literal(formula: Formula) -> bool:
    return isinstance(formula.body if isinstance(formula, Not) else formula, Atom)


def _changes(task: GroundTask, before: int, after: int) -> Iterator[Atom | Not]:
    yield from task.atoms(after & ~before)
    for atom in task.atoms(before & ~after):
        yield Not(atom)
