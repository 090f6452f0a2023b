(define (domain roundhouse)
  (:requirements :strips :typing :negative-preconditions)
  (:types engine track gauge)
  (:predicates
    (table-at ?t - track)
    (beside ?t - track ?u - track)
    (table-free)
    (on-table ?e - engine)
    (stands ?e - engine ?t - track)
    (vacant ?t - track)
    (steaming ?e - engine)
    (water ?e - engine ?g - gauge)
    (one-lower ?g - gauge ?h - gauge)
    (full-gauge ?g - gauge)
    (has-crane ?t - track)
    (has-pit ?t - track)
    (scaled ?e - engine)
    (washed ?e - engine))

  (:action turn-table
    :parameters (?t - track ?u - track)
    :precondition (and (table-at ?t) (beside ?t ?u))
    :effect (and (table-at ?u) (not (table-at ?t))))

  (:action drive-on
    :parameters (?e - engine ?t - track ?g - gauge ?h - gauge)
    :precondition (and (stands ?e ?t) (steaming ?e) (water ?e ?g) (one-lower ?g ?h) (table-at ?t) (table-free))
    :effect (and (on-table ?e) (vacant ?t) (water ?e ?h)
      (not (stands ?e ?t)) (not (table-free)) (not (water ?e ?g))))

  (:action drive-off
    :parameters (?e - engine ?t - track)
    :precondition (and (on-table ?e) (table-at ?t) (vacant ?t))
    :effect (and (stands ?e ?t) (table-free) (not (on-table ?e)) (not (vacant ?t))))

  (:action take-water
    :parameters (?e - engine ?t - track ?g - gauge ?f - gauge)
    :precondition (and (stands ?e ?t) (has-crane ?t) (water ?e ?g) (full-gauge ?f))
    :effect (and (not (water ?e ?g)) (water ?e ?f)))

  (:action drop-fire
    :parameters (?e - engine ?t - track)
    :precondition (and (stands ?e ?t) (has-pit ?t) (steaming ?e))
    :effect (not (steaming ?e)))

  (:action wash-boiler
    :parameters (?e - engine ?t - track ?g - gauge ?f - gauge)
    :precondition (and (stands ?e ?t) (has-pit ?t) (not (steaming ?e)) (scaled ?e) (water ?e ?g) (full-gauge ?f))
    :effect (and (washed ?e) (not (scaled ?e)) (not (water ?e ?g)) (water ?e ?f)))

  (:action raise-steam
    :parameters (?e - engine ?t - track ?g - gauge ?h - gauge)
    :precondition (and (stands ?e ?t) (not (steaming ?e)) (water ?e ?g) (one-lower ?g ?h))
    :effect (and (steaming ?e) (water ?e ?h) (not (water ?e ?g)))))
