"""What the checker says about each mistake: one diagnostic for one mistake, at its place."""

from __future__ import annotations

import pytest

from cultivar.environments.pddl.parsing.diagnostics import Diagnostic, render_all
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from tests.environments.pddl.depot import DOMAIN, PROBLEM, depot


def _one(text: str, old: str, new: str, read: str = "domain") -> tuple[Diagnostic, ...]:
    """The diagnostics of ``text`` with one place changed; that place must be there once."""
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the text"
    changed = text.replace(old, new)
    if read == "problem":
        return parse_problem(changed, depot()).diagnostics
    return parse_domain(changed).diagnostics


# what is replaced, by what, the code, the column's text (what the caret is under), words of the message
DOMAIN_MISTAKES = [
    ("(define (domain depot)", "(define (domain)", "missing-name", "(domain)", "(domain NAME)"),
    ("(define (domain depot)", "(define (domain ?d)", "invalid-name", "?d)", "write it without '?'"),
    (":derived-predicates)", ":derived-predicate)", "unknown-requirement", ":derived-predicate)", "':derived-pred"),
    ("(:constants home", "(:konstants home", "unknown-section", "(:kon", "did you mean ':constants'?"),
    ("(:constants home", "(constants home", "unknown-section", "(constants", "the ':' is missing"),
    ("truck box - thing", "truck box - ", "stray-dash", "- )", "after '-' a type is expected"),
    ("truck box - thing", "truck - thing box - thing - thing", "stray-dash", "- thing)", "there must be a name"),
    ("truck box - thing", "truck box - truck", "type-cycle", "truck box", "truck - truck"),
    ("box - thing", "box - (thing)", "invalid-type", "(thing)", "(either NAME NAME ...)"),
    ("?b - box ?t - truck)", "?b - bax ?t - truck)", "unknown-type", "bax", "did you mean 'box'?"),
    ("(in ?b - box ?t", "(in ?b box ?t", "missing-dash", "box ?t", "write '?b - box'"),
    ("(in ?b - box ?t", "(in ?b -box ?t", "missing-space", "-box", "write '- box'"),
    ("(in ?b - box ?t", "(in ?b- box ?t", "missing-space", "?b- box", "write '?b -'"),
    ("(in ?b - box ?t", "(in (?b - box) ?t", "unexpected-parenthesis", "(?b", "without parentheses"),
    ("(open) (busy", "(open ?x) (open) (busy", "duplicate-predicate", "(open) (busy", "it is (open ?x) already"),
    ("(open) (busy", "open (busy", "expected-schema", "open (busy", "found 'open'"),
    ("(open) (busy", "(open) (not) (busy", "invalid-name", "(not)", "a word of PDDL"),
    ("(total-cost) - number", "(total-cost) - place", "unsupported-feature", "place (way", ":object-fluents"),
    ("(total-cost) - number", "(total-cost) (way ?x) - number", "duplicate-function", "(way ?p", "declared twice"),
    ("(busy ?p) (exists", "(bussy ?p) (exists", "unknown-predicate", "(bussy", "did you mean 'busy'?"),
    ("(busy ?p) (exists", "(busy ?p ?q) (exists", "wrong-arity", "(busy ?p ?q)", "declared as (busy ?p - place)"),
    ("(exists (?t - truck) (at ?t ?p))", "(not (busy ?p))", "not-stratified", "(busy ?p) (not", "own negation"),
    ("(:action load", "(:action", "missing-name", "(:action", "(:action NAME ...)"),
    ("(:action drive", "(:action load", "duplicate-action", "(:action load\n    :parameters (?t", "at line 8"),
    ("(:action load", "(:action load (x)", "unexpected-word", "(x)", "expected ':parameters'"),
    ("?t - truck ?p - place)", "?t - truck ?p - place ?b)", "duplicate-parameter", "?b)", "declared twice"),
    ("?t - truck ?p - place)", "?t - truck p - place)", "missing-question-mark", "p - place)", "write '?p'"),
    (
        ":parameters (?t - truck ?p ?q - place)",
        ":parameters ?t - truck ?p ?q - place",
        "unexpected-word",
        "?t -",
        "one list",
    ),
    (
        ":precondition (and (at ?b",
        ":preconditions (and (at ?b",
        "unknown-keyword",
        ":preconditions",
        "':precondition'?",
    ),
    (":precondition (and (at ?b", ":effect (and (at ?b", "duplicate-part", ":effect (and (in", "has ':effect' twice"),
    ("(and (at ?b ?p) (at ?t ?p))", "(at ?b ?p) (at ?t ?p)", "several-formulas", "(at ?t", "wrap them as (and ...)"),
    ("(and (at ?b ?p) (at ?t ?p))", "open", "expected-formula", "open", "write (open)"),
    ("(and (at ?b ?p)", "(and () (at ?b ?p)", "empty-formula", "()", "found '()'"),
    ("(and (at ?b ?p)", "(and ((at ?b ?p))", "extra-group", "((at", "remove one pair"),
    ("(and (at ?b ?p)", "(and (att ?b ?p)", "unknown-predicate", "(att", "did you mean 'at'?"),
    ("(and (at ?b ?p)", "(and (truck ?t)", "unknown-predicate", "(truck", "is a type, not a predicate"),
    ("(and (at ?b ?p)", "(and (way ?p ?p)", "unknown-predicate", "(way ?p ?p)", "is a function"),
    ("(and (at ?b ?p)", "(and (?b ?p)", "unknown-predicate", "(?b ?p)", "found the variable '?b'"),
    (
        "(and (at ?b ?p)",
        "(and (at ?b)",
        "wrong-arity",
        "(at ?b)",
        "takes 2 arguments, (at ?x - thing ?p - place), but here is 1",
    ),
    (
        "(and (at ?b ?p)",
        "(and (at ?p ?p)",
        "type-mismatch",
        "?p ?p)",
        "must be of type thing, but '?p' is of type place",
    ),
    ("(and (at ?b ?p)", "(and (in ?b ?b)", "type-mismatch", "?b) (at", "argument 2 of (in ?b - box ?t - truck)"),
    ("(and (at ?b ?p)", "(and (at ?z ?p)", "undeclared-variable", "?z", "declared are: ?b, ?t and ?p"),
    ("(and (at ?b ?p)", "(and (at b ?p)", "missing-question-mark", "b ?p", "did you mean the variable '?b'?"),
    ("(and (at ?b ?p)", "(and (at ?b hom)", "unknown-constant", "hom", "did you mean 'home'?"),
    ("(and (at ?b ?p)", "(and (at ?b (open))", "nested-formula", "(open)", "found the formula '(open)'"),
    ("(and (at ?b ?p)", '(and (at ?b "home")', "invalid-name", '"home"', "without quotation marks"),
    ("(and (at ?b ?p)", "(and (at ?b ?p - place)", None, None, None),
    ("(not (= ?p ?q))", "(not (= ?p ?q) (open))", "wrong-form", "(not (=", "(not CONDITION)"),
    ("(not (= ?p ?q))", "(!= ?p ?q)", "unknown-predicate", "(!=", "did you mean 'not (= ...)'?"),
    ("(not (= ?p ?q))", "(when (open) (open))", "effect-in-condition", "(when", "(imply CONDITION CONDITION)"),
    ("(not (= ?p ?q))", "(= (way ?p ?q) 3)", "unsupported-feature", "(= (way", ":numeric-fluents (comparing numbers)"),
    ("(not (= ?p ?q))", "(> (way ?p ?q) 3)", "unsupported-feature", "(> (way", ":numeric-fluents (comparing numbers)"),
    ("(not (= ?p ?q))", "(exists ?z (open))", "missing-variables", "?z", "(exists (?x - TYPE) ...)"),
    ("(imply (open)", "(implies (open)", "unknown-predicate", "(implies", "did you mean 'imply'?"),
    ("(imply (open) (not", "(imply (not", "wrong-form", "(imply", "(imply CONDITION CONDITION)"),
    ("(and (in ?b ?t)", "(and (or (in ?b ?t) (open))", "condition-in-effect", "(or", "is a condition, but an effect"),
    ("(and (in ?b ?t)", "(and (not (and (in ?b ?t)))", "not-of-formula", "(and (in ?b ?t))", "one (not ATOM) for each"),
    ("(and (in ?b ?t)", "(and (busy ?p) (in ?b ?t)", "derived-in-effect", "(busy ?p)", "derived predicate"),
    ("(and (in ?b ?t)", "(and (assign (way ?p ?p) 3)", "unsupported-feature", "(assign", ":numeric-fluents (assign)"),
    ("(and (in ?b ?t)", "(and (at start (in ?b ?t))", "unsupported-feature", "(at start", ":durative-actions"),
    ("(total-cost) 2)", "(total-cost) -2)", "unsupported-feature", "-2", "costs are numbers from 0 up"),
    ("(total-cost) 2)", "(total-cost) two)", "expected-number", "two", "expected a number"),
    ("(total-cost) 2)", "(total-cost) (+ 1 1))", "unsupported-feature", "(+", ":numeric-fluents (arithmetic)"),
    ("(total-cost) 2)", "(way ?p ?p) 2)", "unsupported-feature", "(way ?p ?p)", "only (increase (total-cost) ...)"),
    ("(total-cost) (way", "(total-cost) (wai", "unknown-function", "(wai", "did you mean 'way'?"),
    ("(total-cost) (way ?p ?q)", "(total-cost) (way ?p)", "wrong-arity", "(way ?p)", "the function 'way' takes 2"),
    ("(not (open))", "(increase (total-cost) 1)", "unsupported-feature", "(increase (total-cost) 1)", "inside 'when'"),
    ("(:action load", "(:goal (open)) (:action load", "misplaced-section", "(:goal", "belongs in the problem file"),
    ("(:action load", "(:durative-action x) (:action load", "unsupported-feature", "(:durative", ":durative-actions"),
    (
        "(:action load",
        "(:constraints (always (open))) (:action load",
        "unsupported-feature",
        "(:constr",
        ":constraints",
    ),
    ("(:action load", "(:predicates (x)) (:action load", "duplicate-section", "(:predicates (x))", "the one of line 5"),
    ("(:action load", "stray (:action load", "unexpected-word", "stray", "expected a section"),
]


@pytest.mark.parametrize(("old", "new", "code", "under", "words"), DOMAIN_MISTAKES, ids=lambda v: str(v)[:30])
def test_one_mistake_in_a_domain(old: str, new: str, code: str | None, under: str | None, words: str | None) -> None:
    diagnostics = _one(DOMAIN, old, new)
    errors = [d for d in diagnostics if d.severity == "error"]
    if code is None:  # two words too many are two mistakes
        assert {d.code for d in errors} == {"stray-dash", "unknown-constant", "wrong-arity"}
        return
    assert [d.code for d in errors] == [code], render_all(errors)
    text = DOMAIN.replace(old, new)
    offset = sum(len(line) + 1 for line in text.split("\n")[: errors[0].line - 1]) + errors[0].column - 1
    assert under is None or text.startswith(under, offset), f"points at {text[offset : offset + 20]!r}"
    assert words is None or words in errors[0].message, errors[0].message


PROBLEM_MISTAKES = [
    ("(:domain depot)", "(:domain depo)", "other-domain", "depo)", "it is read with 'depot'"),
    ("(:domain depot)", "", "missing-section", "(define", "'(:domain depot)' is missing"),
    (
        "  (:goal (and (at b home) (or (open) (not (in c t)))))",
        "",
        "missing-section",
        "(define",
        "'(:goal ...)' is missing",
    ),
    ("b c - box", "b c b - box", "duplicate-object", "b - box", "declared twice"),
    ("b c - box", "b c - bax", "unknown-type", "bax", "did you mean 'box'?"),
    ("b c - box", "b ?c c - box", "invalid-name", "?c", "write it without '?'"),
    (
        "away - place)",
        "away - place home - box)",
        "duplicate-object",
        "home - box",
        "constant of the domain, of type place",
    ),
    ("(:init (at t home)", "(:init (att t home)", "unknown-predicate", "(att", "did you mean 'at'?"),
    ("(:init (at t home)", "(:init (at u home)", "unknown-object", "u home", "in the initial state"),
    ("(:init (at t home)", "(:init (at home home)", "type-mismatch", "home home", "must be of type thing"),
    ("(:init (at t home)", "(:init (at t)", "wrong-arity", "(at t)", "but here is 1"),
    ("(:init (at t home)", "(:init (at t ?x)", "variable-in-init", "?x", "ground atoms only"),
    ("(:init (at t home)", "(:init (and (at t home))", "formula-in-init", "(and", "plain list of atoms"),
    (
        "(:init (at t home)",
        "(:init (forall (?b - box) (at ?b home))",
        "formula-in-init",
        "(forall",
        "ground atoms only",
    ),
    ("(:init (at t home)", "(:init ((at t home))", "extra-group", "((at", "remove one pair"),
    ("(:init (at t home)", "(:init open", "expected-formula", "open", "write (open)"),
    ("(:init (at t home)", "(:init (not (at b away))", "contradiction", "(not", "elsewhere as true"),
    ("(:init (at t home)", "(:init (busy home)", "derived-in-init", "(busy", "derived by rules"),
    ("(:init (at t home)", "(:init (at 5 (open))", "unsupported-feature", "(at 5", ":timed-initial-literals"),
    ("(:init (at t home)", "(:init (= t c)", "formula-in-init", "(= t", "different names"),
    ("(way home away) 3)", "(wai home away) 3)", "unknown-function", "(wai", "did you mean 'way'?"),
    (
        "(way home away) 3)",
        "(way home away) 3) (= (way home away) 4)",
        "contradiction",
        "(= (way home away) 4)",
        "two values",
    ),
    ("(way home away) 3)", "(way home away) b)", "unsupported-feature", "(= (way", ":object-fluents"),
    ("(or (open)", "(or (on b c)", "unknown-predicate", "(on", None),
    ("(at b home) (or", "(at b hoem) (or", "unknown-object", "hoem", "did you mean 'home'?"),
    ("(not (in c t))", "(preference p (open))", "unsupported-feature", "(preference", ":preferences"),
    ("(not (in c t))", "(sometime (open))", "unsupported-feature", "(sometime", ":constraints"),
    ("minimize (total-cost)", "maximize (total-cost)", "unsupported-feature", "(:metric", "a metric other than"),
    ("minimize (total-cost)", "minimize (total-time)", "unsupported-feature", "(:metric", "a metric other than"),
    ("(:metric", "(:action x :effect (open)) (:metric", "misplaced-section", "(:action", "belongs in the domain file"),
]


@pytest.mark.parametrize(("old", "new", "code", "under", "words"), PROBLEM_MISTAKES, ids=lambda v: str(v)[:30])
def test_one_mistake_in_a_problem(old: str, new: str, code: str, under: str, words: str | None) -> None:
    errors = [d for d in _one(PROBLEM, old, new, "problem") if d.severity == "error"]
    assert [d.code for d in errors] == [code], render_all(errors)
    text = PROBLEM.replace(old, new)
    offset = sum(len(line) + 1 for line in text.split("\n")[: errors[0].line - 1]) + errors[0].column - 1
    assert text.startswith(under, offset), f"points at {text[offset : offset + 20]!r}"
    assert words is None or words in errors[0].message, errors[0].message


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (":adl ", ":typing ", "undeclared-requirement"),
        (":adl", ":adl :durative-actions", "unsupported-requirement"),
        ("truck box - thing", "truck - thing truck box - thing", "duplicate-type"),
        ("truck box - thing", "truck box - thing van - truk", "undeclared-parent"),
        ("(domain depot)", "(domain 2nd)", "nonstandard-name"),
        ("(open) (busy", "(open) (shut) (busy", "unused-predicate"),
        ("(open) (busy ?p", "(open) (busy ?p - place) (x ?p ?p", "duplicate-parameter"),
        ("?b - box ?t - truck ?p - place)", "?b - box ?t - truck ?p ?q - place)", "unused-parameter"),
        ("(:action load", "(:action noop :parameters () :effect ()) (:action load", "empty-effect"),
        ("(:action load", "(:action shut :effect (not (open))) (:action load", "missing-parameters"),
        ("(at ?t ?q) (not", "(at ?t ?p) (not", "added-and-deleted"),
        ("(exists (?t - truck) (at ?t ?p))", "(exists (?t ?s - truck) (at ?t ?p))", "unused-variable"),
        (
            "(exists (?t - truck) (at ?t ?p))",
            "(exists (?t - truck) (exists (?t - truck) (at ?t ?p)))",
            "shadowed-variable",
        ),
    ],
)
def test_doubts_about_a_domain_are_warnings(old: str, new: str, code: str) -> None:
    assert DOMAIN.count(old) == 1
    parsed = parse_domain(DOMAIN.replace(old, new))
    assert parsed.value is not None
    assert code in {d.code for d in parsed.diagnostics}
    assert {d.severity for d in parsed.diagnostics} == {"warning"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("away - place)", "away home - place)", "object-is-constant"),
        ("(:init (at t home)", "(:init (not (open)) (at t home)", "negative-init"),
        ("(:init (at t home)", "(:init (at t home) (at t home)", "duplicate-atom"),
        ("(:goal (and (at b home) (or (open) (not (in c t)))))", "(:goal ())", "empty-goal"),
        ("(:metric", "(:length (:serial 9)) (:metric", "ignored-section"),
    ],
)
def test_doubts_about_a_problem_are_warnings(old: str, new: str, code: str) -> None:
    assert PROBLEM.count(old) == 1
    parsed = parse_problem(PROBLEM.replace(old, new), depot())
    assert parsed.value is not None
    assert [(d.code, d.severity) for d in parsed.diagnostics] == [(code, "warning")]


def test_all_mistakes_at_once() -> None:
    text = DOMAIN
    for old, new in (
        ("?b - box ?t - truck)", "?b - bax ?t - truck)"),
        ("(imply", "(implies"),
        ("(at ?t ?q)", "(at ?q)"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    codes = [d.code for d in parse_domain(text).diagnostics]
    assert codes == ["unknown-type", "unknown-predicate", "wrong-arity"]


def test_a_name_that_is_wrong_everywhere_is_told_once() -> None:
    errors = [
        d for d in parse_domain(DOMAIN.replace("(in ?b - box ?t - truck) ", "")).diagnostics if d.severity == "error"
    ]
    assert [(d.code, d.line) for d in errors] == [("unknown-predicate", 11)]
    diagnostics = parse_domain(DOMAIN.replace("thing place - object", "thing - object")).diagnostics
    assert [d.code for d in diagnostics if d.severity == "error"] == ["unknown-type"]
