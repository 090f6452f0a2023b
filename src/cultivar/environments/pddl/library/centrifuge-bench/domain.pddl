(define (domain centrifuge-bench)
  (:requirements :adl :typing)
  (:types centrifuge slot tube vial weight)
  (:predicates
    (slot-of ?p - slot ?c - centrifuge)
    (opposite ?p - slot ?q - slot)
    (empty-slot ?p - slot)
    (lid-open ?c - centrifuge)
    (lid-shut ?c - centrifuge)
    (racked ?t - tube)
    (placed ?t - tube ?p - slot)
    (bears ?p - slot ?w - weight)
    (weighs ?t - tube ?w - weight)
    (lighter ?v - weight ?w - weight)
    (separated ?t - tube)
    (diluted ?t - tube)
    (empty-vial ?v - vial)
    (plasma-in ?v - vial ?t - tube))

  (:action open-lid
    :parameters (?c - centrifuge)
    :precondition (lid-shut ?c)
    :effect (and (lid-open ?c) (not (lid-shut ?c))))

  (:action shut-lid
    :parameters (?c - centrifuge)
    :precondition (lid-open ?c)
    :effect (and (lid-shut ?c) (not (lid-open ?c))))

  (:action load-tube
    :parameters (?t - tube ?w - weight ?p - slot ?c - centrifuge)
    :precondition (and (racked ?t) (weighs ?t ?w) (slot-of ?p ?c) (empty-slot ?p) (lid-open ?c))
    :effect (and (placed ?t ?p) (bears ?p ?w) (not (racked ?t)) (not (empty-slot ?p))))

  (:action unload-tube
    :parameters (?t - tube ?w - weight ?p - slot ?c - centrifuge)
    :precondition (and (placed ?t ?p) (bears ?p ?w) (slot-of ?p ?c) (lid-open ?c))
    :effect (and (racked ?t) (empty-slot ?p) (not (placed ?t ?p)) (not (bears ?p ?w))))

  (:action spin
    :parameters (?c - centrifuge)
    :precondition (and (lid-shut ?c)
      (forall (?p - slot ?q - slot ?w - weight)
        (imply (and (slot-of ?p ?c) (opposite ?p ?q) (bears ?p ?w)) (bears ?q ?w))))
    :effect (forall (?t - tube ?p - slot)
      (when (and (placed ?t ?p) (slot-of ?p ?c)) (separated ?t))))

  (:action draw-plasma
    :parameters (?t - tube ?v - vial ?w - weight ?l - weight)
    :precondition (and (racked ?t) (separated ?t) (not (diluted ?t)) (empty-vial ?v) (weighs ?t ?w) (lighter ?l ?w))
    :effect (and (plasma-in ?v ?t) (weighs ?t ?l) (not (empty-vial ?v)) (not (weighs ?t ?w)) (not (separated ?t))))

  (:action top-up
    :parameters (?t - tube ?w - weight ?h - weight)
    :precondition (and (racked ?t) (weighs ?t ?w) (lighter ?w ?h))
    :effect (and (weighs ?t ?h) (diluted ?t) (not (weighs ?t ?w)) (not (separated ?t)))))
