(define (domain cave-survey)
  (:requirements :strips :typing :negative-preconditions)
  (:types diver chamber cylinder reel gas)
  (:predicates
    (diver-at ?d - diver ?c - chamber)
    (passage ?a - chamber ?b - chamber)
    (lined ?a - chamber ?b - chamber ?r - reel)
    (unlined ?a - chamber ?b - chamber)
    (full-reel ?r - reel)
    (breathes-from ?d - diver ?y - cylinder)
    (carries ?d - diver ?y - cylinder)
    (hands-free ?d - diver)
    (staged ?y - cylinder ?c - chamber)
    (filled ?y - cylinder ?g - gas)
    (one-less ?g - gas ?h - gas)
    (surveyed ?c - chamber))

  (:action lay-line
    :parameters (?d - diver ?r - reel ?a - chamber ?b - chamber)
    :precondition (and (diver-at ?d ?a) (passage ?a ?b) (unlined ?a ?b) (full-reel ?r))
    :effect (and (lined ?a ?b ?r) (lined ?b ?a ?r)
      (not (unlined ?a ?b)) (not (unlined ?b ?a)) (not (full-reel ?r))))

  (:action take-up-line
    :parameters (?d - diver ?r - reel ?a - chamber ?b - chamber)
    :precondition (and (diver-at ?d ?a) (lined ?a ?b ?r))
    :effect (and (full-reel ?r) (unlined ?a ?b) (unlined ?b ?a) (not (lined ?a ?b ?r)) (not (lined ?b ?a ?r))))

  (:action swim
    :parameters (?d - diver ?a - chamber ?b - chamber ?r - reel ?y - cylinder ?g - gas ?h - gas)
    :precondition (and (diver-at ?d ?a) (lined ?a ?b ?r) (breathes-from ?d ?y) (filled ?y ?g) (one-less ?g ?h))
    :effect (and (diver-at ?d ?b) (filled ?y ?h) (not (diver-at ?d ?a)) (not (filled ?y ?g))))

  (:action pick-up-cylinder
    :parameters (?d - diver ?y - cylinder ?c - chamber)
    :precondition (and (diver-at ?d ?c) (staged ?y ?c) (hands-free ?d))
    :effect (and (carries ?d ?y) (not (staged ?y ?c)) (not (hands-free ?d))))

  (:action drop-cylinder
    :parameters (?d - diver ?y - cylinder ?c - chamber)
    :precondition (and (diver-at ?d ?c) (carries ?d ?y))
    :effect (and (staged ?y ?c) (hands-free ?d) (not (carries ?d ?y))))

  (:action change-over
    :parameters (?d - diver ?y - cylinder ?z - cylinder)
    :precondition (and (breathes-from ?d ?y) (carries ?d ?z))
    :effect (and (breathes-from ?d ?z) (carries ?d ?y) (not (breathes-from ?d ?y)) (not (carries ?d ?z))))

  (:action survey
    :parameters (?d - diver ?c - chamber)
    :precondition (and (diver-at ?d ?c) (hands-free ?d) (not (surveyed ?c)))
    :effect (surveyed ?c)))
