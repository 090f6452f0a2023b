(define (domain canal-flight)
  (:requirements :strips :typing)
  (:types boat lock reach reservoir depth)
  (:predicates
    (moored ?b - boat ?r - reach)
    (in-chamber ?b - boat ?l - lock)
    (foot ?l - lock ?r - reach)
    (head ?l - lock ?r - reach)
    (raised ?l - lock)
    (lowered ?l - lock)
    (vacant ?l - lock)
    (depth-of ?r - reach ?d - depth)
    (one-less ?d - depth ?e - depth)
    (floats ?d - depth)
    (supplies ?s - reservoir ?r - reach)
    (brimming ?s - reservoir))

  (:action enter-from-below
    :parameters (?b - boat ?l - lock ?r - reach ?d - depth)
    :precondition (and (moored ?b ?r) (foot ?l ?r) (lowered ?l) (vacant ?l) (depth-of ?r ?d) (floats ?d))
    :effect (and (in-chamber ?b ?l) (not (moored ?b ?r)) (not (vacant ?l))))

  (:action enter-from-above
    :parameters (?b - boat ?l - lock ?r - reach ?d - depth)
    :precondition (and (moored ?b ?r) (head ?l ?r) (raised ?l) (vacant ?l) (depth-of ?r ?d) (floats ?d))
    :effect (and (in-chamber ?b ?l) (not (moored ?b ?r)) (not (vacant ?l))))

  (:action leave-to-below
    :parameters (?b - boat ?l - lock ?r - reach ?d - depth)
    :precondition (and (in-chamber ?b ?l) (foot ?l ?r) (lowered ?l) (depth-of ?r ?d) (floats ?d))
    :effect (and (moored ?b ?r) (vacant ?l) (not (in-chamber ?b ?l))))

  (:action leave-to-above
    :parameters (?b - boat ?l - lock ?r - reach ?d - depth)
    :precondition (and (in-chamber ?b ?l) (head ?l ?r) (raised ?l) (depth-of ?r ?d) (floats ?d))
    :effect (and (moored ?b ?r) (vacant ?l) (not (in-chamber ?b ?l))))

  (:action fill-chamber
    :parameters (?l - lock ?r - reach ?d - depth ?e - depth)
    :precondition (and (lowered ?l) (head ?l ?r) (depth-of ?r ?d) (one-less ?e ?d))
    :effect (and (raised ?l) (depth-of ?r ?e) (not (lowered ?l)) (not (depth-of ?r ?d))))

  (:action drain-chamber
    :parameters (?l - lock ?r - reach ?d - depth ?e - depth)
    :precondition (and (raised ?l) (foot ?l ?r) (depth-of ?r ?d) (one-less ?d ?e))
    :effect (and (lowered ?l) (depth-of ?r ?e) (not (raised ?l)) (not (depth-of ?r ?d))))

  (:action release-reservoir
    :parameters (?s - reservoir ?r - reach ?d - depth ?e - depth)
    :precondition (and (brimming ?s) (supplies ?s ?r) (depth-of ?r ?d) (one-less ?d ?e))
    :effect (and (depth-of ?r ?e) (not (depth-of ?r ?d)) (not (brimming ?s)))))
