"""The specification of a domain in words, made from the draft itself: what is said of an action is what it does."""

from __future__ import annotations

import re
from collections import Counter

from cultivar.environments.pddl.procedural.draft import ActionDraft, Draft, Literal, Parameter
from cultivar.environments.pddl.procedural.wording import Polarity, capital, listed, plural, say, with_article

_LETTERED = ("level", "hour", "colour", "rank")
"""Nouns of types whose objects are named by adjectives or numerals: "level A" reads better than "the level"."""
_CHOSEN = {"hand": "chosen hand"}
"""Nouns of which everyone has several, so that "the hand" would not be read as any of them."""


_IS_LEVEL = re.compile(r"\b((?:is|be)(?: not| no longer)?) level\b")


def describe(draft: Draft, topic: list[str]) -> str:
    """Setting, actions with conditions and effects, restrictions: three paragraphs, the last two as bullet points."""
    actions = "\n".join(f"- {_action(draft, a)}" for a in draft.actions.values())
    rules = "\n".join(f"- {capital(rule)}" for rule in dict.fromkeys(draft.rules))
    return (
        f"{_setting(draft, topic)}\n\n"
        f"The actions defined in this domain include:\n{actions}\n\n"
        f"You have the following restrictions:\n{rules}"
    )


def _setting(draft: Draft, topic: list[str]) -> str:
    theme = draft.theme
    text = f"You are {with_article(theme.role)}. {theme.setting}"
    if not draft.solo:
        text += f" You direct the {plural(draft.noun('worker'))}: say who does what, one step after the other."
    if topic:
        text += f" Words often heard here are {listed(topic)}."
    kinds = [
        plural(t.noun) for role, t in draft.types.items() if t.noun not in ("thing", "station", "hand", *_LETTERED)
    ]
    return f"{text} You deal with {listed(list(dict.fromkeys(kinds)))}."


def labels(draft: Draft, parameters: list[Parameter]) -> dict[str, str]:
    """A parameter -> what it is called in a description: "room", "other room", "level A", "B-th" (in line)."""
    found: dict[str, str] = {}
    before: Counter[str] = Counter()
    for name, role in parameters:
        noun = draft.noun(role)
        letter, which = "ABCD"[before[noun]], ("", "other ", "third ", "fourth ")[before[noun]]
        if noun == "rank":
            found[name] = f"{letter}-th"
        elif noun in _LETTERED:
            found[name] = f"{noun} {letter}"
        else:
            found[name] = f"{which}{_CHOSEN.get(noun, noun)}"
        before[noun] += 1
    return found


def _action(draft: Draft, action: ActionDraft) -> str:
    names = labels(draft, draft.kept(action.parameters))
    needs = [_literal(draft, action, n, names, effect=False) for n in action.needs]
    gains = [_literal(draft, action, e, names, effect=True) for e in action.effects if e.wanted]
    losses = [_literal(draft, action, e, names, effect=True) for e in action.effects if not e.wanted]
    head = _IS_LEVEL.sub(r"\1 at level", capital(say(action.wording, names, solo=draft.solo)))
    return f"{head} (`{action.name}`). This needs: {'; '.join(needs)}. Afterwards {listed([*gains, *losses])}."


def _literal(draft: Draft, action: ActionDraft, literal: Literal, names: dict[str, str], *, effect: bool) -> str:
    role, *arguments = literal.words
    if role == "=":
        return f"the {names[arguments[0]]} and the {names[arguments[1]]} are two different ones"
    predicate = draft.predicates[role]
    values = {slot: names.get(argument, "you") for (slot, _), argument in zip(predicate.parameters, arguments)}
    lost: Polarity = "no longer" if effect else "not"
    said = say(predicate.wording, values, solo=draft.solo, polarity="is" if literal.wanted else lost)
    return _IS_LEVEL.sub(r"\1 at level", said)
