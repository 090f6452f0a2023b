"""What is wrong with a PDDL text, told so that a model can mend it.

A diagnostic says where (line, column, the line itself), what was found, what was expected and, where there is a near
name, which one may have been meant. `Report` collects all of them for one text; it computes lines and columns only for
what it keeps, and keeps at most `MAX_DIAGNOSTICS` of each severity (how many more there were is said in the last one).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeAlias

Severity = Literal["error", "warning"]

Message: TypeAlias = str | Callable[[], str]
"""What costs more than a few names to say is given as a function, called only if the diagnostic is kept."""

MAX_DIAGNOSTICS = 50
"""Errors, and likewise warnings, that one report keeps."""

_WIDTH = 160  # characters of a source line that are shown
_LEFT = 80  # of them, left of the column, where the line is cut
_KNOWN = 400  # names that a suggestion is sought among
_WORD = 60  # characters of a word that are quoted


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault (``error``) or doubt (``warning``) in a text.

    ``code`` is a stable slug; ``line`` and ``column`` count characters from 1, and 0 means that there is no position;
    ``text`` is the source line, of a long line about 160 characters around the column.
    """

    code: str
    message: str
    line: int = 0
    column: int = 0
    text: str = ""
    severity: Severity = "error"

    def render(self, name: str = "") -> str:
        """``NAME:LINE:COLUMN: error: message``, then the source line, then a caret under the column.

        Without a name the position is spelled out: ``line 3, column 5: error: message``.
        """
        if not self.line:
            head = f"{name}: " if name else ""
            return f"{head}{self.severity}: {self.message}"
        where = f"{name}:{self.line}:{self.column}" if name else f"line {self.line}, column {self.column}"
        head = f"{where}: {self.severity}: {self.message}"
        if not self.text:
            return head
        before = self.text[: _caret(self.column)]
        blank = "".join("\t" if character == "\t" else " " for character in before)
        return f"{head}\n  {self.text}\n  {blank}^"

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "line": self.line,
            "column": self.column,
            "text": self.text,
        }


def render_all(diagnostics: Iterable[Diagnostic], name: str = "") -> str:
    """Every diagnostic rendered, an empty line between two."""
    return "\n\n".join(d.render(name) for d in diagnostics)


def quote(word: str) -> str:
    """A word of the text as it may be shown: in quotes, on one line, of bounded length, printable."""
    shown = word if len(word) <= _WORD else word[: _WORD - 3] + "..."
    return f"'{_printable(shown)}'"


def listed(words: Sequence[str], conjunction: str = "or") -> str:
    """``a, b or c``; of a long list the first ten."""
    if len(words) > 10:
        return ", ".join(words[:10]) + f" and {len(words) - 10} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _caret(column: int) -> int:
    """Where in ``Diagnostic.text`` the column is; the counterpart of `Report._excerpt`."""
    return column - 1 if column <= _WIDTH - 20 else _LEFT


class Report:
    """The diagnostics of one text, positions given as offsets into it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.failed = False
        self._kept: list[tuple[int, int, Diagnostic]] = []
        self._count: dict[Severity, int] = {"error": 0, "warning": 0}
        self._told: set[Hashable] = set()
        self._suggestions = 0

    @property
    def full(self) -> bool:
        """No further error will be shown."""
        return self._count["error"] >= MAX_DIAGNOSTICS

    @property
    def errors(self) -> int:
        """How many errors there were, shown or not."""
        return self._count["error"]

    def error(self, code: str, message: Message, at: int, *, once: Hashable = None) -> None:
        """``once``: a key under which this is said a single time, however often it is met."""
        self.failed = True
        self._add("error", code, message, at, once)

    def warning(self, code: str, message: Message, at: int, *, once: Hashable = None) -> None:
        self._add("warning", code, message, at, once)

    def unsupported(self, feature: str, at: int, instead: str = "") -> None:
        """A feature of PDDL that is known and not read. ``feature`` is its name, told once a text."""
        message = f"{feature}: this feature of PDDL is not supported{'; ' + instead if instead else ''}"
        self.error("unsupported-feature", message, at, once=("unsupported", feature))

    def suggest(self, word: str, known: Iterable[str]) -> str:
        """``"; did you mean 'x'?"`` for the nearest known name, or nothing. Bounded in time over the whole text."""
        if len(word) > _WORD or self._suggestions >= 2 * MAX_DIAGNOSTICS:
            return ""
        self._suggestions += 1
        candidates = list(islice((k for k in known if abs(len(k) - len(word)) <= 8 and len(k) <= _WORD), _KNOWN))
        near = difflib.get_close_matches(word, candidates, n=1, cutoff=0.66)
        return f"; did you mean {quote(near[0])}?" if near else ""

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that was kept, in the order of position; at the end, where some were not kept, how many."""
        found = [d for _, _, d in sorted(self._kept, key=lambda entry: entry[:2])]
        for severity, count in self._count.items():
            if count > MAX_DIAGNOSTICS:
                more = count - MAX_DIAGNOSTICS
                message = f"{more} more {severity}{'s' if more > 1 else ''} not shown"
                found.append(Diagnostic(f"more-{severity}s", message, severity=severity))
        return tuple(found)

    def _add(self, severity: Severity, code: str, message: Message, at: int, once: Hashable) -> None:
        if once is not None:
            if once in self._told:
                return
            self._told.add(once)
        self._count[severity] += 1
        if self._count[severity] > MAX_DIAGNOSTICS:
            return
        line, column, text = self._excerpt(at)
        if callable(message):
            message = message()
        self._kept.append((at, len(self._kept), Diagnostic(code, message, line, column, text, severity)))

    def line_of(self, at: int) -> int:
        """The line, counted from 1, of an offset."""
        return self.text.count("\n", 0, at) + 1

    def _excerpt(self, at: int) -> tuple[int, int, str]:
        start = self.text.rfind("\n", 0, at) + 1
        column = at - start + 1
        shift = at - _caret(column)  # the offset of the first character shown
        end = self.text.find("\n", at, shift + _WIDTH + 1)
        cut = self.text[shift : shift + _WIDTH if end < 0 else end]
        if shift > start:
            cut = "\N{HORIZONTAL ELLIPSIS}" + cut[1:]
        if end < 0 and len(self.text) > shift + _WIDTH:
            cut = cut[:-1] + "\N{HORIZONTAL ELLIPSIS}"
        return self.line_of(at), column, _printable(cut)
