"""Hostile input, in short; ``python -m benchmarks.hostile`` is the long form."""

from __future__ import annotations

import random
import time

import pytest
from benchmarks._hostile_texts import FERRY, FERRY_PROBLEM, MONSTERS, PLAIN
from benchmarks.hostile import Row, Seed, bad_diagnostics, check, fuzz, unheard

from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.parsing.diagnostics import Diagnostic, render_all
from cultivar.environments.pddl.parsing.parse import extract_pddl, parse_domain, parse_problem
from cultivar.environments.pddl.parsing.syntax import MAX_BYTES


def _domain(text: str) -> Domain:
    domain = parse_domain(text).value
    assert domain is not None
    return domain


def test_mutated_files() -> None:
    rows = fuzz(600, 7, None)
    assert sum(row.files for row in rows) == 600
    assert sum(row.accepted for row in rows) > 40, "the checks of what is accepted must have had something to check"
    assert sum(row.probes for row in rows) > 100
    assert [failure for row in rows for failure in row.failures] == []


@pytest.mark.parametrize("kind", [kind for kind in MONSTERS if not kind.startswith("50 MB")][::2])
def test_monsters(kind: str) -> None:
    text = MONSTERS[kind]()
    begun = time.process_time()
    parsed = parse_domain(extract_pddl(text))
    seconds = time.process_time() - begun
    assert parsed.value is None
    assert any(d.line and d.severity == "error" for d in parsed.diagnostics)
    assert len(render_all(parsed.diagnostics)) < 100_000
    assert seconds < 2


def test_fifty_megabytes_are_refused_unread() -> None:
    begun = time.process_time()
    for text in ("a" * 50_000_000, "(a " * 17_000_000):
        parsed = parse_domain(text)
        assert [d.code for d in parsed.diagnostics] == ["too-large"]
    assert time.process_time() - begun < 1
    assert [d.code for d in parse_domain(" " * MAX_BYTES).diagnostics] == ["missing-define"]


@pytest.mark.parametrize(
    ("name", "init"),
    [
        ("atoms of one kind", "(open) " * 90_000),
        ("unknown objects", " ".join(f"(at x{i} home)" for i in range(55_000))),
        ("denials", "(not (open)) " * 55_000),
        ("nested ands", "(and " * 95 + "(open)" + ")" * 95),
        ("values", "(= (way home home) 1) " * 30_000),
    ],
)
def test_hostile_problems(name: str, init: str) -> None:
    domain = _domain(FERRY)
    text = f"(define (problem p) (:domain ferry) (:init {init}) (:goal (open)))"
    begun = time.process_time()
    parsed = parse_problem(text, domain)
    assert time.process_time() - begun < 2, name
    assert parsed.diagnostics


# The checks themselves must be able to fail.


def test_a_skipped_word_would_be_seen() -> None:
    domain = _domain(PLAIN)
    assert unheard(PLAIN, domain) == []
    assert unheard(PLAIN.replace("(free))", "(free) (extra))", 1), domain) != []
    assert unheard(PLAIN + " trailing", domain) != []
    assert unheard(PLAIN.rstrip()[:-1], domain) != []
    assert unheard(PLAIN + ")", domain) != []


def test_a_word_without_effect_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that looks at the first ten words only."""
    honest = parse_domain

    def careless(text: str) -> object:
        return honest(PLAIN if text.split()[:10] == PLAIN.split()[:10] else text)

    monkeypatch.setattr("benchmarks.hostile.parse_domain", careless)
    row = Row("kind")
    check(PLAIN, Seed(PLAIN, "", _domain(PLAIN)), False, random.Random(1), row)
    assert any("is without effect" in failure for failure in row.failures)


def test_bad_diagnostics_would_be_seen() -> None:
    outside = Diagnostic("code", "message", 3, 1, "text")
    assert bad_diagnostics((outside,), "one line", True) != []
    assert bad_diagnostics((), "text", True) == ["refused without an error"]
    assert bad_diagnostics((Diagnostic("code", "\x1b", 1, 1, "text"),), "text", True) != []


def test_the_seeds_are_good() -> None:
    assert parse_problem(FERRY_PROBLEM, _domain(FERRY)).diagnostics == ()
