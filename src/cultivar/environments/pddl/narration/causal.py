"""Why each step of a plan is there: causal links, read off the states that the plan passes.

A link says that this step made a condition true which stayed true until a later step needed it, or until the end,
where the goal asks for it. A step *needs* a literal if it could not be done in that very state without it; of one
alternative of a disjunction this is not said. So every link is true by construction. Source: causal links of
partial-order planning, McAllester and Rosenblitt, AAAI 1991.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cultivar.core.errors import InputError
from cultivar.environments.pddl.grounded import GroundTask, Operator
from cultivar.environments.pddl.model import Atom, Formula, Not
from cultivar.environments.pddl.narration.read_action import Call
from cultivar.environments.pddl.simulation.simulate import Simulator


@dataclass(frozen=True, slots=True)
class Link:
    """``producer`` and ``consumer`` are numbers of steps (from 0); ``consumer`` None is the goal.

    ``condition`` is a literal, or a compound condition of the goal. ``for_effect``: the consumer could be done without
    it, but its outcome, by a conditional effect, would be another.
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

    def link(bits: Iterable[tuple[int, Atom, bool]], consumer: int | None, for_effect: bool = False) -> None:
        end = len(plan) if consumer is None else consumer
        for bit, atom, wanted in bits:
            producer = _producer(states, bit, wanted, end)
            if producer is not None:
                links[producer].append(Link(producer, atom if wanted else Not(atom), consumer, for_effect))

    for i, operator in enumerate(operators):
        for effect, bit, atom, wanted in _needed(simulator, states[i], operator, states[i + 1]):
            link([(bit, atom, wanted)], i, effect)
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


def _needed(simulator: Simulator, state: int, operator: Operator, after: int) -> Iterator[tuple[bool, int, Atom, bool]]:
    """The literals of a state without which the action could not be done, or (True first) would do something else."""
    mask = 0
    for op in simulator.task.by_action[operator.name, operator.args]:
        mask |= op.need | op.forbid
        for effect in op.conditional:
            mask |= effect.need | effect.forbid
    for bit, atom, wanted in _literals(simulator.task, mask & state, mask & ~state):
        without = simulator.find(state ^ bit, operator.name, operator.args)
        if without is None:
            yield False, bit, atom, wanted
        elif (simulator.apply(state ^ bit, without) ^ after) & ~bit:
            yield True, bit, atom, wanted


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
