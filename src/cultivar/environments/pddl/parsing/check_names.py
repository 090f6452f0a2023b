"""Names, typed lists and the type hierarchy: what every section of a domain or problem is made of."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cultivar.environments.pddl.model import OBJECT, Domain, Predicate, Variable
from cultivar.environments.pddl.parsing.diagnostics import Message, Report, listed, quote
from cultivar.environments.pddl.parsing.syntax import Group, Node, Word, show

MAX_TYPES = 1000
"""Types of a domain: with more, the closure of a degenerate hierarchy would be too large."""
MAX_PARAMETERS = 100
"""Parameters of a predicate, a function, an action or a quantifier."""
MAX_EITHER = 50
"""Members of an ``(either ...)``."""
MAX_NUMBER = 10**15

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Types = tuple[str, ...]
UNKNOWN: Types = ()
"""The types of what was declared wrongly (and reported): it fits everywhere, so that one fault is told once."""


@dataclass(slots=True)
class Declared:
    """Everything a domain declares, by name, as far as it could be read."""

    report: Report
    parents: dict[str, Types] = field(default_factory=dict)
    constants: dict[str, Types] = field(default_factory=dict)
    predicates: dict[str, Predicate] = field(default_factory=dict)
    functions: dict[str, Predicate] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    needs: dict[str, int] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    """Predicates and functions declared twice: how they are used is not judged."""
    has_types: bool = False
    broken_types: bool = False
    """The types could not be read in full: no fault of types is reported that may follow from it."""
    has_predicates: bool = True
    _fits: dict[tuple[Types, Types], bool] = field(default_factory=dict)
    _hierarchy: Domain | None = None

    def need(self, requirement: str, at: int) -> None:
        """Something at ``at`` takes this requirement; the first place is kept."""
        self.needs.setdefault(requirement, at)

    def fits(self, types: Types, wanted: Types) -> bool:
        """Whether a term of ``types`` may stand where ``wanted`` is asked for."""
        if types == UNKNOWN or wanted == UNKNOWN or OBJECT in wanted or self.broken_types:
            return True
        key = (types, wanted)
        if key not in self._fits:
            if self._hierarchy is None:
                self._hierarchy = Domain("", types=tuple(self.parents.items()))
            self._fits[key] = self._hierarchy.is_a(types, wanted)
        return self._fits[key]

    def resolve(self, words: Sequence[Word] | None) -> Types:
        """Declared types; an unknown one is reported once and makes the whole `UNKNOWN`. None means ``object``."""
        if words is None:
            return (OBJECT,)
        found: list[str] = []
        good = bool(words)
        for word in words:
            if word.text != OBJECT and word.text not in self.parents:
                if not self.broken_types:
                    self._unknown_type(word)
                good = False
            elif word.text not in found:
                found.append(word.text)
        return tuple(found) if good else UNKNOWN

    def _unknown_type(self, word: Word) -> None:
        def message() -> str:
            if self.has_types:
                known = listed([*self.parents], "and") or "none"
                hint = self.report.suggest(word.text, self.parents) or f"; the declared types are: {known}"
            else:
                hint = "; no types are declared, in (:types ...) of the domain"
            return f"unknown type {quote(word.text)}{hint}"

        self.report.error("unknown-type", message, word.start, once=("type", word.text))


def check_name(report: Report, node: Node, what: str) -> str | None:
    """The name that a word is; None, with a diagnostic, if it is none. ``what`` is e.g. ``"an action"``."""
    if isinstance(node, Group):
        report.error("expected-name", f"expected the name of {what}, found {show(node)}", node.start)
        return None
    text = node.text
    if _NAME.fullmatch(text):
        if not text[0].isalpha():
            message = f"{quote(text)}: a name should start with a letter; other planners may refuse it"
            report.warning("nonstandard-name", message, node.start, once="nonstandard-name")
        return text
    if text.startswith("?"):
        why = f"{quote(text)} is a variable, but the name of {what} is expected: write it without '?'"
    elif text.startswith(":"):
        why = f"{quote(text)} is a keyword, but the name of {what} is expected: write it without ':'"
    else:
        why = f"{quote(text)} cannot be the name of {what}: a name has letters, digits, - and _, no others"
    report.error("invalid-name", why, node.start)
    return None


def read_number(report: Report, word: Word) -> int | float | None:
    """The non-negative number that a word is, or None with a diagnostic."""
    if not _NUMBER.fullmatch(word.text):
        report.error("expected-number", f"expected a number, found {quote(word.text)}", word.start)
    elif len(word.text) > 40 or abs(value := float(word.text)) > MAX_NUMBER:
        report.error("number-too-large", f"the number {quote(word.text)} is larger than 10^15 or too long", word.start)
    elif value < 0 or word.text[0] == "-":
        report.unsupported("negative costs", word.start, "costs are numbers from 0 up")
    else:
        return value if "." in word.text else int(word.text)
    return None


def is_number(node: Node) -> bool:
    return isinstance(node, Word) and _NUMBER.fullmatch(node.text) is not None


@dataclass(slots=True)
class Entry:
    """A name of a typed list and the words of its type; None if it has none, ``[]`` if that could not be read."""

    word: Word
    types: list[Word] | None


def typed_list(
    report: Report, items: Iterable[Node], what: str, *, variables: bool = False, types: Collection[str] = ()
) -> list[Entry]:
    """Reads ``a b - type c - (either t u) d``. ``what`` says whose list it is, e.g. ``"action 'move'"``.

    With ``variables`` every name must start with ``?``. ``types`` are known type names: one of them where a name is
    due is taken for a type whose dash is missing.
    """
    return _TypedList(report, what, variables, types).read(list(items))


class _TypedList:
    def __init__(self, report: Report, what: str, variables: bool, types: Collection[str]) -> None:
        self.report = report
        self.what = what
        self.variables = variables
        self.types = types
        self.done: list[Entry] = []
        self.pending: list[Entry] = []

    def read(self, items: list[Node]) -> list[Entry]:
        items.reverse()
        while items:
            node = items.pop()
            if isinstance(node, Group):
                self._group(node, items)
            elif node.text == "-":
                self._dash(node, items)
            elif node.text[0] == "-":
                message = f"{quote(node.text)} needs a space after '-': write '- {quote(node.text[1:])[1:-1]}'"
                self.report.error("missing-space", message, node.start)
                self._type([Word(node.text[1:], node.start)])
            else:
                self._name(node, items)
        return self.done + self.pending

    def _name(self, word: Word, items: list[Node]) -> None:
        if word.text[-1] == "-" and items and len(word.text) > 1:
            message = f"{quote(word.text)} needs a space before '-': write '{quote(word.text[:-1])[1:-1]} -'"
            self.report.error("missing-space", message, word.start)
            items.append(Word("-", word.start))
            word = Word(word.text[:-1], word.start)
        if self.variables and word.text[0] != "?":
            if word.text in self.types and self.pending:
                message = f"'-' is missing before the type: write '{self.pending[-1].word.text} - {word.text}'"
                self.report.error("missing-dash", message, word.start)
                self._type([word])
                return
            self.report.error("missing-question-mark", self._not_a_variable(word.text), word.start)
            word = Word("?" + word.text, word.start)
            # Of ``(at robot room)`` the names are as likely types as parameters: no fault of types follows from it.
            self.pending.append(Entry(word, []))
            return
        if not self._good_name(word):
            word = Word("", word.start)
        self.pending.append(Entry(word, None))

    def _not_a_variable(self, name: str) -> Message:
        return lambda: (
            f"{quote(name)} in the parameters of {self.what} is not a variable: "
            f"write '?{quote(name)[1:-1]}' (a parameter starts with '?')"
        )

    def _good_name(self, word: Word) -> bool:
        if not self.variables:
            return check_name(self.report, word, self.what) is not None
        if _NAME.fullmatch(word.text, 1):
            return True
        message = f"{quote(word.text)} cannot be a variable: after '?' come letters, digits, - and _, no others"
        self.report.error("invalid-name", message, word.start)
        return False

    def _dash(self, dash: Word, items: list[Node]) -> None:
        if not items:
            self.report.error(
                "stray-dash", f"after '-' a type is expected, but the list of {self.what} ends", dash.start
            )
            self._type([])
            return
        node = items.pop()
        if not self.pending:
            before = "nothing" if not self.done else "another type"
            message = f"before '- {quote(node.text)[1:-1] if isinstance(node, Word) else '...'}' there must be a name, "
            self.report.error("stray-dash", f"{message}but there is {before}", dash.start)
        if isinstance(node, Group):
            self._type(self._either(node))
        elif node.text == "-" or node.text[0] in "?:":
            self.report.error("stray-dash", f"after '-' a type is expected, found {quote(node.text)}", dash.start)
            if node.text[0] == "?":
                items.append(node)
            self._type([])
        else:
            self._type([node])

    def _either(self, group: Group) -> list[Word]:
        words = [item for item in group.items if isinstance(item, Word)]
        if group.head == "either" and 1 < len(words) == len(group.items) <= MAX_EITHER + 1:
            return words[1:]
        message = f"a type is a name or (either NAME NAME ...) of at most {MAX_EITHER}, found {show(group)}"
        self.report.error("invalid-type", message, group.start)
        return []

    def _group(self, group: Group, items: list[Node]) -> None:
        """A list within the list: its parts are read as if the inner parentheses were not there, one level deep."""
        kind = "variable" if self.variables else "name"
        message = f"expected a {kind} in the list of {self.what}, found {show(group)}: write it without parentheses"
        self.report.error("unexpected-parenthesis", message, group.start, once=("typed", self.what))
        if group.head == "either":
            self._type(self._either(group))
        else:
            self.done += self.pending
            self.pending = []
            items.extend(item for item in reversed(group.items) if isinstance(item, Word))

    def _type(self, words: list[Word]) -> None:
        for entry in self.pending:
            entry.types = words
        self.done += self.pending
        self.pending = []


def read_variables(
    declared: Declared, items: Iterable[Node], what: str, at: int, *, schema: bool = False
) -> tuple[Variable, ...]:
    """The parameters of an action or quantifier, or, with ``schema``, of a predicate or function.

    A repeated name is an error. In a schema, where the names mean nothing, it is a warning, and the name is numbered.
    """
    report = declared.report
    found: dict[str, Variable] = {}
    for entry in typed_list(report, items, what, variables=True, types=declared.parents):
        name = entry.word.text or f"?{len(found)}-unreadable"
        if entry.types:
            declared.need(":typing", entry.word.start)
        types = declared.resolve(entry.types)
        if name in found and schema:
            message = f"the parameter {quote(name)} of {what} is named twice"
            report.warning("duplicate-parameter", message, entry.word.start)
            name = f"{name}-{len(found) + 1}"
            found[name] = Variable(name, types)
        elif name in found:
            message = f"the parameter {quote(name)} of {what} is declared twice"
            report.error("duplicate-parameter", message, entry.word.start)
        else:
            found[name] = Variable(name, types)
    if len(found) > MAX_PARAMETERS:
        message = f"{what} has {len(found):,} parameters; at most {MAX_PARAMETERS} are read"
        report.error("too-many-parameters", message, at)
        return tuple(found.values())[:MAX_PARAMETERS]
    return tuple(found.values())


def read_types(declared: Declared, section: Group) -> None:
    """``(:types ...)``: fills ``declared.parents``; a type that is only named as a parent is declared by that."""
    report = declared.report
    declared.has_types = True
    declared.need(":typing", section.start)
    parents: dict[str, Types] = {}
    implied: dict[str, Word] = {}
    place: dict[str, int] = {}
    for entry in typed_list(report, section.items[1:], "a type"):
        name, above = entry.word.text, entry.types or []
        place.setdefault(name, entry.word.start)
        names = tuple(dict.fromkeys(w.text for w in above if w.text != OBJECT))
        implied.update((w.text, w) for w in above if w.text != OBJECT and w.text not in implied)
        if name in parents and name != OBJECT:
            message = f"the type {quote(name)} is declared twice; it is read as one type with the parents of both"
            report.warning("duplicate-type", message, entry.word.start)
            parents[name] = tuple(dict.fromkeys(parents[name] + names))
        elif name == OBJECT and names:
            report.error("type-cycle", "'object' is the top type and has no parent", entry.word.start)
        elif name and name != OBJECT:
            parents[name] = names
    for name, word in implied.items():
        if name not in parents and check_name(report, word, "a type") is not None:
            hint = report.suggest(name, parents)
            message = f"the type {quote(name)} is named as a parent but not declared; it is taken for a new type{hint}"
            report.warning("undeclared-parent", message, word.start)
            parents[name] = ()
    if len(parents) > MAX_TYPES:
        report.error("too-many-types", f"{len(parents):,} types; at most {MAX_TYPES:,} are read", section.start)
        parents = dict.fromkeys(parents, ())
    _break_cycles(report, parents, place)
    declared.parents = parents


def _break_cycles(report: Report, parents: dict[str, Types], place: dict[str, int]) -> None:
    while True:
        try:
            graphlib.TopologicalSorter(parents).prepare()
            return
        except graphlib.CycleError as error:
            cycle: list[str] = error.args[1][::-1]
        chain = " - ".join(quote(n)[1:-1] for n in cycle[:8]) + (" - ..." if len(cycle) > 8 else "")
        start = min(place.get(name, 0) for name in cycle)
        report.error("type-cycle", f"these types are each other's parents: {chain}", start)
        for name in cycle:
            parents[name] = ()


def read_objects(
    declared: Declared, section: Group, kind: Literal["object", "constant"], known: dict[str, Types]
) -> tuple[Variable, ...]:
    """``(:objects ...)`` or ``(:constants ...)``; ``known`` (name -> types) is extended, repeats are reported."""
    report = declared.report
    found: list[Variable] = []
    seen: set[str] = set()
    what = "an object" if kind == "object" else "a constant"
    for entry in typed_list(report, section.items[1:], what):
        name = entry.word.text
        if entry.types:
            declared.need(":typing", entry.word.start)
        types = declared.resolve(entry.types)
        if not name:
            continue
        if name not in known:
            seen.add(name)
            known[name] = types
            found.append(Variable(name, types))
        elif kind == "object" and name in declared.constants and name not in seen:
            seen.add(name)
            found += _constant_again(declared, entry.word, types, known[name])
        else:
            report.error(f"duplicate-{kind}", f"the {kind} {quote(name)} is declared twice", entry.word.start)
    return tuple(found)


def _constant_again(declared: Declared, word: Word, types: Types, before: Types) -> list[Variable]:
    if types != before and UNKNOWN not in (types, before):
        was, here = listed(before), listed(types)
        message = f"{quote(word.text)} is a constant of the domain, of type {was}; here it is of type {here}"
        declared.report.error("duplicate-object", message, word.start)
        return []
    message = f"{quote(word.text)} is a constant of the domain already; it need not be declared here"
    declared.report.warning("object-is-constant", message, word.start)
    return [Variable(word.text, types)]
