"""What to say to a text that is no action: the nearest action or object is named, and nothing is assumed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from cultivar.environments.pddl.forms import Trie
from cultivar.environments.pddl.language import spoken
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.templates import ARTICLES, Template, sentence, words

MAX_NAMED = 30
_SAID = 60  # characters of the reader's own words that are repeated


class Helper:
    """The words to answer with, for one task."""

    def __init__(
        self, domain: Domain, shown: Mapping[str, str], templates: Mapping[str, Template], spellings: Trie
    ) -> None:
        self._domain = domain
        self._shown = shown
        self._templates = templates
        self._spellings = spellings

    def known_actions(self) -> str:
        names = [spoken(a.name) for a in self._domain.actions]
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        return f"You can: {', '.join(names[:MAX_NAMED])}{more}."

    def sentences(self, calls: Sequence[tuple[str, tuple[str, ...]]]) -> str:
        said = sorted(
            f"'{sentence(self._templates[name].render([self._shown[a] for a in args]))}'" for name, args in calls
        )
        return " or ".join(said[:4]) + (f" or {len(said) - 4} more" if len(said) > 4 else "")

    def pattern(self, name: str) -> str:
        """The sentence of an action with the types of its arguments for names: 'Stack [block] on [block].'"""
        parameters = self._domain.action[name].parameters
        kinds = [f"[{' or '.join(spoken(t) for t in p.types)}]" for p in parameters]
        return f"'{sentence(self._templates[name].render(kinds))}'"

    def unread(
        self, lines: Sequence[list[str]]
    ) -> tuple[Literal["unknown-action", "unknown-object", "malformed"], str]:
        """For the words of each line of a reply that could not be read."""
        for tokens in lines:
            name = self._meant(tokens)
            if name is None:
                continue
            strange = next(self._strangers(name, tokens), None)
            form = f"To {spoken(name)}, write: {self.pattern(name)}"
            if strange is not None:
                return "unknown-object", f"There is no object '{_cut(strange)}'{self._near(strange)} {form}"
            return "malformed", f"That is not a complete action. {form}"
        said = _cut(" ".join(self._verb(lines[0]))) if lines else ""
        return "unknown-action", f"There is no action '{said}'; {_lower(self.known_actions())}"

    def _meant(self, tokens: Sequence[str]) -> str | None:
        """The one action whose name or whose first words the text starts with (the longest such)."""
        plain = _plain(tokens)
        best: dict[str, int] = {}
        for action in self._domain.actions:
            for head in (words(action.name), words(spoken(action.name)), self._head(action.name)):
                if head and plain[: len(head)] == head:
                    best[action.name] = max(best.get(action.name, 0), len(head))
        longest = [name for name, size in best.items() if size == max(best.values())]
        return longest[0] if len(longest) == 1 else self._by_frame(tokens, longest)

    def _by_frame(self, tokens: Sequence[str], among: Sequence[str]) -> str | None:
        fitting = [a.name for a in self._domain.actions if self._gaps(a.name, tokens) is not None]
        both = [name for name in fitting if name in among] if among else fitting
        return both[0] if both and (len(both) == 1 or among) else among[0] if among else None

    def _head(self, name: str) -> list[str]:
        found: list[str] = []
        for element in self._templates[name].elements:
            if not isinstance(element, str):
                break
            if element not in ARTICLES and element != "\0":
                found.append(element)
        return found

    def _gaps(self, name: str, tokens: Sequence[str]) -> list[list[str]] | None:
        """What stands where the arguments should, if the words of the template are all there in order.

        An article may be the name of an object, so the words are tried with articles first.
        """
        return self._split(name, tokens) or self._split(name, _plain(tokens))

    def _split(self, name: str, plain: Sequence[str]) -> list[list[str]] | None:
        gaps: list[list[str]] = []
        at, open_gap, literal = 0, False, False
        for element in self._templates[name].elements:
            if isinstance(element, int):
                gaps.append([])
                open_gap = True
            elif element not in ARTICLES and element != "\0":
                literal = True
                while open_gap and at < len(plain) and plain[at] != element:
                    gaps[-1].append(plain[at])
                    at += 1
                if at == len(plain) or plain[at] != element:
                    return None
                at, open_gap = at + 1, False
        rest = list(plain[at:])
        if rest and not open_gap:
            return None
        if open_gap:
            gaps[-1] += rest
        return gaps if literal and all(gaps) else None

    def _strangers(self, name: str, tokens: Sequence[str]) -> Iterator[str]:
        """What stands for an argument and is the name of nothing."""
        plain = _plain(tokens)
        gaps = self._gaps(name, tokens)
        if gaps is None:
            heads = [words(name), words(spoken(name)), self._head(name)]
            size = max((len(h) for h in heads if plain[: len(h)] == h), default=0)
            parameters = self._domain.action[name].parameters
            rest = plain[size:]
            gaps = [[t] for t in rest] if len(rest) == len(parameters) else []
        for gap in gaps:
            if not self._known(gap):
                bare = gap
                while bare[0] in ARTICLES and len(bare) > 1 and not self._known(bare):
                    bare = bare[1:]
                if not self._known(bare):
                    yield " ".join(bare)

    def _known(self, gap: Sequence[str]) -> bool:
        return any(end == len(gap) for end, _ in self._spellings.at(gap, 0))

    def _near(self, strange: str) -> str:
        names = list(self._shown.values())[:500]
        near = difflib.get_close_matches(strange[:_SAID], [n.casefold() for n in names], n=1, cutoff=0.6)
        if near:
            return f"; did you mean '{near[0]}'?"
        if len(names) <= 12:
            return f"; there are: {', '.join(names)}."
        return "."

    def _verb(self, tokens: Sequence[str]) -> list[str]:
        """The words before the first object's name: what the text wants done."""
        kinds = {word for kind in self._domain.ancestors for word in words(spoken(kind))}
        for at in range(1, len(tokens)):
            if tokens[at] in ARTICLES or tokens[at] in kinds or self._spellings.at(tokens, at):
                return list(tokens[:at][:4])
        return list(tokens[:4])


def _plain(tokens: Sequence[str]) -> list[str]:
    return [t for t in tokens if t not in ARTICLES]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _cut(text: str) -> str:
    return text if len(text) <= _SAID else f"{text[: _SAID - 3]}..."
