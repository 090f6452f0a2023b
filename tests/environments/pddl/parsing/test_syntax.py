"""The reader: nesting, positions, recovery from lost parentheses, limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.parsing.diagnostics import Diagnostic, Report
from cultivar.environments.pddl.parsing.syntax import (
    MAX_DEPTH,
    MAX_NAME,
    MAX_TOKENS,
    Group,
    Node,
    Word,
    normalise,
    read,
    show,
)


def _read(text: str) -> tuple[list[Node] | None, tuple[Diagnostic, ...]]:
    report = Report(normalise(text))
    nodes = read(report)
    return nodes, report.diagnostics()


def _plain(nodes: list[Node]) -> list[object]:
    return [node.text if isinstance(node, Word) else _plain(node.items) for node in nodes]


def test_words_groups_and_comments() -> None:
    nodes, faults = _read("(A ?b ; no (matter\n (c))\r\nd")
    assert not faults
    assert nodes is not None
    assert _plain(nodes) == [["a", "?b", ["c"]], "d"]
    group = nodes[0]
    assert isinstance(group, Group)
    assert (group.start, group.end, group.head) == (0, 23, "a")


def test_a_carriage_return_ends_a_comment() -> None:
    nodes, _ = _read("; note\r(a)")
    assert nodes is not None
    assert _plain(nodes) == [["a"]]


@given(st.recursive(st.sampled_from(["a", "?b", "-", "x-1"]), lambda inner: st.lists(inner, max_size=4), max_leaves=30))
def test_what_is_printed_is_read(tree: object) -> None:
    def text(node: object) -> str:
        return f"({' '.join(map(text, node))})" if isinstance(node, list) else str(node)

    nodes, faults = _read(text(tree))
    assert not faults
    assert nodes is not None
    assert _plain(nodes) == [tree]


HEAD = "(define (domain d)\n  (:predicates (p) (q))\n"


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "words"),
    [
        # a condition left open: the next keyword of the action shows it
        (
            HEAD + "  (:action a\n    :parameters ()\n    :precondition (and (p) (q)\n    :effect (p)))",
            "unclosed-parenthesis",
            5,
            19,
            "'(and ...)' is opened here and never closed: ')' is missing before ':effect'",
        ),
        # an effect left open: the next action shows it, and the indentation says where
        (
            HEAD + "  (:action a\n    :effect (and (p)\n  )\n  (:action b\n    :effect (q)))",
            "unclosed-parenthesis",
            3,
            3,
            "by the indentation, '(and ...)' of line 4 should be closed before line 5",
        ),
        # one parenthesis missing at the end: the opener is shown
        (HEAD + "  (:action a :effect (p))\n", "unclosed-parenthesis", 1, 1, "missing at the end of the text"),
        # an action closed too early, then the domain closed too early
        (
            HEAD + "  (:action a\n    :parameters ())\n    :effect (p)))",
            "extra-parenthesis",
            4,
            19,
            "closes '(:action a ...)' of line 3 too early",
        ),
        (
            HEAD + "  (:action a\n    :effect (p))\n  )\n  (:action b :effect (q)))",
            "extra-parenthesis",
            5,
            3,
            "closes '(define ...)' of line 1 too early",
        ),
        (HEAD + "  (:action a :effect (p))))", "extra-parenthesis", 3, 27, "closes nothing"),
    ],
)
def test_one_lost_parenthesis_is_one_diagnostic(text: str, code: str, line: int, column: int, words: str) -> None:
    nodes, faults = _read(text)
    assert [(d.code, d.line, d.column) for d in faults] == [(code, line, column)]
    assert words in faults[0].message
    assert nodes is not None
    (define,) = nodes
    assert isinstance(define, Group)
    sections = [node.head for node in define.items[1:] if isinstance(node, Group)]
    assert sections in (["domain", ":predicates", ":action"], ["domain", ":predicates", ":action", ":action"])


def test_depth_is_bounded() -> None:
    nodes, faults = _read("(" * MAX_DEPTH + ")" * MAX_DEPTH)
    assert nodes is not None
    assert not faults
    nodes, faults = _read("(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1))
    assert nodes is None
    assert [(d.code, d.line, d.column) for d in faults] == [("too-deep", 1, MAX_DEPTH + 1)]


def test_length_is_bounded() -> None:
    assert _read("a " * MAX_TOKENS)[1] == ()
    nodes, faults = _read("a " * (MAX_TOKENS + 1))
    assert nodes is None
    assert [d.code for d in faults] == ["too-long"]
    assert [d.code for d in _read("a" * MAX_NAME + " " + "a" * (MAX_NAME + 1))[1]] == ["name-too-long"]


@pytest.mark.parametrize(
    "odd", ["\0", "\x1b", "\x7f", "\xa0", "\u200b", "\u2028", "é", "中", "\U0001f600", "\ud800", "“"]
)
def test_odd_characters_are_named_once(odd: str) -> None:
    _, faults = _read(f"(a {odd} b)\n(c {odd})")
    assert [(d.code, d.line, d.column) for d in faults] == [("bad-character", 1, 4)]
    assert f"U+{ord(odd):04X}" in faults[0].message
    faults[0].render().encode()


def test_comments_may_say_anything_but_what_ends_a_line_elsewhere() -> None:
    assert _read("(a) ; déjà vu → “so”")[1] == ()
    assert [d.code for d in _read("(a) ; note\u2028(b)")[1]] == ["bad-character"]
    assert [d.code for d in _read("(a) ; note\0")[1]] == ["bad-character"]


def test_a_byte_order_mark_is_no_word() -> None:
    nodes, faults = _read("\ufeff(a)")
    assert not faults
    assert nodes is not None
    assert _plain(nodes) == [["a"]]


def test_fences_are_named() -> None:
    nodes, faults = _read("```pddl\n(a)\n```")
    assert [(d.code, d.line) for d in faults] == [("markdown-fence", 1)]
    assert nodes is not None
    assert _plain(nodes) == [["a"]]


@given(st.text(alphabet="()a: ;\n", max_size=60))
def test_faults_of_balance_are_always_seen(text: str) -> None:
    depth, balanced = 0, True
    for token in re.findall(r";[^\n]*|[()]", text):
        depth += (token == "(") - (token == ")")
        balanced &= depth >= 0
    nodes, faults = _read(text)
    assert nodes is not None
    assert bool(faults) == (not balanced or depth != 0)


def test_show() -> None:
    nodes, _ = _read("word () (a) (a b) (:action move x) ((a))")
    assert nodes is not None
    assert [show(n) for n in nodes] == ["'word'", "'()'", "'(a)'", "'(a ...)'", "'(:action move ...)'", "'((...'"]
