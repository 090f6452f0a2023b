"""The texts of ``hostile.py``: seeds, what is done to them, and monsters."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

FERRY = """\
; cars over water
(define (domain ferry)
  (:requirements :strips :typing :negative-preconditions :equality :action-costs)
  (:types car ship - thing place)
  (:constants home - place)
  (:predicates (at ?x - thing ?p - place) (on ?c - car ?s - ship) (full ?s - ship) (open))
  (:functions (total-cost) - number (way ?p ?q - place) - number)
  (:action board
    :parameters (?c - car ?s - ship ?p - place)
    :precondition (and (at ?c ?p) (at ?s ?p) (not (full ?s)) (open))
    :effect (and (on ?c ?s) (not (at ?c ?p)) (full ?s)))
  (:action land ; the other way round
    :parameters (?c - car ?s - ship ?p - place)
    :precondition (and (on ?c ?s) (at ?s ?p))
    :effect (and (not (on ?c ?s)) (at ?c ?p) (not (full ?s)) (increase (total-cost) 1.5)))
  (:action sail
    :parameters (?s - ship ?p ?q - place)
    :precondition (and (at ?s ?p) (not (= ?p ?q)))
    :effect (and (at ?s ?q) (not (at ?s ?p)) (increase (total-cost) (way ?p ?q)))))
"""
FERRY_PROBLEM = """\
(define (problem ferry-1)
  (:domain ferry)
  (:objects c1 c2 - car s - ship away - place)
  (:init (at c1 home) (at c2 home) (at s away) (open) (= (total-cost) 0) (= (way home away) 3) (= (way away home) 4))
  (:goal (and (at c1 away) (not (full s)) (exists (?c - car) (at ?c home))))
  (:metric minimize (total-cost)))
"""
LIGHTS = """\
(define (domain lights)
  (:requirements :adl :derived-predicates)
  (:types lamp switch room)
  (:predicates (lit ?l - lamp) (wired ?s - switch ?l - lamp) (up ?s - switch) (in ?l - lamp ?r - room)
    (bright ?r - room) (near ?x - (either lamp switch) ?r - room))
  (:derived (bright ?r - room) (exists (?l - lamp) (and (in ?l ?r) (lit ?l))))
  (:action flip
    :parameters (?s - switch)
    :precondition (forall (?l - lamp) (imply (wired ?s ?l) (or (lit ?l) (not (up ?s)))))
    :effect (and (when (up ?s) (not (up ?s))) (when (not (up ?s)) (up ?s))
      (forall (?l - lamp) (and (when (and (wired ?s ?l) (lit ?l)) (not (lit ?l)))
                               (when (and (wired ?s ?l) (not (lit ?l))) (lit ?l))))))
  (:action carry
    :parameters (?l - lamp ?from ?to - room)
    :precondition (and (in ?l ?from) (near ?l ?from) (bright ?to))
    :effect (and (not (in ?l ?from)) (in ?l ?to))))
"""
LIGHTS_PROBLEM = """\
(define (problem dark) (:domain lights) (:requirements :adl)
  (:objects a b - lamp s - switch hall den - room)
  (:init (wired s a) (wired s b) (in a hall) (in b den) (near a hall) (up s) (lit a))
  (:goal (or (bright den) (forall (?l - lamp) (not (lit ?l))))))
"""
PLAIN = """\
(define (domain stack)
  (:predicates (on ?x ?y) (clear ?x) (free))
  (:action take :parameters (?x ?y) :precondition (and (on ?x ?y) (clear ?x) (free))
    :effect (and (clear ?y) (not (on ?x ?y)) (not (free))))
  (:action rest :parameters () :precondition () :effect (free)))
"""
PLAIN_PROBLEM = """\
(define (problem two) (:domain stack) (:objects a b 3) (:init (on a b) (clear a) (on b 3)) (:goal (clear b)))
"""

_WORD = re.compile(r";[^\n]*|[()]|[^\s();]+")
_JUNK = "()?:;-,.\"'`{}[]\\/\t\n\r \0\x07\x1b\x85\xa0é中\u200b\u2028\ufeff\U0001f600"


# Mutations. Each takes the text, the words' spans, another seed's text and the generator.

Spans = list[tuple[int, int]]
Mutation = Callable[[str, Spans, str, random.Random], str]


def spans_of(text: str) -> Spans:
    """Where the words and parentheses of a text stand, comments left out."""
    return [m.span() for m in _WORD.finditer(text) if m.group()[0] != ";"]


def _flip(text: str, _: Spans, __: str, rng: random.Random) -> str:
    """Some bytes changed, one bit or wholly; what is then no UTF-8 becomes U+FFFD."""
    data = bytearray(text.encode())
    for _i in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        data[at] = data[at] ^ (1 << rng.randrange(8)) if rng.random() < 0.7 else rng.randrange(256)
    return data.decode(errors="replace")


def _delete(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    start, end = rng.choice(spans)
    return text[:start] + text[end:]


def _duplicate(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    start, end = rng.choice(spans)
    return f"{text[:end]} {text[start:end]}{text[end:]}"


def _swap(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    (a, b), (c, d) = sorted(rng.sample(spans, 2))
    return f"{text[:a]}{text[c:d]}{text[b:c]}{text[a:b]}{text[d:]}"


def _replace(text: str, spans: Spans, other: str, rng: random.Random) -> str:
    """A word becomes another word, of this text or of the other."""
    start, end = rng.choice(spans)
    source = text if rng.random() < 0.7 else other
    a, b = rng.choice(spans_of(source))
    return f"{text[:start]}{source[a:b]}{text[end:]}"


def _parenthesis(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    for _i in range(rng.randint(1, 2)):
        at = rng.choice(spans)[rng.randrange(2)]
        text = text[:at] + rng.choice("()") + text[at:]
    return text


def _wrap(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    """A pair of parentheses around some words."""
    first, last = sorted(rng.choices(range(len(spans)), k=2))
    start, end = spans[first][0], spans[last][1]
    return f"{text[:start]}({text[start:end]}){text[end:]}"


def _truncate(text: str, _: Spans, __: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text))]


def _splice(text: str, spans: Spans, other: str, rng: random.Random) -> str:
    """A piece of another text in the place of a piece of this one."""
    a, b = sorted(rng.choices(range(len(spans)), k=2))
    theirs = spans_of(other)
    c, d = sorted(rng.choices(range(len(theirs)), k=2))
    return f"{text[: spans[a][0]]}{other[theirs[c][0] : theirs[d][1]]}{text[spans[b][1] :]}"


def _repeat(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    """A piece of the text many times."""
    a, b = sorted(rng.choices(range(len(spans)), k=2))
    b = min(b, a + 20)
    start, end = spans[a][0], spans[b][1]
    return text[:end] + f" {text[start:end]}" * rng.choice((1, 3, 50)) + text[end:]


def _insert(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    """Odd characters, control characters among them, in odd places."""
    for _i in range(rng.randint(1, 3)):
        at = rng.choice(spans)[rng.randrange(2)] if rng.random() < 0.5 else rng.randrange(len(text))
        text = text[:at] + rng.choice(_JUNK) * rng.choice((1, 1, 1, 30)) + text[at:]
    return text


def _layout(text: str, spans: Spans, _: str, rng: random.Random) -> str:
    """Only what means nothing: case, blanks, comments, line ends. Mostly still accepted, which the checks then see."""
    pieces = []
    for start, end in spans:
        word = text[start:end]
        pieces.append(word.upper() if rng.random() < 0.3 else word)
        pieces.append(rng.choice((" ", " ", "\n", "\t", "\r\n", "\r", " ; (note)\n", "  ")))
    return "".join(pieces)


MUTATIONS: dict[str, Mutation] = {
    "flip bytes": _flip,
    "delete a word": _delete,
    "duplicate a word": _duplicate,
    "swap two words": _swap,
    "replace a word": _replace,
    "insert parentheses": _parenthesis,
    "wrap in parentheses": _wrap,
    "truncate": _truncate,
    "splice two files": _splice,
    "repeat a piece": _repeat,
    "insert odd characters": _insert,
    "change the layout": _layout,
}


_START = "(define (domain d) (:requirements :adl) (:types t) (:predicates (p ?x - t) (q)) "
_ACTION = _START + "(:action a :parameters (?x - t) :precondition "


def _many(count: int, make: Callable[[int], str]) -> str:
    return " ".join(make(i) for i in range(count))


def _parameters(count: int) -> str:
    return f"{_START}(:action a :parameters ({_many(count, lambda i: f'?x{i}')}) :effect (q)))"


def _types(count: int, make: Callable[[int], str]) -> str:
    return f"(define (domain d) (:types {_many(count, make)}) (:predicates (q)))"


def _conditions(count: int, make: Callable[[int], str]) -> str:
    return f"{_ACTION}(and {_many(count, make)}) :effect (q)))"


def _rules(count: int) -> str:
    predicates, rules = (
        _many(count, "(p{})".format),
        _many(count, lambda i: f"(:derived (p{i}) (not (p{(i + 1) % count})))"),
    )
    return f"(define (domain d) (:predicates (q) {predicates}) {rules} (:action a :parameters () :effect (q)))"


MONSTERS: dict[str, Callable[[], str]] = {
    "100,000 parentheses": lambda: "(" * 100_000,
    "a formula nested 100,000 deep": lambda: f"{_ACTION}{'(not ' * 100_000}(q){')' * 100_000} :effect (q)))",
    "50 MB of junk": lambda: "x y (" * 10_000_000,
    "50 MB in one word": lambda: "a" * 50_000_000,
    "4 MB in one word": lambda: "a" * 3_999_999,
    "a million parameters": lambda: _parameters(1_000_000),
    "250,000 parameters": lambda: _parameters(250_000),
    "one name 250,000 times": lambda: f"{_START}(:constants {'c ' * 250_000}))",
    "a chain of 90,000 types": lambda: _types(90_000, lambda i: f"t{i + 1} - t{i}"),
    "a cycle of 900 types": lambda: _types(900, lambda i: f"a{i} - a{(i + 1) % 900}"),
    "400 cycles of types": lambda: _types(400, lambda i: f"a{i} - b{i} b{i} - a{i}"),
    "70,000 types of unknown parents": lambda: _types(70_000, lambda i: f"t{i} - u{i}"),
    "140,000 unknown requirements": lambda: f"(define (domain d) (:requirements {_many(140_000, ':typin{}'.format)}))",
    "70,000 unknown sections": lambda: f"(define (domain d) {_many(70_000, '(:typess{})'.format)})",
    "37,000 equal actions": lambda: f"{_START}{'(:action a :parameters () :effect (q))' * 37_000})",
    "70,000 unknown predicates": lambda: _conditions(70_000, lambda i: f"(p{i} ?x)"),
    "70,000 undeclared variables": lambda: _conditions(70_000, lambda i: f"(p ?y{i})"),
    "18,000 rules in one cycle": lambda: _rules(18_000),
    "60,000 sections left open": lambda: f"{_START}{'(:action a :parameters ( ' * 60_000}",
    "250,000 closing parentheses": lambda: ")" * 250_000,
    "4 MB of NUL": lambda: "\0" * 3_999_999,
    "4 MB of accents": lambda: "é " * 1_999_999,
    "4 MB of comments": lambda: ";\n" * 1_900_000 + "é",
    "a number of 3 MB": lambda: (
        f"{_START}(:action a :parameters () :effect (increase (total-cost) {'9' * 3_000_000})))"
    ),
}
"""Texts that are large or deep in one way."""
