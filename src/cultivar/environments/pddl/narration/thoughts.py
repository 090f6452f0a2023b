"""A thought for each step of a plan, from its causal links: varied words, true by construction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from cultivar.environments.pddl.model import Atom, Formula, Not
from cultivar.environments.pddl.narration.causal import Explained, Link
from cultivar.environments.pddl.narration.narrate import Narrator
from cultivar.environments.pddl.narration.templates import capitalised

_GOAL = (
    "The goal asks that {fact}. To bring that about, I {act}.",
    "One of the conditions of the goal is that {fact}, so I {act}.",
    "To satisfy the goal, {fact_should}. For this I {act}.",
    "I still have to see to it that {fact}; the goal demands it. So now I {act}.",
    "Now I can satisfy one condition of the goal, that {fact}: I {act}.",
)
_NEXT = (
    "Next I want to {later}. For that I need {being}, so first I {act}.",
    "I need {being} before I can {later}, so first I {act}.",
    "Before I {later}, it has to hold that {fact}. Therefore I {act}.",
    "My next move is to {later}, but that needs one thing: {fact}. So I {act}.",
    "If I {act}, then {fact}, and after that I can {later}.",
)
_LATER = (
    "Later I mean to {later}, and this requires that {fact}. So I {act}.",
    "I need {being} before I can {later}, so now I {act}.",
    "In a while I want to {later}, so I have to make sure that {fact}. For this I {act}.",
    "Further on I am going to {later}. That needs one thing to be so: {fact}. Hence I {act}.",
)
_EFFECT = (
    "It will make a difference later, when I {later}, that {fact}. So I {act}.",
    "What comes of it when I {later} depends on this: {fact}. So before that I {act}.",
)
_AIM = (
    " In the end this serves the goal that {aim}.",
    " This is on the way to the condition that {aim}.",
    " It is a step towards the goal that {aim}.",
    " I do this because the goal asks that {aim}.",
)
_ALSO = (
    " The goal also asks that {fact}, and this step makes it so.",
    " This step also makes true what the goal asks for: {fact}.",
)
_PLAIN = ("I {act}. After this, {fact}.", "I {act}, so that {fact}.")


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What is known of a step, in words: the material for a model that writes the thoughts.

    ``serves`` are (what the step makes so, the later step that needs it; "" is the goal); ``aim`` is the condition of
    the goal that the step leads to, "" if it leads to none; ``changes`` are all visible effects.
    """

    action: str
    serves: tuple[tuple[str, str], ...]
    aim: str
    changes: tuple[str, ...]


def step_facts(narrator: Narrator, explained: Sequence[Explained]) -> list[StepFacts]:
    """The causal facts of every step, true by construction."""
    found = []
    for i, step in enumerate(explained):
        serves = tuple(
            (narrator.clause(link.condition), _sentence(narrator, explained, link.consumer)) for link in step.links
        )
        aim = _aim(explained, i)
        found.append(
            StepFacts(
                narrator.action(step.name, step.args),
                serves,
                narrator.clause(aim) if aim is not None else "",
                tuple(narrator.clause(change) for change in step.changes),
            )
        )
    return found


def template_thoughts(narrator: Narrator, explained: Sequence[Explained], rng: random.Random) -> list[str]:
    """One thought a step: the sub-goal it serves, and where that leads."""
    return [_thought(narrator, explained, i, rng) for i in range(len(explained))]


def _sentence(narrator: Narrator, explained: Sequence[Explained], i: int | None) -> str:
    if i is None:
        return ""
    return narrator.action(explained[i].name, explained[i].args)


def _aim(explained: Sequence[Explained], i: int) -> Formula | None:
    """The condition of the goal at the end of the shortest chain of links from a step, the earliest consumers first."""
    seen, todo = {i}, [i]
    for step in todo:
        links = sorted(explained[step].links, key=_order)
        for link in links:
            if link.consumer is None:
                return link.condition
        for link in links:
            if link.consumer is not None and link.consumer not in seen:
                seen.add(link.consumer)
                todo.append(link.consumer)
    return None


def _order(link: Link) -> tuple[int, bool, bool, str]:
    """The goal after all steps; preconditions before effects; what is so before what is not so."""
    last = 1 << 30 if link.consumer is None else link.consumer
    return (last, link.for_effect, isinstance(link.condition, Not), str(link.condition))


def _thought(narrator: Narrator, explained: Sequence[Explained], i: int, rng: random.Random) -> str:
    step = explained[i]
    act = narrator.doing(step.name, step.args)
    links = sorted(step.links, key=_order)
    if not links:
        changed = sorted(step.changes, key=lambda change: isinstance(change, Not))
        return _say(narrator, rng.choice(_PLAIN), act, changed[0]) if changed else f"I {act}."
    goals = [link for link in links if link.consumer is None]
    positive = [link for link in goals if isinstance(link.condition, Atom)]
    if len(goals) == len(links) or (positive and rng.random() < 0.5):
        return _say(narrator, rng.choice(_GOAL), act, rng.choice(positive or goals).condition)
    link = links[0]
    assert link.consumer is not None
    consumer = explained[link.consumer]
    later = narrator.doing(consumer.name, consumer.args)
    patterns = _EFFECT if link.for_effect else _NEXT if link.consumer == i + 1 else _LATER
    text = _say(narrator, rng.choice(patterns), act, link.condition, later)
    if positive:
        return text + _say(narrator, rng.choice(_ALSO), act, positive[0].condition)
    aim = _aim(explained, i)
    if aim is not None and rng.random() < 0.6:
        text += rng.choice(_AIM).format(aim=narrator.clause(aim))
    return text


def _say(narrator: Narrator, pattern: str, act: str, literal: Formula, later: str = "") -> str:
    fact = narrator.clause(literal)
    should = f"it must hold that {fact}"
    said = pattern.format(fact=fact, fact_should=should, being=narrator.being(literal), act=act, later=later)
    return capitalised(said)
