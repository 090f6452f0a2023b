; Gripper as the AgentBoard suite plays it: a robot with two grippers moves objects between rooms. Written anew.
(define (domain gripper)
  (:requirements :strips :typing)
  (:types room object-to-carry gripper)
  (:predicates
    (at-robby ?r - room) (at ?o - object-to-carry ?r - room) (free ?g - gripper)
    (carry ?o - object-to-carry ?g - gripper))
  (:action move
    :parameters (?from - room ?to - room)
    :precondition (at-robby ?from)
    :effect (and (at-robby ?to) (not (at-robby ?from))))
  (:action pick
    :parameters (?o - object-to-carry ?r - room ?g - gripper)
    :precondition (and (at ?o ?r) (at-robby ?r) (free ?g))
    :effect (and (carry ?o ?g) (not (at ?o ?r)) (not (free ?g))))
  (:action drop
    :parameters (?o - object-to-carry ?r - room ?g - gripper)
    :precondition (and (carry ?o ?g) (at-robby ?r))
    :effect (and (at ?o ?r) (free ?g) (not (carry ?o ?g)))))
