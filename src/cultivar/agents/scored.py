"""Replies in which a model scores what it proposes, as one JSON object: a plan, an action, an answer.

    {"subtasks": [...], "reflection": ..., "score": 1 to 10}             read_plan
    {"thought": ..., "action": ..., "reflection": ..., "score": ...}     read_call
    {"answer": ..., "reflection": ..., "score": ...}                     read_answer

All texts come back on one line. Each raises Unparsable, in words that help the model to mend its reply.
"""

from __future__ import annotations

from typing import Any

from cultivar.agents.episode import Move, Style
from cultivar.core.errors import Unparsable
from cultivar.core.protocols import Choice
from cultivar.core.replies import json_value

MAX_TEXT = 2_000
"Characters of one text."
MAX_SUBTASKS = 100


def read_scored(reply: str, *texts: str) -> dict[str, Any]:
    """A JSON object with these texts, each on one line, a reflection and a score."""
    found = json_value(reply)
    if not isinstance(found, dict):
        raise Unparsable("one JSON object is wanted")
    for name in (*texts, "reflection"):
        text = found.get(name)
        if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
            raise Unparsable(f'"{name}" must be a text of 1 to {MAX_TEXT:,} characters')
        found[name] = " ".join(text.split())
    if type(found.get("score")) is not int or not 1 <= found["score"] <= 10:
        raise Unparsable('"score" must be a whole number from 1 to 10')
    return found


def read_plan(reply: str) -> dict[str, Any]:
    found = read_scored(reply)
    steps = found.get("subtasks")
    if not isinstance(steps, list) or not 0 < len(steps) <= MAX_SUBTASKS:
        raise Unparsable(f'"subtasks" must be a list of 1 to {MAX_SUBTASKS} texts')
    if not all(isinstance(step, str) and 0 < len(step.strip()) <= MAX_TEXT for step in steps):
        raise Unparsable(f'each of the "subtasks" must be a text of 1 to {MAX_TEXT:,} characters')
    return {**found, "subtasks": [" ".join(step.split()) for step in steps]}


def read_answer(reply: str) -> dict[str, Any]:
    return read_scored(reply, "answer")


def read_call(reply: str, before: str, style: Style) -> tuple[Move, str, int]:
    """The move, with ``before`` over its thought; the reflection on it, and its score."""
    found = read_scored(reply, "thought", "action")
    action = found["action"].removeprefix("Action: ")
    move = style.read(Choice(f"{before}Thought: {found['thought']}\nAction: {action}"), 0)
    if move.actions != (action,) or any("action:" in found[key].casefold() for key in ("thought", "reflection")):
        raise Unparsable('the "action" must be one bare action, and thought and reflection must hold none')
    return move, found["reflection"], found["score"]
