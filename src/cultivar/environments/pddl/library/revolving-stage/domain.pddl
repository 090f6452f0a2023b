(define (domain revolving-stage)
  (:requirements :adl :typing)
  (:types sector bearing piece dock scene)
  (:predicates
    (brake-set)
    (brake-released)
    (clockwise ?a - bearing ?b - bearing)
    (front-of-house ?a - bearing)
    (faces ?s - sector ?a - bearing)
    (bare ?s - sector)
    (stands-on ?p - piece ?s - sector)
    (stored ?p - piece ?d - dock)
    (spare ?d - dock)
    (opens-to ?d - dock ?a - bearing)
    (plays-in ?p - piece ?c - scene)
    (due ?c - scene)
    (followed-by ?c - scene ?e - scene)
    (played ?c - scene))

  (:action turn-clockwise
    :parameters ()
    :precondition (brake-released)
    :effect (forall (?s - sector ?a - bearing ?b - bearing)
      (when (and (faces ?s ?a) (clockwise ?a ?b)) (and (faces ?s ?b) (not (faces ?s ?a))))))

  (:action turn-back
    :parameters ()
    :precondition (brake-released)
    :effect (forall (?s - sector ?a - bearing ?b - bearing)
      (when (and (faces ?s ?b) (clockwise ?a ?b)) (and (faces ?s ?a) (not (faces ?s ?b))))))

  (:action set-brake
    :parameters ()
    :precondition (brake-released)
    :effect (and (brake-set) (not (brake-released))))

  (:action release-brake
    :parameters ()
    :precondition (brake-set)
    :effect (and (brake-released) (not (brake-set))))

  (:action set-piece
    :parameters (?p - piece ?d - dock ?s - sector ?a - bearing)
    :precondition (and (brake-set) (stored ?p ?d) (opens-to ?d ?a) (faces ?s ?a) (bare ?s))
    :effect (and (stands-on ?p ?s) (spare ?d) (not (stored ?p ?d)) (not (bare ?s))))

  (:action strike-piece
    :parameters (?p - piece ?d - dock ?s - sector ?a - bearing)
    :precondition (and (brake-set) (stands-on ?p ?s) (opens-to ?d ?a) (faces ?s ?a) (spare ?d))
    :effect (and (stored ?p ?d) (bare ?s) (not (stands-on ?p ?s)) (not (spare ?d))))

  (:action play-scene
    :parameters (?c - scene ?e - scene ?p - piece ?s - sector ?a - bearing)
    :precondition (and (brake-set) (due ?c) (followed-by ?c ?e) (plays-in ?p ?c) (stands-on ?p ?s) (faces ?s ?a)
      (front-of-house ?a))
    :effect (and (played ?c) (due ?e) (not (due ?c)))))
