from __future__ import annotations

from pathlib import Path

import pytest

DOMAIN = """
(define (domain lamps)
  (:requirements :strips :typing)
  (:types room lamp - object)
  (:predicates (in ?r - room) (door ?a ?b - room) (lit ?l - lamp) (dark ?l - lamp) (at ?l - lamp ?r - room))
  (:action walk :parameters (?a ?b - room)
    :precondition (and (in ?a) (door ?a ?b)) :effect (and (in ?b) (not (in ?a))))
  (:action light :parameters (?l - lamp ?r - room)
    :precondition (and (in ?r) (at ?l ?r) (dark ?l)) :effect (and (lit ?l) (not (dark ?l))))
  (:action snuff :parameters (?l - lamp ?r - room)
    :precondition (and (in ?r) (at ?l ?r) (lit ?l)) :effect (and (dark ?l) (not (lit ?l)))))
"""
PROBLEM = """
(define (problem two-lamps) (:domain lamps)
  (:objects hall attic - room red blue - lamp)
  (:init (in hall) (door hall attic) (door attic hall) (at red hall) (at blue attic) (dark red) (dark blue))
  (:goal (and (lit red) (lit blue) (in hall))))
"""
PLAN = "(light red hall)\n(walk hall attic)\n(light blue attic)\n(walk attic hall)\n"


@pytest.fixture
def lamps(tmp_path: Path) -> Path:
    """A folder with domain.pddl, problem.pddl and plan.txt of a small world."""
    (tmp_path / "domain.pddl").write_text(DOMAIN)
    (tmp_path / "problem.pddl").write_text(PROBLEM)
    (tmp_path / "plan.txt").write_text(PLAN)
    return tmp_path
