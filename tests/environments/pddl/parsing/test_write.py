"""The written form reads back to the same value, and looks as it should."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings

from cultivar.environments.pddl.model import And, Atom, Domain, Forall, Increase, Not, Or, Problem, Variable, When
from cultivar.environments.pddl.parsing.diagnostics import render_all
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.parsing.write import WIDTH, write_domain, write_formula, write_problem
from tests.environments.pddl.strategies import domains, worlds

slow = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow
@given(domains())
def test_domains_read_back(domain: Domain) -> None:
    text = write_domain(domain)
    parsed = parse_domain(text)
    assert parsed.value == domain, render_all(parsed.diagnostics)
    assert write_domain(domain) == text == text.lower()


@slow
@given(worlds())
def test_problems_read_back(world: tuple[Domain, Problem]) -> None:
    domain, problem = world
    parsed = parse_problem(write_problem(problem), domain)
    assert parsed.value == problem, render_all(parsed.diagnostics)


@slow
@given(domains())
def test_lines_are_short_where_they_can_be(domain: Domain) -> None:
    for line in write_domain(domain).splitlines():
        assert len(line) <= WIDTH or " " in line.strip(), line
        assert line == line.rstrip()


DOMAIN = """\
(define (domain ferry)
  (:requirements :strips :typing :action-costs)

  (:types
    car ship - object
    place)

  (:constants
    home - place)

  (:predicates
    (at ?x - (either car ship) ?p - place)
    (on ?c - car ?s - ship)
    (empty ?s - ship))

  (:functions
    (total-cost) - number
    (distance ?p ?q - place) - number)

  (:action board
    :parameters (?c - car ?s - ship ?p - place)
    :precondition (and (at ?c ?p) (at ?s ?p) (empty ?s))
    :effect (and (on ?c ?s) (not (at ?c ?p)) (not (empty ?s))))

  (:action sail
    :parameters (?s - ship ?p ?q - place)
    :precondition (and (at ?s ?p) (not (= ?p ?q)))
    :effect (and
      (at ?s ?q)
      (not (at ?s ?p))
      (increase (total-cost) (distance ?p ?q)))))
"""

PROBLEM = """\
(define (problem one-car)
  (:domain ferry)

  (:objects
    c - car
    s - ship
    away - place)

  (:init
    (at c home)
    (at s home)
    (empty s)
    (= (total-cost) 0)
    (= (distance home away) 2.5))

  (:goal
    (on c s))

  (:metric minimize (total-cost)))
"""


def test_the_layout() -> None:
    domain = parse_domain(DOMAIN).value
    assert domain is not None
    assert write_domain(domain) == DOMAIN.replace("    car ship - object\n    place)", "    car ship place)")
    problem = parse_problem(PROBLEM, domain).value
    assert problem is not None
    assert problem.values == ((Atom("distance", ("home", "away")), 2.5),)
    assert problem.minimize_cost
    assert write_problem(problem) == PROBLEM


def test_formulas_on_one_line() -> None:
    x = Variable("?x", ("car", "ship"))
    inner = When(Or((Atom("p"), Not(Atom("q", ("?x",))))), And((Atom("r"),)))
    assert (
        write_formula(Forall((x,), inner)) == "(forall (?x - (either car ship)) (when (or (p) (not (q ?x))) (and (r))))"
    )
    assert write_formula(Increase(0.000001)) == "(increase (total-cost) 0.000001)"
    assert write_formula(Increase(10**15)) == "(increase (total-cost) 1000000000000000)"


def test_the_competition_files_read_back(shared_data: Path) -> None:
    for path in sorted((shared_data / "ipc").glob("*/1-domain.pddl"))[::4]:
        domain = parse_domain(path.read_text(encoding="utf-8")).value
        assert domain is not None, path
        assert parse_domain(write_domain(domain)).value == domain, path
        problem = parse_problem(path.with_name("1-problem.pddl").read_text(encoding="utf-8"), domain).value
        assert problem is not None, path
        assert parse_problem(write_problem(problem), domain).value == problem, path
