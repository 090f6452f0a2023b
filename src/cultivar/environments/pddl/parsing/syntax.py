"""PDDL text -> words and groups with positions. Iterative, bounded, and forgiving about parentheses.

The reader knows which keywords open a section and which belong to an action. Where one of them turns up at a depth at
which it cannot be, a parenthesis is missing or superfluous *before* it; it says so there, mends the nesting and reads
on, so that one lost parenthesis costs one diagnostic.

All limits on what is read live here. They are far above any real file (the largest competition domains have 60,000
words and a depth of 12) and low enough that no input takes seconds or makes the recursive code after this one deep.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

from cultivar.environments.pddl.parsing.diagnostics import Report, quote

MAX_BYTES = 4_000_000
"""Characters of a text."""
MAX_TOKENS = 300_000
"""Words, parentheses and comments of a text."""
MAX_DEPTH = 100
"""Parentheses within parentheses."""
MAX_NAME = 200
"""Characters of a word."""

_TOKEN = re.compile(r"[()]|[^\s();]+|;[^\n]*", re.ASCII)
_ODD = re.compile(r"[^\x20-\x7e\t\n\f\v]")
_ODD_OR_COMMENT = re.compile(r";[^\n]*|" + _ODD.pattern)
_ODD_IN_COMMENT = re.compile("[\x00-\x08\x0e-\x1f\x7f\x85\u2028\u2029]")
_ODDS = 1000  # odd characters that are looked at
_STRAYS = 1000  # keywords of an action that are sought a place for
_LINE = 500  # characters of a line that indentation is judged by
_FENCE = re.compile(r"`{3}|~{3}")

_SECTIONS = frozenset(
    [
        ":requirements",
        ":types",
        ":constants",
        ":predicates",
        ":functions",
        ":action",
        ":derived",
        ":durative-action",
        ":axiom",
        ":event",
        ":process",
        ":method",
        ":task",
        ":constraints",
        ":domain",
        ":objects",
        ":init",
        ":goal",
        ":metric",
        ":length",
    ]
)
_ACTION_PARTS = frozenset(
    [":parameters", ":precondition", ":effect", ":duration", ":condition", ":preconditions", ":effects"]
)
_ACTIONS = frozenset((":action", ":durative-action"))


class Word:
    """A word of the text, in lower case."""

    __slots__ = ("start", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start


class Group:
    """What stands between ``(`` at ``start`` and ``)`` at ``end`` (-1: it was never closed)."""

    __slots__ = ("end", "items", "start")

    def __init__(self, start: int) -> None:
        self.items: list[Node] = []
        self.start = start
        self.end = -1

    @property
    def head(self) -> str:
        """The first word, or ``""``."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, Word) else ""


Node: TypeAlias = Word | Group


def show(node: Node) -> str:
    """How a message names a node: ``'word'``, ``'(head ...)'`` or ``'()'``."""
    if isinstance(node, Word):
        return quote(node.text)
    if not node.items:
        return "'()'"
    if not node.head:
        return "'((...'"
    shown = node.items[:2] if node.head[0] == ":" else node.items[:1]
    inner = " ".join(quote(item.text)[1:-1] for item in shown if isinstance(item, Word))
    return f"'({inner}{' ...' if len(node.items) > len(shown) else ''})'"


def normalise(text: str) -> str:
    """One kind of line end, and no byte order mark: offsets and lines are counted in this text."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read(report: Report) -> list[Node] | None:
    """The top-level nodes of the report's text, or None if it is too large, too deep or too long to be read on.

    Faults of parentheses and characters go to the report.
    """
    if len(report.text) > MAX_BYTES:
        report.error("too-large", f"the text has {len(report.text):,} characters; at most {MAX_BYTES:,} are read", 0)
        return None
    return _Reader(report).read()


class _Reader:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.top: list[Node] = []
        self.stack: list[Group] = []
        self.reopened = False
        self.strays = 0
        self.text = self._plain() if _ODD.search(report.text) else report.text

    def read(self) -> list[Node] | None:
        stack, count = self.stack, 0
        items = self.top
        for match in _TOKEN.finditer(self.text):
            token, at = match.group(), match.start()
            count += 1
            first = token[0]
            if first == "(":
                group = Group(at)
                items.append(group)
                stack.append(group)
                items = group.items
                if len(stack) > MAX_DEPTH or count > MAX_TOKENS:
                    return self._give_up(at, count)
            elif first == ")":
                self._close(at)
                items = stack[-1].items if stack else self.top
            elif count > MAX_TOKENS:
                return self._give_up(at, count)
            elif first != ";":
                if len(token) > MAX_NAME or first in "`~":
                    token = self._clean(token, at)
                    if not token:
                        continue
                if first == ":":
                    self._keyword(Word(token.lower(), at))
                    items = stack[-1].items if stack else self.top
                else:
                    items.append(Word(token.lower(), at))
        if stack:
            self._unclosed_at_end()
        return self.top

    def _give_up(self, at: int, count: int) -> list[Node] | None:
        if count > MAX_TOKENS:
            self.report.error(
                "too-long", f"more than {MAX_TOKENS:,} words, parentheses and comments; nothing more is read", at
            )
        else:
            message = f"parentheses are nested more than {MAX_DEPTH} deep; nothing is read from here on"
            self.report.error("too-deep", message, at)
        return None

    # Parentheses

    def _close(self, at: int) -> None:
        if self.stack:
            self.stack.pop().end = at
        else:
            message = "this ')' closes nothing; remove it, or look for a ')' too many before it"
            self.report.error("extra-parenthesis", message, at, once="extra")

    def _keyword(self, word: Word) -> None:
        stack = self.stack
        if word.text in _SECTIONS and stack and not stack[-1].items:
            if len(stack) > 2:
                self._unclosed(stack[1:-1], f"before '({word.text}'")
                section = stack[-1]
                stack[-2].items.pop()
                stack[0].items.append(section)
                stack[:] = [stack[0], section]
            elif len(stack) == 1 and (define := self._closed_define()) is not None:
                self._superfluous(define, f"'({word.text}' follows, which belongs inside '(define ...)'")
                section = stack[-1]
                self.top.pop()
                define.items.append(section)
                stack[:] = [define, section]
                self.reopened = True
        elif word.text in _ACTION_PARTS:
            self._action_part(word)
        (stack[-1].items if stack else self.top).append(word)

    def _action_part(self, word: Word) -> None:
        """Mends the nesting if ``word`` is not directly within an action but one is open, or was just closed."""
        stack = self.stack
        if self.strays > _STRAYS:  # so that no text makes every keyword search the stack
            return
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth].head in _ACTIONS:
                if depth < len(stack) - 1:
                    self._unclosed(stack[depth + 1 :], f"before '{word.text}'")
                    del stack[depth + 1 :]
                return
        self.strays += 1
        if len(stack) == 1 and stack[0].items:
            last = stack[0].items[-1]
            if isinstance(last, Group) and last.head in _ACTIONS:
                self._superfluous(last, f"'{word.text}' follows, which belongs inside '({last.head} ...)'")
                stack.append(last)

    def _closed_define(self) -> Group | None:
        """The ``(define ...)`` that was closed just before the group that is open now."""
        before = self.top[-2] if len(self.top) > 1 else None
        return before if isinstance(before, Group) and before.head == "define" else None

    def _superfluous(self, group: Group, why: str) -> None:
        if self.report.full:  # the line is not worth counting any more
            return
        message = f"this ')' closes {show(group)} of line {self.report.line_of(group.start)} too early: {why}"
        self.report.error("extra-parenthesis", message, group.end)

    def _unclosed(self, groups: list[Group], where: str) -> None:
        inner = groups[-1]
        if self.report.full:
            return
        missing = "')' is" if len(groups) == 1 else f"{len(groups)} ')' are"
        opener = show(inner) if inner.items else "'('"
        message = f"{opener} is opened here and never closed: {missing} missing {where}{self._suspect(groups)}"
        self.report.error("unclosed-parenthesis", message, inner.start)

    def _unclosed_at_end(self) -> None:
        if not (self.reopened and len(self.stack) == 1):
            self._unclosed(self.stack, "at the end of the text")

    def _suspect(self, groups: list[Group]) -> str:
        """Judged by indentation, which earlier group lacks its parenthesis: a sentence, or nothing.

        A ``)`` that stands first on its line is meant to close what began on a line of the same indentation. The first
        one that is further left than the line of the group it closes was meant for an outer group.
        """
        found: Group | None = None
        todo: list[Node] = list(groups)
        while todo:
            node = todo.pop()
            if not isinstance(node, Group):
                continue
            todo.extend(node.items)
            if node.end < 0 or (found is not None and node.end > found.end):
                continue
            closer = self._indentation(node.end, alone=True)
            if 0 <= closer < self._indentation(node.start):
                found = node
        if found is None:
            return ""
        line, end = self.report.line_of(found.start), self.report.line_of(found.end)
        return f" (by the indentation, {show(found)} of line {line} should be closed before line {end})"

    def _indentation(self, at: int, *, alone: bool = False) -> int:
        """Blanks at the start of the line of ``at``; -1: too long, or with ``alone`` not blank."""
        text = self.report.text
        start = text.rfind("\n", max(0, at - _LINE), at) + 1
        if start == 0 and at > _LINE:
            return -1
        line = text[start:at]
        blank = len(line) - len(line.lstrip())
        return -1 if alone and blank < len(line) else blank

    # Characters

    def _plain(self) -> str:
        """The text with every character that is not ASCII, or not printable, reported and replaced by one that is.

        Letters become ``_``, so that a name stays one name, everything else a blank. In comments only what another
        program could take for the end of the line is reported.
        """
        found = 0
        for count, match in enumerate(_ODD_OR_COMMENT.finditer(self.report.text)):
            odd = match if match.group()[0] != ";" else _ODD_IN_COMMENT.search(self.report.text, *match.span())
            if odd is not None:
                self._odd_character(odd.group(), odd.start())
                found += 1
            if found > _ODDS or count > MAX_TOKENS:
                break
        odd_ones = {c for c in set(self.report.text) if _ODD.match(c)}
        return self.report.text.translate({ord(c): "_" if c.isalnum() else " " for c in odd_ones})

    def _clean(self, token: str, at: int) -> str:
        """The word without what cannot be in it; every distinct fault is reported once."""
        if _FENCE.match(token):
            message = f"{quote(token)} is markdown, not PDDL: give the text without code fences"
            self.report.error("markdown-fence", message, at, once="fence")
            return ""
        if len(token) > MAX_NAME:
            message = f"a word of {len(token):,} characters; a name has at most {MAX_NAME}"
            self.report.error("name-too-long", message, at)
            token = token[:MAX_NAME]
        return token

    def _odd_character(self, character: str, at: int) -> None:
        name = unicodedata.name(character, "a control character" if ord(character) < 0xA0 else "no character")
        message = f"character U+{ord(character):04X} ({name}) cannot stand here: PDDL is written in plain ASCII"
        self.report.error("bad-character", message, at, once=("character", character))
