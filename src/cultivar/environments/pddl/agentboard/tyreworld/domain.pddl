; Tyreworld: wheels are changed with the tools in a boot; wrench, jack and pump are constants.
(define (domain tyreworld)
  (:requirements :strips :typing)
  (:types container hub item - object
    tool wheel nut - item)
  (:constants wrench jack pump - tool)
  (:predicates
    (is-open ?c - container) (closed ?c - container) (unlocked ?c - container) (in ?i - item ?c - container)
    (have ?i - item) (tight ?n - nut ?h - hub) (loose ?n - nut ?h - hub) (on-ground ?h - hub) (not-on-ground ?h - hub)
    (fastened ?h - hub) (unfastened ?h - hub) (free ?h - hub) (on ?w - wheel ?h - hub)
    (inflated ?w - wheel) (not-inflated ?w - wheel) (intact ?w - wheel))
  (:action open
    :parameters (?c - container)
    :precondition (and (unlocked ?c) (closed ?c))
    :effect (and (is-open ?c) (not (closed ?c))))
  (:action close
    :parameters (?c - container)
    :precondition (is-open ?c)
    :effect (and (closed ?c) (not (is-open ?c))))
  (:action fetch
    :parameters (?i - item ?c - container)
    :precondition (and (in ?i ?c) (is-open ?c))
    :effect (and (have ?i) (not (in ?i ?c))))
  (:action put-away
    :parameters (?i - item ?c - container)
    :precondition (and (have ?i) (is-open ?c))
    :effect (and (in ?i ?c) (not (have ?i))))
  (:action loosen
    :parameters (?n - nut ?h - hub)
    :precondition (and (have wrench) (tight ?n ?h) (on-ground ?h))
    :effect (and (loose ?n ?h) (not (tight ?n ?h))))
  (:action tighten
    :parameters (?n - nut ?h - hub)
    :precondition (and (have wrench) (loose ?n ?h) (on-ground ?h))
    :effect (and (tight ?n ?h) (not (loose ?n ?h))))
  (:action jack-up
    :parameters (?h - hub)
    :precondition (and (on-ground ?h) (have jack))
    :effect (and (not-on-ground ?h) (not (on-ground ?h)) (not (have jack))))
  (:action jack-down
    :parameters (?h - hub)
    :precondition (not-on-ground ?h)
    :effect (and (on-ground ?h) (have jack) (not (not-on-ground ?h))))
  (:action undo
    :parameters (?n - nut ?h - hub)
    :precondition (and (not-on-ground ?h) (fastened ?h) (have wrench) (loose ?n ?h))
    :effect (and (have ?n) (unfastened ?h) (not (fastened ?h)) (not (loose ?n ?h))))
  (:action do-up
    :parameters (?n - nut ?h - hub)
    :precondition (and (have wrench) (unfastened ?h) (not-on-ground ?h) (have ?n))
    :effect (and (loose ?n ?h) (fastened ?h) (not (unfastened ?h)) (not (have ?n))))
  (:action remove-wheel
    :parameters (?w - wheel ?h - hub)
    :precondition (and (not-on-ground ?h) (on ?w ?h) (unfastened ?h))
    :effect (and (have ?w) (free ?h) (not (on ?w ?h))))
  (:action put-on-wheel
    :parameters (?w - wheel ?h - hub)
    :precondition (and (have ?w) (free ?h) (unfastened ?h) (not-on-ground ?h))
    :effect (and (on ?w ?h) (not (free ?h)) (not (have ?w))))
  (:action inflate
    :parameters (?w - wheel)
    :precondition (and (have pump) (not-inflated ?w) (intact ?w))
    :effect (and (inflated ?w) (not (not-inflated ?w)))))
