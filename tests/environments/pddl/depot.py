"""A domain and a problem that use everything the reader reads; its tests change one place of them at a time."""

from __future__ import annotations

from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.parsing.parse import parse_domain

DOMAIN = """\
(define (domain depot)
  (:requirements :adl :action-costs :derived-predicates)
  (:types thing place - object truck box - thing)
  (:constants home - place)
  (:predicates (at ?x - thing ?p - place) (in ?b - box ?t - truck) (open) (busy ?p - place))
  (:functions (total-cost) - number (way ?p ?q - place) - number)
  (:derived (busy ?p) (exists (?t - truck) (at ?t ?p)))
  (:action load
    :parameters (?b - box ?t - truck ?p - place)
    :precondition (and (at ?b ?p) (at ?t ?p))
    :effect (and (in ?b ?t) (not (at ?b ?p)) (increase (total-cost) 2)))
  (:action drive
    :parameters (?t - truck ?p ?q - place)
    :precondition (and (at ?t ?p) (not (= ?p ?q)) (imply (open) (not (busy ?q))))
    :effect (and (at ?t ?q) (not (at ?t ?p)) (increase (total-cost) (way ?p ?q))
                 (forall (?b - box) (when (in ?b ?t) (not (open)))))))
"""
PROBLEM = """\
(define (problem one)
  (:domain depot)
  (:objects t - truck b c - box away - place)
  (:init (at t home) (at b away) (in c t) (= (way home away) 3) (= (total-cost) 0))
  (:goal (and (at b home) (or (open) (not (in c t)))))
  (:metric minimize (total-cost)))
"""


def depot() -> Domain:
    """The domain, read."""
    parsed = parse_domain(DOMAIN)
    assert parsed.value is not None
    assert parsed.diagnostics == ()
    return parsed.value
