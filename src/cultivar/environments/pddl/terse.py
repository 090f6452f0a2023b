"""A PDDL task told in as few words as can be: for small models, whose time goes by words.

The first text lists the actions, what holds and the goal; every later one is "ok", or "no" where an action was not
executed, and with ``remind`` the goal again. Articles are left out (the reader of actions does without them), and so is
the list of objects: those that matter are in the goal or in what holds.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence

from cultivar.core.protocols import Step
from cultivar.environments.pddl.environment import World
from cultivar.environments.pddl.model import Formula
from cultivar.environments.pddl.narration.goal_words import conjuncts
from cultivar.environments.pddl.narration.read_action import Call, Unclear

DONE, REFUSED = "ok", "no"
_LEFT_OUT = re.compile(r"\b(?:the|a|an) |[\[\].]")


def terse(sentence: str) -> str:
    """Without articles, brackets and full stop, in lower case: "The box is in the [room]." is "box is in room"."""
    return _LEFT_OUT.sub("", sentence.lower())


class TerseWorld:
    """One task, begun again by every ``begin``; ``start`` is a state of it (by default its initial one).

    ``steps`` is the horizon: an episode ends there, or once the goal holds. An action that cannot be read or done
    changes nothing and counts as a step.
    """

    def __init__(self, world: World, steps: int, start: int | None = None, *, remind: bool = False) -> None:
        self._world = world
        self._voice = voice = copy.copy(world.narrator)
        voice.__dict__.pop("_phrasing", None)
        voice.shown, voice._facts = {}, {}  # names as they are in PDDL: each is one word, "linen-room"
        self._start = world.simulator.initial if start is None else start
        self.steps = steps
        self._reminder = f" {self.want(conjuncts(world.simulator.task))}" if remind else ""
        self._state, self._taken, self._progress = self._start, 0, 0.0

    def begin(self) -> str:
        self._state, self._taken = self._start, 0
        self._progress = self._world.simulator.progress(self._start)
        return f"{self.scene(self._start)} {self.want(conjuncts(self._world.simulator.task))}"

    def scene(self, state: int) -> str:
        """The actions, and all that holds in a state."""
        voice = self._voice
        can = [terse(voice.pattern(name)) for name in voice.actions]
        holds = [terse(voice.fact(a)) for a in (*self._world.simulator.task.atoms(state), *voice.static)]
        return f"can {' . '.join(can)} ; now {' . '.join(sorted(holds))}"

    def want(self, goal: Iterable[Formula]) -> str:
        return f"; want {' . '.join(sorted(terse(self._voice.condition(part)) for part in goal))}"

    def choices(self) -> list[str]:
        """The sentences of all actions that can be done now, sorted."""
        return sorted({self.said((op.name, op.args)) for op in self._world.simulator.applicable(self._state)})

    def said(self, call: Call) -> str:
        """An action as a sentence of this world."""
        return terse(self._voice.action(*call))

    def act(self, text: str) -> Step:
        simulator = self._world.simulator
        got = self._world.narrator.read_action(text)
        operator = None if isinstance(got, Unclear) else simulator.find(self._state, *got)
        self._taken += 1
        if operator is not None:
            self._state = simulator.apply(self._state, operator)
            self._progress = max(self._progress, simulator.progress(self._state))
        solved = simulator.is_goal(self._state)
        done = solved or self._taken >= self.steps
        valid = operator is not None
        return Step(self.answer(valid), float(solved), done, valid, self._progress)

    def answer(self, valid: bool) -> str:
        """What is told after an action."""
        return (DONE if valid else REFUSED) + self._reminder

    def dialogue(self, calls: Sequence[Call]) -> list[str]:
        """The texts told and the actions taken in turn, an action last: a plan put into words."""
        texts = [self.begin()]
        for call in calls:
            texts += [self.said(call), self.answer(True)]
        return texts[:-1]
