"""A domain in the making: what mechanics add types, predicates and actions to, and change each other's actions through.

Mechanics speak in *roles* ("place", "lies", "pick"); the draft gives every role a name from the theme. Conditions and
effects are written in a short notation, one literal after the other: ``"at who here, not locked there, who !=
mate"``. Parameters are written ``"who item here tool2:tool"``: the role of the type is what follows the colon, or the
name itself without digits; ``here`` and ``there`` are places, ``who`` and ``mate`` workers.

A domain has either a crew of named workers or one unnamed actor. Mechanics are written for a crew; with a single
actor the parameter ``who`` is dropped from every predicate and action, and sentences address "you".
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from cultivar.environments.pddl.model import Action, And, Atom, Domain, Equals, Formula, Not, Predicate, Variable
from cultivar.environments.pddl.procedural.lexicon import Theme
from cultivar.environments.pddl.procedural.wording import capital, conjugated, listed, plural, say, slug, with_article

ACTOR = "who"
YOU = "you"
_DEED = re.compile(r"~(.+?) the \{(\w+)\}")
_TAIL = re.compile(r", (?:\w+ing|next to|which) ")
_ALIASES = {"here": "place", "there": "place", "who": "worker", "mate": "worker"}

Parameter = tuple[str, str]  # (name, role of its type)


@dataclass(frozen=True, slots=True)
class Literal:
    """``words`` are the predicate's role and its arguments; the role ``=`` is equality."""

    wanted: bool
    words: tuple[str, ...]


def read_literals(text: str) -> list[Literal]:
    """Reads the notation ``"p a b, not q a, a != b"``."""
    found = []
    for part in text.split(","):
        words = part.split()
        if not words:
            continue
        if len(words) == 3 and words[1] == "!=":
            found.append(Literal(False, ("=", words[0], words[2])))
        elif words[0] == "not":
            found.append(Literal(False, tuple(words[1:])))
        else:
            found.append(Literal(True, tuple(words)))
    return found


def read_parameters(text: str) -> list[Parameter]:
    """Reads the notation ``"who item here tool2:tool"``."""
    found = []
    for word in text.split():
        name, _, role = word.partition(":")
        bare = name.rstrip("0123456789")
        found.append((name, role or _ALIASES.get(bare, bare)))
    return found


@dataclass(slots=True)
class TypeDraft:
    """``noun`` is what one of them is called; ``names`` are phrases for the objects of this type."""

    name: str
    parent: str
    noun: str
    names: tuple[str, ...]


@dataclass(slots=True)
class PredicateDraft:
    name: str
    parameters: list[Parameter]
    wording: str


@dataclass(slots=True)
class ActionDraft:
    """``overhead`` estimates the extra steps that conditions of other mechanics cost each time the action is done."""

    role: str
    name: str
    parameters: list[Parameter]
    needs: list[Literal]
    effects: list[Literal]
    wording: str
    kind: str = ""
    overhead: float = 0.0

    def require(self, text: str) -> None:
        self.needs += [n for n in read_literals(text) if n not in self.needs]

    def cause(self, text: str) -> None:
        """Adds effects; an effect that undoes one already there replaces it."""
        for new in read_literals(text):
            self.effects = [e for e in self.effects if e.words != new.words]
            self.effects.append(new)

    def extend(self, parameters: str, wording: str = "") -> None:
        """Adds parameters that are not there yet, and words for them at the end of the sentence.

        Words with a comma of their own stay last: "... with the {hand}, moving the line up from ..."."""
        known = [name for name, _ in self.parameters]
        self.parameters += [p for p in read_parameters(parameters) if p[0] not in known]
        tail = None if wording.startswith(",") else _TAIL.search(self.wording)
        end = tail.start() if tail else len(self.wording)
        self.wording = f"{self.wording[:end]}{wording}{self.wording[end:]}"

    def has(self, name: str) -> bool:
        return any(name == known for known, _ in self.parameters)


class Capacity(Protocol):
    """What limits how much a worker carries: makes an action take a thing in hand, or give up one that is."""

    def take(self, action: ActionDraft, thing: str) -> None: ...

    def release(self, action: ActionDraft, thing: str) -> None: ...


@dataclass
class Draft:
    """See the module. ``rules`` are restrictions in words; ``solo`` says that there is one unnamed actor;
    ``capacity`` is there once things can be carried, ``roomy`` if more than one at a time."""

    theme: Theme
    rng: random.Random
    solo: bool
    types: dict[str, TypeDraft] = field(default_factory=dict)
    predicates: dict[str, PredicateDraft] = field(default_factory=dict)
    actions: dict[str, ActionDraft] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    taken: set[str] = field(
        default_factory=lambda: {"object", "either", "and", "or", "not", "when", "forall", "exists"}
    )

    imperative: bool = False
    mechanics: frozenset[str] = frozenset()
    capacity: Capacity | None = None
    roomy: bool = False

    # -- what mechanics add ----------------------------------------------------------------------------------------

    def type(self, role: str, noun: str, names: tuple[str, ...] = (), parent: str = "") -> None:
        """A type; the same declaration may be made twice, but not two for one role."""
        if role in self.types:
            self._agree(role, (self.types[role].noun, self.types[role].parent), (noun, parent))
        else:
            self.types[role] = TypeDraft(self._name((noun, role)), parent, noun, names or (noun,))

    def predicate(self, role: str, parameters: str, wording: str, names: str = "") -> None:
        """A predicate; ``names`` are alternatives such as ``"locked|bolted"``. The same may be declared twice."""
        if role in self.predicates:
            self._agree(role, self.predicates[role].parameters, read_parameters(parameters))
        else:
            name = self._name((*self._shuffled(names), role))
            self.predicates[role] = PredicateDraft(name, read_parameters(parameters), self._placed(wording))

    def action(
        self, role: str, verbs: str, parameters: str, needs: str, effects: str, wording: str, kind: str = ""
    ) -> ActionDraft:
        """An action; ``verbs`` are alternatives, of which the theme's own go first. ``~verb`` in the wording is it."""
        self._agree(role, role in self.actions, False)
        options = [*self._shuffled(self.theme.verbs.get(role, "")), *self._shuffled(verbs)]
        verb = next((v for v in options if slug(v) not in self.taken), options[0])
        name = self._name((verb, f"{verb} {self._last_noun(parameters)}", role))
        action = ActionDraft(
            role,
            name,
            read_parameters(parameters),
            read_literals(needs),
            read_literals(effects),
            self._placed(wording.replace("~verb", f"~{verb}")),
            kind,
        )
        self.actions[role] = action
        return action

    def clone(
        self,
        source: str,
        role: str,
        verbs: str,
        parameters: str,
        needs: str,
        effects: str,
        wording: str,
        kind: str = "",
    ) -> ActionDraft:
        """An action with all that ``source`` has by now, and more: leading someone is moving with conditions added."""
        first = self.actions[source]
        action = self.action(role, verbs, "", "", "", wording, kind)
        action.parameters = list(first.parameters)
        action.extend(parameters)
        action.needs = list(first.needs)
        action.require(needs)
        action.effects = list(first.effects)
        action.cause(effects)
        return action

    def rule(self, text: str) -> None:
        """A restriction in words. ``{role}`` is the noun of a type, ``{role+}`` its plural, ``{you}`` the actor, whose
        verb is marked: ``"{you} ~need free hands to lead a {client}."``"""
        for role, kind in self.types.items():
            text = text.replace(f"an {{{role}}}", with_article(kind.noun)).replace(
                f"a {{{role}}}", with_article(kind.noun)
            )
            text = text.replace(f"An {{{role}}}", capital(with_article(kind.noun)))
            text = text.replace(f"A {{{role}}}", capital(with_article(kind.noun)))
            text = text.replace(f"{{{role}}}", kind.noun).replace(f"{{{role}+}}", plural(kind.noun))
        actor = "you" if self.solo else with_article(self.noun("worker"))
        self.rules.append(conjugated(text.replace("{you}", actor), second=self.solo))

    # -- what mechanics ask ----------------------------------------------------------------------------------------

    def noun(self, role: str) -> str:
        return self.types[role].noun

    def deeds(self, actions: list[ActionDraft]) -> str:
        """The actions with what they are done to, as in "saw or plane a load or fit a part"; for the words of rules."""
        verbs: dict[str, list[str]] = {}
        for action in actions:
            found = _DEED.search(action.wording)
            if found is None:
                raise ValueError(f"the wording {action.wording!r} has no verb followed by what it is done to")
            role = dict(action.parameters)[found[2]]
            verbs.setdefault(with_article(self.noun(role)), []).append(found[1])
        return listed([f"{listed(done, 'or')} {what}" for what, done in verbs.items()], "or")

    def take(self, action: ActionDraft, thing: str) -> None:
        """The action takes ``thing`` in hand."""
        action.cause(f"holds who {thing}")
        if self.capacity:
            self.capacity.take(action, thing)

    def release(self, action: ActionDraft, thing: str) -> None:
        """The action gives up ``thing``, which must be in hand."""
        action.require(f"holds who {thing}")
        action.cause(f"not holds who {thing}")
        if self.capacity:
            self.capacity.release(action, thing)

    def of_kind(self, *kinds: str) -> list[ActionDraft]:
        return [a for a in self.actions.values() if a.kind in kinds]

    def some(self, actions: list[ActionDraft], most: int = 2) -> list[ActionDraft]:
        """A random choice of one to ``most`` of them, in their order."""
        picked = self.rng.sample(range(len(actions)), self.rng.randint(1, min(most, len(actions))))
        return [actions[i] for i in sorted(picked)]

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # -- the result ------------------------------------------------------------------------------------------------

    def domain(self, name: str) -> Domain:
        """The finished, checked domain."""
        actions = tuple(self._action(a) for a in self.actions.values())
        return Domain(
            name=name,
            requirements=self._requirements(),
            types=tuple((t.name, (self.types[t.parent].name,) if t.parent else ()) for t in self.types.values()),
            predicates=tuple(Predicate(p.name, self._variables(p.parameters)) for p in self.predicates.values()),
            actions=actions,
        )

    def predicate_template(self, role: str, *, negated: bool = False) -> str:
        draft = self.predicates[role]
        return say(draft.wording, self._numbered(draft.parameters), solo=self.solo, polarity="not" if negated else "is")

    def action_template(self, role: str) -> str:
        """A command ("Pick up the ...") or a statement ("You pick up the ..."); a crew is told who does it."""
        draft = self.actions[role]
        text = say(draft.wording, self._numbered(draft.parameters), solo=self.solo)
        return f"{capital(text.removeprefix('you ') if self.imperative else text)}."

    def kept(self, parameters: list[Parameter]) -> list[Parameter]:
        """The parameters that a domain with this cast has."""
        return [p for p in parameters if not (self.solo and p[0] == ACTOR)]

    def atom(self, words: tuple[str, ...], mark: str = "") -> Atom:
        """Role and arguments as an atom; ``mark`` is ``?`` for variables. The single actor's argument is dropped."""
        gone = (ACTOR, YOU) if self.solo else ()
        return Atom(self.predicates[words[0]].name, tuple(mark + w for w in words[1:] if w not in gone))

    def _numbered(self, parameters: list[Parameter]) -> dict[str, str]:
        return {name: f"{{arg{i}}}" for i, (name, _) in enumerate(self.kept(parameters), 1)}

    def _variables(self, parameters: list[Parameter]) -> tuple[Variable, ...]:
        return tuple(Variable(f"?{name}", (self.types[role].name,)) for name, role in self.kept(parameters))

    def _literal(self, literal: Literal) -> Formula:
        if literal.words[0] == "=":
            positive: Formula = Equals(f"?{literal.words[1]}", f"?{literal.words[2]}")
        else:
            positive = self.atom(literal.words, "?")
        return positive if literal.wanted else Not(positive)

    def _action(self, draft: ActionDraft) -> Action:
        deleted = [e for e in draft.effects if not e.wanted]
        added = [e for e in draft.effects if e.wanted]
        return Action(
            draft.name,
            self._variables(draft.parameters),
            And(tuple(self._literal(n) for n in draft.needs)),
            And(tuple(self._literal(e) for e in (*deleted, *added))),
        )

    def _requirements(self) -> tuple[str, ...]:
        needs = [n for a in self.actions.values() for n in a.needs]
        negative = any(not n.wanted and n.words[0] != "=" for n in needs)
        equality = any(n.words[0] == "=" for n in needs)
        extra = [(":negative-preconditions", negative or equality), (":equality", equality)]
        return (":strips", ":typing", *(name for name, used in extra if used))

    def _agree(self, role: str, old: object, new: object) -> None:
        if old != new:
            raise ValueError(f"two mechanics use the role {role!r} for different things: {old!r} and {new!r}")

    def _last_noun(self, parameters: str) -> str:
        return self.noun(read_parameters(parameters)[-1][1]) if parameters else ""

    def _shuffled(self, alternatives: str) -> Iterator[str]:
        options = [a for a in alternatives.split("|") if a]
        self.rng.shuffle(options)
        return iter(options)

    def _name(self, options: tuple[str, ...]) -> str:
        """The first option that is not taken, as a PDDL name; a number is added if all are."""
        names = [slug(option) for option in options]
        free = [n for n in names if n not in self.taken]
        name = free[0] if free else next(n for k in range(2, 99) if (n := f"{names[0]}-{k}") not in self.taken)
        self.taken.add(name)
        return name

    def _placed(self, wording: str) -> str:
        """The theme's preposition for its places: "in" a room, "at" a berth."""
        for mark in ("here", "there"):
            wording = wording.replace(f" in the {{{mark}}}", f" {self.theme.inside} the {{{mark}}}")
        return wording
