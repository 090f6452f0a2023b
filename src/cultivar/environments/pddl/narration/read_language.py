"""A language interface out of a model's free reply: JSON or a Python dictionary, in prose and fences, with slips.

The literal is read by a small reader of strings and dictionaries, so trailing commas, comments, single quotes and
missing quotes at numbers do not matter, and nothing is ever evaluated. Length, depth and the number of attempts are
bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from cultivar.core.errors import Unparsable
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.narration.templates import PLACEHOLDER

MAX_REPLY = 200_000
MAX_DEPTH = 4
MAX_ATTEMPTS = 30

Tree: TypeAlias = "dict[str, str | Tree]"

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|\#[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
      |(?P<sign>[{}:,])
      |(?P<string>[rRfFuUbB]?(?:\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''
                           |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      |(?P<other>[\[\]()]|[^\s{}:,"'\[\]()]+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_NAMED = re.compile(r"(\w{1,40})\"?'?\s{0,5}[=:]\s{0,5}$")
_PLURAL = {
    "predicate": "predicates", "predicates": "predicates", "facts": "predicates",
    "action": "actions", "actions": "actions", "operators": "actions",
    "negated": "negated", "negations": "negated",
}  # fmt: skip
WANTED = 'answer with one JSON object {"predicates": {"name": "sentence", ...}, "actions": {"name": "sentence", ...}}'


class _Malformed(Exception):
    """Why the text at an opening brace is no dictionary."""


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "\n": ""}.get(code, code)


def _string(token: str) -> str:
    raw = token[0] in "rR"
    body = token.lstrip("rRfFuUbB")
    width = 3 if body[:3] in ('"""', "'''") else 1
    inner = body[width:-width]
    return inner if raw else _ESCAPE.sub(_unescaped, inner)


class _Reader:
    """Reads one dictionary of strings and dictionaries that begins at an opening brace."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def next(self) -> tuple[str, str]:
        while True:
            found = _TOKEN.match(self.text, self.at)
            if found is None:
                raise _Malformed("the text ends" if self.at >= len(self.text) else "a quotation mark is not closed")
            self.at = found.end()
            kind = str(found.lastgroup)
            if kind != "space":
                return kind, found[0]

    def peek(self) -> tuple[str, str]:
        at = self.at
        found = self.next()
        self.at = at
        return found

    def dictionary(self, depth: int = 1) -> Tree:
        if depth > MAX_DEPTH:
            raise _Malformed(f"braces are nested more than {MAX_DEPTH} deep")
        self.next()
        found: Tree = {}
        while True:
            kind, token = self.next()
            if token == "}" and kind == "sign":
                return found
            if token == "," and kind == "sign":
                continue
            if kind == "sign":
                raise _Malformed(f"a name was expected, not {token!r}")
            key = self.joined(kind, token)
            if self.next() != ("sign", ":"):
                raise _Malformed(f"after {key[:60]!r} a colon was expected")
            found[key] = self.value(key, depth)

    def value(self, key: str, depth: int) -> str | Tree:
        kind, token = self.peek()
        if (kind, token) == ("sign", "{"):
            return self.dictionary(depth + 1)
        self.next()
        while token == "(":
            kind, token = self.next()
        if kind != "string":
            raise _Malformed(f"the value of {key[:60]!r} is not a string in quotes")
        text = self.joined(kind, token)
        while self.peek()[1] == ")":
            self.next()
        return text

    def joined(self, kind: str, token: str) -> str:
        """A string with those that follow it at once, as Python joins them; or a bare word."""
        if kind != "string":
            return token
        parts = [_string(token)]
        while self.peek()[0] == "string":
            parts.append(_string(self.next()[1]))
        return "".join(parts)


def _dictionaries(reply: str) -> tuple[list[tuple[str, Tree]], str]:
    """Every (name before it, dictionary) in the text, outermost only, and why the last other brace was none."""
    found: list[tuple[str, Tree]] = []
    why = ""
    at = _brace(reply, 0)
    for _ in range(MAX_ATTEMPTS):
        if at < 0:
            break
        reader = _Reader(reply, at)
        try:
            tree = reader.dictionary()
        except (_Malformed, ValueError) as error:
            why = why or str(error)
            at = _brace(reply, at + 1)
            continue
        if tree:
            before = _NAMED.search(reply[max(0, at - 60) : at])
            found.append((before[1] if before else "", tree))
        at = _brace(reply, reader.at)
    return found, why


def _brace(text: str, start: int) -> int:
    """The next opening brace that is not a placeholder's; -1 if there is none."""
    at = text.find("{", start)
    while at >= 0 and (found := PLACEHOLDER.match(text, at)) is not None:
        at = text.find("{", found.end())
    return at


def _known(domain: Domain) -> tuple[dict[str, str], dict[str, str]]:
    """Spelling -> name, for predicates and for actions; hyphens and underscores count as one where that is safe."""
    tables = []
    for names in ([p.name for p in domain.predicates], [a.name for a in domain.actions]):
        folded = [n.replace("_", "-") for n in names]
        table = {plain: name for name, plain in zip(names, folded) if folded.count(plain) == 1}
        table.update({name: name for name in names})
        tables.append(table)
    return tables[0], tables[1]


def _key(key: str) -> str:
    """``"(On ?x ?y)"`` -> ``on``."""
    return (key.strip().strip("()").split() or [""])[0].lower()


def _lookup(table: Mapping[str, str], key: str) -> str | None:
    plain = _key(key)
    return table.get(plain) or table.get(plain.replace("_", "-"))


def _strings(tree: Tree, table: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for key, value in tree.items():
        if not isinstance(value, str):
            raise Unparsable(f"the value of {key[:60]!r} must be one sentence in quotes; {WANTED}")
        found[_lookup(table, key) or _key(key)] = " ".join(value.split())
    return found


def _flat(tree: Tree, domain: Domain) -> Language:
    predicates, actions = _known(domain)
    both = sorted(set(predicates.values()) & set(actions.values()))
    if both:
        raise Unparsable(f"{both[0]!r} is a predicate and an action, so one flat dictionary cannot name both; {WANTED}")
    said: dict[str, dict[str, str]] = {"predicates": {}, "actions": {}}
    for key, value in tree.items():
        part, table = ("actions", actions) if _lookup(actions, key) else ("predicates", predicates)
        said[part].update(_strings({key: value}, table))
    return Language(said["predicates"], said["actions"])


def read_language(reply: str, domain: Domain) -> Language:
    """The language interface in a reply: ``{"predicates": {...}, "actions": {...}}``, or one flat dictionary.

    Of several dictionaries the last one that names most of the domain counts. Unknown names are kept, for
    ``check_language`` to report. Raises Unparsable, in words that help a model to mend its reply.
    """
    if len(reply) > MAX_REPLY:
        raise Unparsable(f"the reply has {len(reply)} characters; at most {MAX_REPLY} are read; {WANTED}")
    found, why = _dictionaries(reply)
    if not found:
        raise Unparsable(f"no dictionary of sentences could be read{f': {why}' if why else ''}; {WANTED}")
    named: Tree = {part: tree for name, tree in found if (part := _PLURAL.get(name.lower())) is not None}
    trees = [tree for _, tree in found]
    if "predicates" in named and "actions" in named:
        trees.append(named)
    predicates, actions = _known(domain)

    def score(tree: Tree) -> int:
        parts = [tree, *(v for v in tree.values() if isinstance(v, dict))]
        return sum(bool(_lookup(predicates, k) or _lookup(actions, k)) for part in parts for k in part)

    best = max(reversed(trees), key=score)
    sections = {part: v for k, v in best.items() if isinstance(v, dict) and (part := _PLURAL.get(_key(k)))}
    if not sections:
        return _flat(best, domain)
    negated = _strings(sections.get("negated") or {}, predicates)
    return Language(
        _strings(sections.get("predicates") or {}, predicates),
        _strings(sections.get("actions") or {}, actions),
        negated,
    )
