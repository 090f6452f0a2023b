"""Worlds that exist in words alone: a script says what there is, one model plays both the world and who acts in it.

There is no executor, so what can be checked by code is checked strictly: that a script fits together, and that a played
transcript keeps to it (see ``fault_of``).

    script      places, what is in them and inside of it, where the player is, the task, the actions with their values
    transcript  lines of the master (what is seen; was the last action an error, and of which kind) and of the player

Errors are of three kinds (AgentRefine, arXiv 2501.01702): parameter (an unknown action, or a value that it does not
take), logical (a condition does not hold), location (done in the wrong place).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from cultivar.core.errors import Unparsable
from cultivar.core.records import JSON, EnvironmentSpec, Task, Trajectory, Turn
from cultivar.core.replies import json_value

FAMILY = "simulated"
KINDS = ("parameter", "logical", "location")
Speaker: TypeAlias = Literal["master", "player"]

MAX_TEXT = 3_000
"""Characters of one text of a script or a transcript."""
MAX_NAMES = 60
"""Places and things of a script, and values of an action's slot."""
MAX_ACTIONS = 20
MAX_SLOTS = 3
MAX_LINES = 121
"""Lines of a transcript: sixty actions."""

SYSTEM = """\
You solve a task in an environment by acting in it, one action at a time. Before each action you are told what you \
observe. Think first, on a line that begins with "Thought:"; then write one of the actions that are listed, with names \
in place of brackets, on a line that begins with "Action:"."""

REASONS = {
    "script-unusable": "places, things, actions and their values of a script fit together",
    "transcript-unreadable": "a transcript is JSON, and each of its lines has what it needs",
    "order": "master and player take turns, and the master begins",
    "unmatched-action": "an action that is not called an error is one of the script's, with values that it takes",
    "false-flag": "an action is called a parameter error if it fits none of the script's actions, and only then",
    "repeated-error": "what was refused is not done again, nor allowed, before something else was done",
    "unrevealed": "the player has been told of everything that it names in an action that works",
    "too-few-errors": "there are as many errors put right by the next action as were asked for",
    "unfinished": "the task is done in the end",
    "too-long": f"a transcript has no more than {MAX_LINES // 2} actions",
}

_SLOT = re.compile(r"\{([^\W\d_][\w -]{0,30})\}")
"""A word or two of any language, such as {thing}, {thing 2} or {behälter}."""
_ACTION_LINE = re.compile(r"^[ \t>*#_\-`]{0,8}action[ \t*_`]{0,4}:", re.I | re.M)


@dataclass(frozen=True)
class Action:
    """``pattern`` has slots in braces, ``take {thing} from {place}``; ``values`` are what each may be."""

    pattern: str
    values: Mapping[str, tuple[str, ...]]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = _SLOT.split(self.pattern.rstrip(".! "))
        for at in range(1, len(parts), 2):
            parts[at] = "(" + "|".join(re.escape(plain(value)) for value in self.values[parts[at]]) + ")"
        return re.compile("".join(part if at % 2 else re.escape(part.casefold()) for at, part in enumerate(parts)))

    def match(self, text: str) -> tuple[str, ...] | None:
        """The values in an action's text, in order; None if it is another action."""
        found = self._regex.fullmatch(plain(text))
        return found.groups() if found is not None else None


@dataclass(frozen=True)
class Script:
    title: str
    setting: str
    places: Mapping[str, tuple[str, ...]]
    inside: Mapping[str, tuple[str, ...]]
    start: str
    task: str
    actions: tuple[Action, ...]

    def match(self, text: str) -> tuple[str, ...] | None:
        return next((found for action in self.actions if (found := action.match(text)) is not None), None)

    def told(self) -> str:
        """What the player knows before it sees anything: not what is where, nor which values an action takes."""
        listed = "\n".join(f"- {_SLOT.sub(_bracketed, action.pattern)}" for action in self.actions)
        known = [self.setting, "You can do these actions:", listed, f"Your task: {self.task}"]
        return "\n".join([*known, f"You start here: {self.start}."])

    def to_json(self) -> dict[str, JSON]:
        return {
            "title": self.title,
            "setting": self.setting,
            "places": {place: list(things) for place, things in self.places.items()},
            "inside": {thing: list(things) for thing, things in self.inside.items()},
            "start": self.start,
            "task": self.task,
            "actions": [
                {"pattern": a.pattern, "values": {slot: list(values) for slot, values in a.values.items()}}
                for a in self.actions
            ],
        }

    def spec(self, *parents: str) -> EnvironmentSpec:
        data = self.to_json()
        return EnvironmentSpec(family=FAMILY, name=self.title, description=self.setting, data=data, parents=parents)


@dataclass(frozen=True)
class Line:
    """What the master or the player says. ``text`` is an observation, or an action; ``error`` and ``done`` are what the
    master says of the action before."""

    speaker: Speaker
    text: str
    thought: str = ""
    error: str | None = None
    done: bool = False

    def to_json(self) -> dict[str, JSON]:
        if self.speaker == "player":
            return {"role": "player", "thought": self.thought, "action": self.text}
        said = {"role": "master", "thought": self.thought, "observation": self.text}
        return {**said, "error": self.error, "done": self.done}


@dataclass(frozen=True)
class Fault:
    """Where a transcript breaks: the first ``keep`` lines are good, and end with one of the master's."""

    keep: int
    reason: str
    why: str


def plain(text: str) -> str:
    """As names and actions are compared: small letters, single spaces, no full stop at the end."""
    return " ".join(text.casefold().split()).rstrip(".! ")


def _bracketed(slot: re.Match[str]) -> str:
    return f"[{slot[1].replace('_', ' ')}]"


def read_script(reply: str) -> Script:
    """The script in a model's reply; raises Unparsable with all that is wrong with it."""
    found = json_value(reply)
    if not isinstance(found, dict):
        raise Unparsable("one JSON object is wanted", "script-unusable")
    wrong: list[str] = []
    texts = {name: _text(found.get(name), name, wrong) for name in ("title", "setting", "start", "task")}
    places, inside = (_names(found.get(name), name, wrong) for name in ("places", "inside"))
    actions = _actions(found.get("actions"), wrong)
    if not wrong:
        wrong += _misfits(texts["start"], places, inside, actions)
    if wrong:
        raise Unparsable(
            "the script has mistakes:\n" + "\n".join(f"- {each}" for each in wrong[:20]), "script-unusable"
        )
    return Script(texts["title"], texts["setting"], places, inside, texts["start"], texts["task"], tuple(actions))


def _text(value: JSON, name: str, wrong: list[str]) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_TEXT:
        wrong.append(f'"{name}" must be a text of 1 to {MAX_TEXT:,} characters')
        return ""
    return " ".join(value.split())


def _names(value: JSON, name: str, wrong: list[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or len(value) > MAX_NAMES:
        wrong.append(f'"{name}" must be an object from names to lists of names, {MAX_NAMES} at most')
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for key, listed in value.items():
        if not _is_name(key) or not isinstance(listed, list) or not all(map(_is_name, listed)):
            wrong.append(f'"{name}": {key[:40]!r} must have a list of names of 1 to 60 characters without braces')
        else:
            found[key] = tuple(listed)
    return found


def _is_name(value: JSON) -> bool:
    return isinstance(value, str) and 0 < len(plain(value)) <= 60 and not set(value) & set("{}[]\n")


def _actions(value: JSON, wrong: list[str]) -> list[Action]:
    if not isinstance(value, list) or not 3 <= len(value) <= MAX_ACTIONS:
        wrong.append(f'"actions" must be a list of 3 to {MAX_ACTIONS} actions')
        return []
    found = []
    for number, each in enumerate(value, 1):
        pattern, values = (each.get("pattern"), each.get("values", {})) if isinstance(each, dict) else (None, None)
        if not isinstance(pattern, str) or not isinstance(values, dict) or not 0 < len(plain(pattern)) <= 200:
            wrong.append(f'action {number} must have a "pattern" and "values"')
            continue
        slots = _SLOT.findall(pattern)
        if (told := _wrong_slots(pattern, slots)) is not None:
            wrong.append(f"action {number}, {pattern[:60]!r}: {told}")
        elif set(slots) != values.keys() or not all(_is_values(listed) for listed in values.values()):
            wrong.append(f"action {number}, {pattern[:60]!r}: give a list of names for each slot, and for nothing else")
        else:
            found.append(Action(" ".join(pattern.split()), {slot: tuple(values[slot]) for slot in slots}))
    return found


def _wrong_slots(pattern: str, slots: Sequence[str]) -> str | None:
    rest = _SLOT.sub("", pattern)
    if (strange := re.search(r"\{[^{}]*\}", rest)) is not None:
        return f"{strange[0][:40]!r} is no slot; a slot is a word or two in braces, such as {{thing}}"
    if set(rest) & set("{}[]\n"):
        return "braces belong around a slot, such as {thing}, and brackets and lines are not for patterns"
    if len(slots) > MAX_SLOTS:
        return f"{len(slots)} slots; {MAX_SLOTS} slots are the most"
    twice = next((slot for slot in slots if slots.count(slot) > 1), None)
    return f"the slot {twice!r} is there twice; call one {twice + ' 2'!r}" if twice is not None else None


def _is_values(listed: JSON) -> bool:
    return isinstance(listed, list) and 1 <= len(listed) <= MAX_NAMES and all(map(_is_name, listed))


def _misfits(
    start: str, places: Mapping[str, Sequence[str]], inside: Mapping[str, Sequence[str]], actions: Sequence[Action]
) -> list[str]:
    """What refers to something that there is not, or is there twice."""
    held = [plain(name) for things in (*places.values(), *inside.values()) for name in things]
    names = [*map(plain, places), *held]
    wrong = [f"{name!r} is there twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    wrong += [f"{name!r} has things inside and is nowhere" for name in inside if plain(name) not in held]
    if len(places) < 2:
        wrong.append('"places" needs two places at least')
    if plain(start) not in map(plain, places):
        wrong.append(f'"start" is {start[:60]!r}, which is no place')
    for action in actions:
        unknown = [v for values in action.values.values() for v in values if plain(v) not in names]
        wrong += [f"{action.pattern!r} takes {value!r}, which is neither a place nor a thing" for value in unknown]
    patterns = [_SLOT.sub("{}", plain(action.pattern)) for action in actions]
    return wrong + [f"{p!r} is an action twice" for p in dict.fromkeys(patterns) if patterns.count(p) > 1]


def read_lines(reply: str) -> list[Line]:
    """The lines of a transcript in a model's reply, a JSON list; raises Unparsable."""
    found = json_value(reply)
    listed = found.get("turns") if isinstance(found, dict) else found
    if not isinstance(listed, list) or not listed:
        raise Unparsable("a JSON list of turns is wanted", "transcript-unreadable")
    if len(listed) > MAX_LINES:
        raise Unparsable(f"there are {len(listed)} turns; {MAX_LINES} are the most", "transcript-unreadable")
    return [_line(number, each) for number, each in enumerate(listed, 1)]


def _line(number: int, value: JSON) -> Line:
    role = str(value.get("role", "")).casefold() if isinstance(value, dict) else ""
    if role not in ("master", "player"):
        raise Unparsable(f'turn {number} must have the role "master" or "player"', "transcript-unreadable")
    key = "action" if role == "player" else "observation"
    wrong: list[str] = []
    text = _text(value.get(key), key, wrong)
    thought = _text(value.get("thought"), "thought", wrong) if role == "player" or value.get("thought") else ""
    if _ACTION_LINE.search(str(value.get("thought"))) or _ACTION_LINE.search(text):
        wrong.append('neither thought nor action may begin with "Action:"')
    error = value.get("error")
    error = None if error in (None, False, "", "none", "None", "null") else str(error).casefold().split()[0]
    if role == "master" and error not in (None, *KINDS):
        wrong.append(f'"error" must be null or one of {", ".join(KINDS)}')
    if wrong:
        raise Unparsable(f"turn {number}: {'; '.join(wrong)}", "transcript-unreadable")
    if role == "player":
        return Line("player", text, thought)
    return Line("master", text, thought, error, value.get("done") is True)


@dataclass
class _Course:
    """What a transcript has come to: ``told`` is all that the player has been told, ``refused`` what was refused since
    something was done, ``refined`` the errors that the next action put right."""

    told: str
    refused: set[str] = field(default_factory=set)
    refined: int = 0


def fault_of(script: Script, lines: Sequence[Line], errors: int) -> Fault | None:
    """The first thing that is wrong with a transcript that should have so many errors put right; None if it is good.

    What comes after the line that says that the task is done is not looked at.
    """
    course = _Course(plain(script.told()))
    for at, line in enumerate(lines):
        if line.speaker != ("player" if at % 2 else "master"):
            return Fault(_kept(at), "order", f"turn {at + 1} is the {line.speaker}'s, and it is not its turn")
        if at >= 2 and at % 2 == 0 and (wrong := _judged(script, lines[at - 1], line, course)):
            return Fault(_kept(at), *wrong)
        if line.done and at < 2:
            return Fault(0, "order", "the task is done before anything was done")
        if line.done:
            if course.refined < errors:
                told = (
                    f"of the {errors} errors that are wanted {course.refined} were put right before the task was done "
                    "(errors that follow one another count once); make another, and put it right, before the end"
                )
                return Fault(_kept(at), "too-few-errors", told)
            return None
        if line.speaker == "master":
            course.told += f" {plain(line.text)}"
    if len(lines) >= MAX_LINES:
        return Fault(0, "too-long", f"the task is not done after {MAX_LINES // 2} actions")
    return Fault(_kept(len(lines)), "unfinished", "the task is not done yet")


def _kept(at: int) -> int:
    """The lines before ``at`` without a player's at their end."""
    return at if at % 2 else max(0, at - 1)


def _judged(script: Script, acted: Line, answer: Line, course: _Course) -> tuple[str, str] | None:
    """What is wrong with an action and what the master says of it: (reason, why)."""
    values, told = script.match(acted.text), repr(acted.text[:100])
    if plain(acted.text) in course.refused:
        return "repeated-error", f"{told} was refused just before, and nothing has been done since"
    if answer.error is not None:
        if (answer.error == "parameter") == (values is not None):
            fits = "fits an action of the script" if values is not None else "fits no action of the script"
            return "false-flag", f"{told} {fits}, and is called a {answer.error} error"
        if answer.done:
            return "false-flag", f"{told} is called an error, and the task is said to be done by it"
        course.refused.add(plain(acted.text))
        return None
    if values is None:
        return "unmatched-action", f"{told} fits no action of the script, or has values that it does not take"
    unknown = [value for value in values if not re.search(rf"(?<!\w){re.escape(value)}", course.told)]
    if unknown:
        return "unrevealed", f"{told} names {unknown[0]!r}, of which the player has not been told"
    course.refined += bool(course.refused)
    course.refused.clear()
    return None


def trajectory_of(script: Script, lines: Sequence[Line], spec: EnvironmentSpec, agent: str) -> tuple[Task, Trajectory]:
    """A good transcript as a conversation; actions that were errors are seen and not trained on.

    The task is said to be done by the master alone: that is its ``success``, and the reward of the last turn.
    """
    end = next(at for at, line in enumerate(lines) if line.done)
    task = Task(environment=spec.id, goal=script.task, parents=(spec.id,))
    turns = [Turn("system", SYSTEM), Turn("user", f"{script.told()}\nObservation: {lines[0].text}")]
    errors, kinds = list[int](), list[str]()
    for acted, answer in zip(lines[1 : end + 1 : 2], lines[2 : end + 1 : 2], strict=True):
        if answer.error is not None:
            errors.append(len(turns))
            kinds.append(answer.error)
        said, reward = f"Thought: {acted.thought}\nAction: {acted.text}", float(answer.done)
        turns.append(Turn("assistant", said, acted.thought, acted.text, reward, train=answer.error is None))
        turns.append(Turn("user", f"Observation: {answer.text}", reward=reward))
    meta = {"errors": errors, "kinds": kinds, "steps": (len(turns) - 2) // 2, "style": "react"}
    made = Trajectory(
        task=task.id, turns=tuple(turns), success=True, reward=1.0, agent=agent, parents=(task.id,), meta=meta
    )
    return task, made
