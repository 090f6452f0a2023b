(define (domain hill-pasture)
  (:requirements :adl :typing)
  (:types sheep field gate)
  (:predicates
    (shepherd-in ?f - field)
    (grazes ?s - sheep ?f - field)
    (leads ?g - gate ?a - field ?b - field)
    (gate-open ?g - gate)
    (gate-shut ?g - gate)
    (has-race ?f - field)
    (has-dip ?f - field)
    (dipped ?s - sheep)
    (grassy ?f - field)
    (fed ?s - sheep))

  (:action walk-over
    :parameters (?g - gate ?a - field ?b - field)
    :precondition (and (shepherd-in ?a) (leads ?g ?a ?b))
    :effect (and (shepherd-in ?b) (not (shepherd-in ?a))))

  (:action swing-open
    :parameters (?g - gate ?a - field ?b - field)
    :precondition (and (shepherd-in ?a) (leads ?g ?a ?b) (gate-shut ?g))
    :effect (and (gate-open ?g) (not (gate-shut ?g))))

  (:action latch
    :parameters (?g - gate ?a - field ?b - field)
    :precondition (and (shepherd-in ?a) (leads ?g ?a ?b) (gate-open ?g))
    :effect (and (gate-shut ?g) (not (gate-open ?g))))

  (:action drive-flock
    :parameters (?g - gate ?a - field ?b - field)
    :precondition (and (shepherd-in ?a) (leads ?g ?a ?b) (gate-open ?g)
      (forall (?h - gate ?c - field) (imply (and (leads ?h ?b ?c) (not (= ?h ?g))) (gate-shut ?h))))
    :effect (and (shepherd-in ?b) (not (shepherd-in ?a))
      (forall (?s - sheep) (when (grazes ?s ?a) (and (grazes ?s ?b) (not (grazes ?s ?a)))))))

  (:action draft-off
    :parameters (?s - sheep ?g - gate ?a - field ?b - field)
    :precondition (and (shepherd-in ?a) (has-race ?a) (grazes ?s ?a) (leads ?g ?a ?b) (gate-open ?g))
    :effect (and (grazes ?s ?b) (not (grazes ?s ?a))))

  (:action dip-flock
    :parameters (?f - field)
    :precondition (and (shepherd-in ?f) (has-dip ?f)
      (forall (?g - gate ?c - field) (imply (leads ?g ?f ?c) (gate-shut ?g))))
    :effect (forall (?s - sheep) (when (grazes ?s ?f) (and (dipped ?s) (not (fed ?s))))))

  (:action let-graze
    :parameters (?f - field)
    :precondition (and (shepherd-in ?f) (grassy ?f))
    :effect (and (not (grassy ?f)) (forall (?s - sheep) (when (grazes ?s ?f) (fed ?s))))))
