"""A small world for the tests: a robot, rooms, a box that can be closed, things to carry."""

from __future__ import annotations

from cultivar.core.records import EnvironmentSpec, Task
from cultivar.environments.pddl.narration.language import Language, Visibility

DOMAIN = """
(define (domain store)
 (:requirements :typing :negative-preconditions :disjunctive-preconditions :universal-preconditions :equality)
 (:types room thing - object box - thing)
 (:predicates (at-robot ?r - room) (at ?t - thing ?r - room) (in ?t - thing ?b - box) (open ?b - box)
              (holding ?t - thing) (free) (door ?a ?b - room))
 (:action move :parameters (?from ?to - room)
  :precondition (and (at-robot ?from) (or (door ?from ?to) (door ?to ?from)) (not (= ?from ?to)))
  :effect (and (not (at-robot ?from)) (at-robot ?to)))
 (:action open-box :parameters (?b - box ?r - room)
  :precondition (and (at-robot ?r) (at ?b ?r) (not (open ?b))) :effect (open ?b))
 (:action take-out :parameters (?t - thing ?b - box ?r - room)
  :precondition (and (free) (in ?t ?b) (open ?b) (at ?b ?r) (at-robot ?r))
  :effect (and (not (free)) (not (in ?t ?b)) (holding ?t)))
 (:action put-down :parameters (?t - thing ?r - room)
  :precondition (and (holding ?t) (at-robot ?r))
  :effect (and (free) (not (holding ?t)) (at ?t ?r))))
"""
PROBLEM = """
(define (problem p) (:domain store)
 (:objects hall red-room - room ball key-1 - thing big-box - box)
 (:init (at-robot hall) (free) (door hall red-room) (at big-box red-room) (in ball big-box) (in key-1 big-box))
 (:goal (and (at ball hall) (forall (?b - box) (open ?b)) (or (free) (holding key-1)))))
"""
PLAN = [
    ("move", ("hall", "red-room")),
    ("open-box", ("big-box", "red-room")),
    ("take-out", ("ball", "big-box", "red-room")),
    ("move", ("red-room", "hall")),
    ("put-down", ("ball", "hall")),
]
LANGUAGE = Language(
    predicates={
        "at-robot": "You are in the {arg1}.",
        "at": "{arg1} is in the {arg2}.",
        "in": "{arg1} is inside {arg2}.",
        "open": "{arg1} is open.",
        "holding": "You are holding {arg1}.",
        "free": "Your hand is free.",
        "door": "There is a door from {arg1} to {arg2}.",
    },
    actions={
        "move": "Go from {arg1} to {arg2}.",
        "open-box": "Open {arg1} in {arg2}.",
        "take-out": "Take {arg1} out of {arg2} in {arg3}.",
        "put-down": "Put {arg1} down in {arg2}.",
    },
    visibility=Visibility("at-robot", ("at", "in"), open="open"),
)
SPEC = EnvironmentSpec(
    family="pddl",
    name="store",
    description="You are a robot in a store.",
    data={"domain": DOMAIN, "language": LANGUAGE.to_json()},
)
TASK = Task(environment=SPEC.id, goal="Bring the ball.", data={"problem": PROBLEM})
