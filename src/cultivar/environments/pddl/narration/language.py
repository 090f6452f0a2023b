"""The language interface of a domain: one sentence template per predicate and per action, as data.

Predicates and actions are two name spaces. The n-th parameter of a predicate or action is ``{argN}``, so the order of
the words is free: ``pick-up-at`` may read ``"In {arg2}, pick up {arg1}."``. Actions read best as commands.
``check_language`` (check_language.py) says what is wrong with one, ``read_language`` takes one out of a model's reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from cultivar.core.errors import InputError
from cultivar.core.records import JSON
from cultivar.environments.pddl.model import Action, Domain, Predicate
from cultivar.environments.pddl.narration.templates import Template, sentence, words


@dataclass(frozen=True)
class Visibility:
    """What an agent can see, for partial observations.

    ``agent_at`` is the predicate that says where the agent is: ``(agent-at ?place)``, or ``(at ?agent ?place)`` with
    ``agent_type`` the type of the agents if other things are placed by the same predicate. ``at`` are the predicates
    that place a thing: their first argument is the thing, their second its place, which may be another thing (a
    container or a surface). ``open`` is the predicate of a container that one can see into.

    A thing is visible if nothing places it (it is held, or is a place), if it is at a place where an agent is, or if
    what holds it is visible and not closed. A thing is a container that can be closed if its type fits ``open``. A fact
    is seen if all its arguments are visible.
    """

    agent_at: str
    at: tuple[str, ...]
    agent_type: str | None = None
    open: str | None = None

    def to_json(self) -> dict[str, JSON]:
        return {"agent_at": self.agent_at, "at": list(self.at), "agent_type": self.agent_type, "open": self.open}

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Self:
        return cls(data["agent_at"], tuple(data["at"]), data.get("agent_type"), data.get("open"))


@dataclass(frozen=True)
class Language:
    """Templates by name. ``negated`` is optional: templates that deny a predicate, where the derived words are poor."""

    predicates: Mapping[str, str]
    actions: Mapping[str, str]
    negated: Mapping[str, str] = field(default_factory=dict)
    visibility: Visibility | None = None

    def to_json(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {"predicates": dict(self.predicates), "actions": dict(self.actions)}
        if self.negated:
            found["negated"] = dict(self.negated)
        if self.visibility is not None:
            found["visibility"] = self.visibility.to_json()
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Self:
        """Raises InputError if the templates are not two mappings of strings."""
        try:
            predicates, actions, negated = (
                dict(data["predicates"]),
                dict(data["actions"]),
                dict(data.get("negated") or {}),
            )
            seen = data.get("visibility")
            visibility = Visibility.from_json(seen) if seen else None
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"a language needs 'predicates' and 'actions', each name -> sentence ({error!r})"
            ) from None
        if not all(
            isinstance(k, str) and isinstance(v, str) for m in (predicates, actions, negated) for k, v in m.items()
        ):
            raise InputError("a language maps names to sentences: every key and every value must be a string")
        return cls(predicates, actions, negated, visibility)


def spoken(name: str) -> str:
    """A name of PDDL as words: ``pick-up`` -> ``pick up``."""
    return " ".join(name.replace("-", " ").replace("_", " ").split()) or name


_PLACE = frozenset(
    words(
        "at in on under above below behind inside outside near by beside within next-to adjacent-to connected-to "
        "on-top-of in-front-of left-of right-of part-of linked-to attached-to next_to adjacent_to connected_to "
        "on_top_of"
    )
)
_STATE = frozenset(
    words(
        "clear empty open closed clean dirty full free ready available wet dry hot cold broken fixed locked "
        "unlocked safe busy on-table ontable idle alive visible"
    )
)
_PREPOSITIONS = frozenset(words("from to with on in into onto at using via by through for"))


def _statement(predicate: Predicate) -> str:
    name, count = predicate.name, predicate.arity
    said = spoken(name)
    if count == 2 and name in _PLACE:
        return f"{{arg1}} is {said} {{arg2}}"
    if count == 1 and name in _STATE:
        return f"{{arg1}} is {'on the table' if name in ('ontable', 'on-table') else said}"
    if count == 0:
        return f"{said} holds"
    return f"{said} holds for {' and '.join(f'{{arg{k + 1}}}' for k in range(count))}"


def _command(action: Action) -> str:
    text = spoken(action.name)
    for k, parameter in enumerate(action.parameters):
        preposition = parameter.name.lstrip("?").rstrip("0123456789")
        joint = f" {preposition} " if preposition in _PREPOSITIONS else ", " if k else " "
        text += f"{joint}{{arg{k + 1}}}"
    return text


def _distinct(texts: dict[str, str], otherwise: Mapping[str, str], taken: Iterable[tuple[str, ...]] = ()) -> None:
    """Replaces every text whose shape is met twice: names are unique, so the plain form of ``otherwise`` is too."""
    shapes: dict[tuple[str, ...], int] = dict.fromkeys(taken, 1)
    for text in texts.values():
        shape = Template.parse(text).shape
        shapes[shape] = shapes.get(shape, 0) + 1
    for name, text in list(texts.items()):
        template = Template.parse(text)
        if shapes[template.shape] > 1 or template.glued or not set(template.shape) - {"{}"}:
            texts[name] = otherwise[name]


def default_language(domain: Domain) -> Language:
    """Templates made of the names alone: plain, not pretty, and never two alike.

    ``(at ?x ?y)`` -> "{arg1} is at {arg2}." where the name is a known preposition, "clear" -> "{arg1} is clear.",
    otherwise "<name> holds for {arg1} and {arg2}."; ``(move ?x ?from ?to)`` -> "Move {arg1} from {arg2} to {arg3}."
    """
    predicates = {p.name: _statement(p) for p in domain.predicates}
    plain = {}
    for number, predicate in enumerate(domain.predicates, start=1):
        rest = "".join(f" and {{arg{k + 1}}}" for k in range(predicate.arity))
        plain[predicate.name] = f"fact {number} {predicate.name} holds for it{rest}"
    _distinct(predicates, plain)
    actions = {a.name: _command(a) for a in domain.actions}
    plain = {}
    for number, action in enumerate(domain.actions, start=1):
        rest = ", ".join(f"{{arg{k + 1}}}" for k in range(len(action.parameters)))
        plain[action.name] = f"do {action.name} as action {number} with {rest}".rstrip()
    _distinct(actions, plain, [Template.parse(t).shape for t in predicates.values()])
    return Language(
        {name: sentence(text) for name, text in predicates.items()},
        {name: sentence(text) for name, text in actions.items()},
    )
