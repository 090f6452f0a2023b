(define (domain rolling-upgrade)
  (:requirements :adl :typing)
  (:types server slot service)
  (:predicates
    (slot-of ?x - slot ?m - server)
    (free-slot ?x - slot)
    (runs-in ?s - service ?x - slot)
    (powered ?m - server)
    (switched-off ?m - server)
    (patched ?m - server)
    (old-format ?s - service)
    (new-format ?s - service))

  (:action copy-service
    :parameters (?s - service ?x - slot ?m - server ?y - slot ?n - server)
    :precondition (and (runs-in ?s ?x) (slot-of ?x ?m) (free-slot ?y) (slot-of ?y ?n) (powered ?n) (not (= ?m ?n))
      (imply (new-format ?s) (patched ?n)))
    :effect (and (runs-in ?s ?y) (not (free-slot ?y))))

  (:action retire-copy
    :parameters (?s - service ?x - slot ?y - slot)
    :precondition (and (runs-in ?s ?x) (runs-in ?s ?y) (not (= ?x ?y)))
    :effect (and (free-slot ?x) (not (runs-in ?s ?x))))

  (:action shut-down
    :parameters (?m - server)
    :precondition (and (powered ?m) (forall (?x - slot) (imply (slot-of ?x ?m) (free-slot ?x))))
    :effect (and (switched-off ?m) (not (powered ?m))))

  (:action patch-server
    :parameters (?m - server)
    :precondition (and (switched-off ?m) (not (patched ?m)))
    :effect (patched ?m))

  (:action boot
    :parameters (?m - server)
    :precondition (switched-off ?m)
    :effect (and (powered ?m) (not (switched-off ?m))))

  (:action convert-service
    :parameters (?s - service)
    :precondition (and (old-format ?s)
      (forall (?x - slot ?m - server) (imply (and (runs-in ?s ?x) (slot-of ?x ?m)) (patched ?m))))
    :effect (and (new-format ?s) (not (old-format ?s)))))
