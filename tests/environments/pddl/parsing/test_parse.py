"""What the parser accepts, what is no domain at all, and PDDL out of replies. For single mistakes see test_check."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.model import (
    TRUE,
    Action,
    And,
    Atom,
    Derived,
    Domain,
    Equals,
    Exists,
    Forall,
    Imply,
    Increase,
    Not,
    Or,
    Predicate,
    Problem,
    Variable,
    When,
)
from cultivar.environments.pddl.parsing.diagnostics import render_all
from cultivar.environments.pddl.parsing.parse import extract_pddl, parse_domain, parse_problem
from tests.environments.pddl.depot import DOMAIN, PROBLEM, depot


def test_everything_of_adepot() -> None:
    t, p, q = Variable("?t", ("truck",)), Variable("?p", ("place",)), Variable("?q", ("place",))
    b = Variable("?b", ("box",))
    domain = depot()
    assert domain.types == (("thing", ()), ("place", ()), ("truck", ("thing",)), ("box", ("thing",)))
    assert domain.constants == (Variable("home", ("place",)),)
    assert domain.predicates[0] == Predicate("at", (Variable("?x", ("thing",)), p))
    assert domain.functions == (Predicate("total-cost"), Predicate("way", (p, q)))
    rule = Derived(Predicate("busy", (p,)), Exists((t,), Atom("at", ("?t", "?p"))))
    assert domain.derived == (rule,), "the untyped parameter of the rule takes the declared type"
    assert domain.actions[1] == Action(
        "drive",
        (t, p, q),
        And(
            (
                Atom("at", ("?t", "?p")),
                Not(Equals("?p", "?q")),
                Imply(Atom("open"), Not(Atom("busy", ("?q",)))),
            )
        ),
        And(
            (
                Atom("at", ("?t", "?q")),
                Not(Atom("at", ("?t", "?p"))),
                Increase(Atom("way", ("?p", "?q"))),
                Forall((b,), When(Atom("in", ("?b", "?t")), Not(Atom("open")))),
            )
        ),
    )


def test_everything_of_a_problem() -> None:
    parsed = parse_problem(PROBLEM, depot())
    assert parsed.diagnostics == ()
    assert parsed.value == Problem(
        "one",
        "depot",
        (Variable("t", ("truck",)), Variable("b", ("box",)), Variable("c", ("box",)), Variable("away", ("place",))),
        (Atom("at", ("t", "home")), Atom("at", ("b", "away")), Atom("in", ("c", "t"))),
        And((Atom("at", ("b", "home")), Or((Atom("open"), Not(Atom("in", ("c", "t"))))))),
        ((Atom("way", ("home", "away")), 3),),
        True,
    )


def test_case_is_ignored() -> None:
    assert parse_domain(DOMAIN.upper()).value == depot()


def test_the_smallestdepot() -> None:
    parsed = parse_domain("(define (domain d) (:predicates (p)) (:action a :parameters () :effect (p)))")
    assert parsed.diagnostics == ()
    assert parsed.value == Domain("d", predicates=(Predicate("p"),), actions=(Action("a", (), TRUE, Atom("p")),))


def test_objects_may_be_numbers() -> None:
    domain = parse_domain(
        "(define (domain d) (:requirements :equality) (:predicates (p ?x)) (:constants 7)"
        " (:action a :parameters (?x) :precondition (= ?x 7) :effect (p ?x)))"
    ).value
    assert domain is not None
    assert domain.actions[0].precondition == Equals("?x", "7")
    problem = parse_problem("(define (problem 6) (:domain d) (:objects 1 2) (:init (p 1)) (:goal (p 7)))", domain)
    assert problem.value is not None
    assert problem.value.init == (Atom("p", ("1",)),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing-define"),
        ("I'm sorry, but I cannot do that.", "missing-define"),
        ("(define)", "missing-name"),
        ("(define (problem p) (:domain d))", "not-a-domain"),
        ("Sure! " + DOMAIN, "text-before"),
        (DOMAIN + "\nHope this helps!", "text-after-end"),
        (DOMAIN + PROBLEM, "text-after-end"),
        (f"```pddl\n{DOMAIN}```", "markdown-fence"),
        ("(define (domain d) (:action a :parameters () :effect (p)))", "missing-section"),
        ("(define (domain d) (:predicates (p)))", "missing-section"),
    ],
)
def test_texts_that_are_no_domain(text: str, code: str) -> None:
    parsed = parse_domain(text)
    assert parsed.value is None
    assert next(d.code for d in parsed.diagnostics if d.severity == "error") == code
    assert all(d.line for d in parsed.diagnostics)


def test_a_domain_is_no_problem() -> None:
    assert [d.code for d in parse_problem(DOMAIN, depot()).diagnostics] == ["not-a-problem"]


@given(st.text(max_size=200) | st.text(alphabet="()?:- abdefin\n;`", max_size=200))
def test_any_text_gives_a_value_or_errors(text: str) -> None:
    for parsed in (parse_domain(text), parse_problem(text, depot())):
        assert (parsed.value is None) == any(d.severity == "error" for d in parsed.diagnostics)
        assert all(d.line and d.column for d in parsed.diagnostics)


# Replies

FENCED = f"Here is the domain:\n\n```pddl\n{DOMAIN}```\n\nIt has two actions.\n"


@pytest.mark.parametrize(
    "reply",
    [
        FENCED,
        FENCED.replace("```pddl", "```"),
        FENCED.replace("```pddl", "```lisp"),
        FENCED.replace("```", "~~~"),
        FENCED.replace("```pddl", "````pddl").replace("```\n\nIt", "````\n\nIt"),
        f"  ```pddl\n{DOMAIN}  ```",
        f"```pddl\n{DOMAIN}",
        f"Sure.\n\n{DOMAIN}\nHope this helps (really)!",
        DOMAIN,
        f"```\n(:predicates (p))\n```\nthen\n```pddl\n{DOMAIN}```\nand a problem\n```pddl\n{PROBLEM}```",
        f"```pddl\n{PROBLEM}```\n```pddl\n{DOMAIN}```",
        f"```pddl\n{DOMAIN}\n{PROBLEM}```",
        f"```pddl\n(define (domain draft) (:predicates))\n```\nBetter:\n```pddl\n{DOMAIN}```",
        f"<think>(define (domain draft)</think>\n{DOMAIN}",
        FENCED.replace("\n", "\r\n"),
    ],
)
def test_the_domain_is_found_in_a_reply(reply: str) -> None:
    assert parse_domain(extract_pddl(reply)).value == depot()


def test_the_problem_is_found_in_a_reply() -> None:
    reply = f"```pddl\n{DOMAIN}```\n```pddl\n{PROBLEM}```"
    assert extract_pddl(reply, "problem") == PROBLEM.strip()
    assert extract_pddl(f"{DOMAIN}\n{PROBLEM}", "problem") == PROBLEM.strip()


def test_what_is_no_pddl_is_left_for_the_parser() -> None:
    assert extract_pddl(" no idea ") == "no idea"
    assert extract_pddl("```\n(:action a)\n```") == "(:action a)"
    assert extract_pddl(f"```pddl\n{PROBLEM}```") == PROBLEM.strip()
    assert extract_pddl("") == ""


def test_text_after_the_end_within_a_block_is_kept_and_reported() -> None:
    reply = f"```pddl\n{DOMAIN}\nand so on\n```"
    assert [d.code for d in parse_domain(extract_pddl(reply)).diagnostics] == ["text-after-end"]


def test_the_real_replies(shared_data: Path) -> None:
    good = 0
    for line in (shared_data / "agentgen_domain_replies.jsonl").read_text(encoding="utf-8").splitlines():
        parsed = parse_domain(extract_pddl(json.loads(line)["reply"]))
        good += parsed.value is not None
        assert parsed.value is not None or any(d.severity == "error" for d in parsed.diagnostics)
        assert all(d.line and d.column and d.text for d in parsed.diagnostics)
    assert good == 394


def test_the_competition_files(shared_data: Path) -> None:
    begun = time.process_time()
    pairs = sorted((shared_data / "ipc").glob("*/*-domain.pddl"))
    for path in pairs:
        parsed = parse_domain(path.read_text(encoding="utf-8"))
        assert parsed.value is not None, render_all(parsed.diagnostics, path.name)
        text = path.with_name(path.name.replace("domain", "problem")).read_text(encoding="utf-8")
        problem = parse_problem(text, parsed.value)
        assert problem.value is not None, render_all(problem.diagnostics, path.name)
    assert len(pairs) == 219
    assert time.process_time() - begun < 30
