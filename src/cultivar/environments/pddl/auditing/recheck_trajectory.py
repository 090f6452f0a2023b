"""Whether a trajectory is the one that its task's plan makes, turn by turn and field by field."""

from __future__ import annotations

from dataclasses import fields
from itertools import zip_longest
from typing import get_args

from cultivar.core.records import Trajectory, Turn
from cultivar.environments.pddl.auditing.recheck_task import Faults, Prepared
from cultivar.environments.pddl.demonstrate import demonstrate, with_thoughts
from cultivar.environments.pddl.narration.narrate import Mode

GATE = "text-replay"


def trajectory_faults(given: Trajectory, it: Prepared, thoughts: str | None, observations: str | None) -> Faults:
    """``thoughts`` and ``observations`` are what the run's config asked for; None if that is not known.

    Words of thoughts are taken as they are, but they must stand before their own action and hold none themselves.
    """
    mode = given.meta.get("observations", "full")
    if mode not in get_args(Mode) or mode != (observations or mode):
        yield GATE, f"Its observations are of the mode {mode!r}; {observations or 'full, delta or partial'} is wanted."
        return
    said = [turn.thought for turn in given.turns if turn.role == "assistant"]
    thinks = any(thought is not None for thought in said)
    if (thoughts == "none" and thinks) or (thoughts == "template" and not thinks):
        yield GATE, f"It has {'' if thinks else 'no '}thoughts, and the run was made with thoughts={thoughts!r}."
    if thinks and not all(said):
        yield GATE, "It has thoughts before some of its actions only."
        return
    expected = demonstrate(it.spec, it.task, it.plan, observations=mode, world=it.world)
    if thinks:
        try:
            expected = with_thoughts(expected, [thought or "" for thought in said])
        except ValueError as error:
            yield GATE, f"Its thoughts do not fit its plan: {error}."
            return
    if difference := _difference(given, expected):
        yield GATE, difference
    elif not expected.success:
        yield GATE, "It does not reach the goal."
    elif thinks and not _read_back(given, it):
        yield GATE, "With its thoughts before them its actions are not read back as the plan's."


def _difference(given: Trajectory, expected: Trajectory) -> str | None:
    for number, (mine, made) in enumerate(zip_longest(given.turns, expected.turns)):
        if mine is None or made is None:
            return f"It has {len(given.turns)} turns; its plan makes {len(expected.turns)}."
        if mine != made:
            name = next(f.name for f in fields(Turn) if getattr(mine, f.name) != getattr(made, f.name))
            values = (str(getattr(turn, name))[-120:] for turn in (mine, made))
            return "Turn {} has {} {!r}; its plan makes {!r}.".format(number, name, *values)
    for name in ("success", "reward", "agent", "parents"):
        if getattr(given, name) != getattr(expected, name):
            return f"Its {name} is {getattr(given, name)!r}; its plan makes {getattr(expected, name)!r}."
    return None if given.id == expected.id else "Its values are equal to those that its plan makes, but of other types."


def _read_back(given: Trajectory, it: Prepared) -> bool:
    replies = (turn.content for turn in given.turns if turn.role == "assistant")
    return [it.world.narrator.read_action(reply) for reply in replies] == list(it.plan)
