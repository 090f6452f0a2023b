(define (domain cleanroom-airlock)
  (:requirements :adl :typing)
  (:types thing room door suit - object
    person item - thing)
  (:predicates
    (in-room ?x - thing ?r - room)
    (joins ?d - door ?r - room ?s - room)
    (interlocked ?d - door ?e - door)
    (closed-door ?d - door)
    (open-door ?d - door)
    (airlock-room ?r - room)
    (clean-room ?r - room)
    (holds ?p - person ?i - item)
    (empty-handed ?p - person)
    (suited ?p - person)
    (fresh-suit ?u - suit)
    (wiped ?i - item))

  (:action pull-open
    :parameters (?p - person ?d - door ?r - room ?s - room)
    :precondition (and (in-room ?p ?r) (joins ?d ?r ?s) (closed-door ?d)
      (forall (?e - door) (imply (interlocked ?d ?e) (closed-door ?e))))
    :effect (and (open-door ?d) (not (closed-door ?d))))

  (:action push-shut
    :parameters (?p - person ?d - door ?r - room ?s - room)
    :precondition (and (in-room ?p ?r) (joins ?d ?r ?s) (open-door ?d))
    :effect (and (closed-door ?d) (not (open-door ?d))))

  (:action walk-through
    :parameters (?p - person ?d - door ?r - room ?s - room)
    :precondition (and (in-room ?p ?r) (joins ?d ?r ?s) (open-door ?d)
      (imply (clean-room ?s) (suited ?p))
      (forall (?i - item) (imply (and (clean-room ?s) (holds ?p ?i)) (wiped ?i))))
    :effect (and (in-room ?p ?s) (not (in-room ?p ?r))
      (when (not (or (clean-room ?s) (airlock-room ?s))) (not (suited ?p)))))

  (:action put-on-suit
    :parameters (?p - person ?u - suit ?r - room)
    :precondition (and (in-room ?p ?r) (airlock-room ?r) (empty-handed ?p) (fresh-suit ?u) (not (suited ?p)))
    :effect (and (suited ?p) (not (fresh-suit ?u))))

  (:action wipe-down
    :parameters (?p - person ?i - item ?r - room)
    :precondition (and (in-room ?p ?r) (airlock-room ?r) (in-room ?i ?r) (suited ?p))
    :effect (wiped ?i))

  (:action lift
    :parameters (?p - person ?i - item ?r - room)
    :precondition (and (in-room ?p ?r) (in-room ?i ?r) (empty-handed ?p))
    :effect (and (holds ?p ?i) (not (in-room ?i ?r)) (not (empty-handed ?p))))

  (:action put-down
    :parameters (?p - person ?i - item ?r - room)
    :precondition (and (in-room ?p ?r) (holds ?p ?i))
    :effect (and (in-room ?i ?r) (empty-handed ?p) (not (holds ?p ?i))
      (when (not (clean-room ?r)) (not (wiped ?i))))))
