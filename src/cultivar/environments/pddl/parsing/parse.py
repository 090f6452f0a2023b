"""PDDL text -> checked domain or problem, or everything that is wrong with it; and PDDL out of a model's reply.

    parsed = parse_domain(extract_pddl(reply))
    if parsed.value is None:
        print(render_all(parsed.diagnostics))

Nothing is accepted in silence: a text gives a value only if every word of it was understood, and what is read but has
no effect (an atom stated twice, an obsolete section) gives a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from cultivar.environments.pddl.model import Domain, Problem
from cultivar.environments.pddl.parsing.check_domain import read_domain
from cultivar.environments.pddl.parsing.check_problem import read_problem
from cultivar.environments.pddl.parsing.diagnostics import Diagnostic, Report
from cultivar.environments.pddl.parsing.syntax import MAX_BYTES, Node, normalise, read

T = TypeVar("T")

_OPENING = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*$", re.MULTILINE)
_DEFINE = re.compile(r"\(\s*define\s*\(\s*(domain|problem)\b", re.IGNORECASE)
_LEXEME = re.compile(r";[^\n]*|[()]")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """``value`` is None if there was an error; ``diagnostics`` are in the order of position, warnings among them."""

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()


def parse_domain(text: str) -> Parsed[Domain]:
    """Reads and checks a domain. Any text is safe: it is bounded in size and depth, and no text raises."""
    return _parse(text, read_domain)


def parse_problem(text: str, domain: Domain) -> Parsed[Problem]:
    """Reads and checks a problem of ``domain``. Any text is safe."""
    return _parse(text, lambda report, nodes: read_problem(report, nodes, domain))


def _parse(text: str, reader: Callable[[Report, list[Node]], T | None]) -> Parsed[T]:
    # A text that is too long is refused by `read` before anything is done with it.
    report = Report(normalise(text) if len(text) <= 2 * MAX_BYTES else text)
    nodes = read(report)
    value = reader(report, nodes) if nodes is not None else None
    return Parsed(None if report.failed else value, report.diagnostics())


def extract_pddl(reply: str, kind: Literal["domain", "problem"] = "domain") -> str:
    """The PDDL in a model's free reply: the last ``(define (kind ...`` that it holds.

    It is looked for in fenced blocks first (a last block may lack its closing fence), then in the whole reply. A block
    that holds nothing else is given whole, so that what stands after the definition is seen and reported. Where there
    is no such definition, one of the other kind or the first block is given, and otherwise the reply itself: what is
    wrong with it is for the parser to say.
    """
    blocks = _blocks(reply)
    for wanted in (kind, None):
        for source in (*reversed(blocks), reply):
            starts = [(m.start(), m[1].lower()) for m in _DEFINE.finditer(source)]
            mine = [place for place, (_, found) in enumerate(starts) if wanted in (found, None)]
            if not mine:
                continue
            if len(starts) == 1 and source is not reply:
                return source
            start = starts[mine[-1]][0]
            following = starts[mine[-1] + 1][0] if mine[-1] + 1 < len(starts) else len(source)
            return _balanced(source[start:following])
    return blocks[0] if blocks else reply.strip()


def _blocks(reply: str) -> list[str]:
    """The insides of the fenced blocks, stripped; an unclosed last one runs to the end."""
    found: list[str] = []
    start: int | None = None
    for match in _OPENING.finditer(reply):
        if start is None:
            start = match.end()
        else:
            found.append(reply[start : match.start()].strip())
            start = None
    if start is not None:
        found.append(reply[start:].strip())
    return found


def _balanced(text: str) -> str:
    """The text up to the parenthesis that closes its first one; all of it (stripped) where none does."""
    depth = 0
    for match in _LEXEME.finditer(text):
        if match.group() == "(":
            depth += 1
        elif match.group() == ")":
            depth -= 1
            if depth == 0:
                return text[: match.end()]
    return text.strip()
