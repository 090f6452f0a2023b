(define (domain cliff-rescue)
  (:requirements :strips :typing :negative-preconditions :equality)
  (:types rescuer casualty ledge rope bolt)
  (:predicates
    (below ?l - ledge ?h - ledge)
    (on-ledge ?r - rescuer ?l - ledge)
    (lies-on ?c - casualty ?l - ledge)
    (coils ?r - rescuer ?o - rope)
    (burdened ?r - rescuer)
    (carries-bolt ?r - rescuer ?b - bolt)
    (anchored ?l - ledge)
    (hangs ?o - rope ?h - ledge ?l - ledge)
    (medic ?r - rescuer)
    (splinted ?c - casualty))

  (:action drill-anchor
    :parameters (?r - rescuer ?b - bolt ?l - ledge)
    :precondition (and (on-ledge ?r ?l) (carries-bolt ?r ?b) (not (anchored ?l)))
    :effect (and (anchored ?l) (not (carries-bolt ?r ?b))))

  (:action hang-rope
    :parameters (?r - rescuer ?o - rope ?h - ledge ?l - ledge)
    :precondition (and (on-ledge ?r ?h) (anchored ?h) (coils ?r ?o) (below ?l ?h))
    :effect (and (hangs ?o ?h ?l) (not (coils ?r ?o)) (not (burdened ?r))))

  (:action abseil
    :parameters (?r - rescuer ?o - rope ?h - ledge ?l - ledge)
    :precondition (and (on-ledge ?r ?h) (hangs ?o ?h ?l))
    :effect (and (on-ledge ?r ?l) (not (on-ledge ?r ?h))))

  (:action climb-rope
    :parameters (?r - rescuer ?o - rope ?l - ledge ?h - ledge)
    :precondition (and (on-ledge ?r ?l) (hangs ?o ?h ?l) (not (burdened ?r)))
    :effect (and (on-ledge ?r ?h) (not (on-ledge ?r ?l))))

  (:action pull-rope
    :parameters (?r - rescuer ?o - rope ?h - ledge ?l - ledge)
    :precondition (and (on-ledge ?r ?l) (hangs ?o ?h ?l) (not (burdened ?r)))
    :effect (and (coils ?r ?o) (burdened ?r) (not (hangs ?o ?h ?l))))

  (:action hand-over
    :parameters (?r - rescuer ?s - rescuer ?o - rope ?l - ledge)
    :precondition (and (on-ledge ?r ?l) (on-ledge ?s ?l) (coils ?r ?o) (not (burdened ?s)) (not (= ?r ?s)))
    :effect (and (coils ?s ?o) (burdened ?s) (not (coils ?r ?o)) (not (burdened ?r))))

  (:action splint
    :parameters (?r - rescuer ?c - casualty ?l - ledge)
    :precondition (and (on-ledge ?r ?l) (lies-on ?c ?l) (medic ?r) (not (burdened ?r)))
    :effect (splinted ?c))

  (:action lower-casualty
    :parameters (?r - rescuer ?s - rescuer ?c - casualty ?o - rope ?h - ledge ?l - ledge)
    :precondition (and (on-ledge ?r ?h) (on-ledge ?s ?l) (lies-on ?c ?h) (splinted ?c) (hangs ?o ?h ?l))
    :effect (and (lies-on ?c ?l) (not (lies-on ?c ?h)))))
