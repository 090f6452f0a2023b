; Barman: two hands, shot glasses, one shaker with levels, cocktails of two parts.
(define (domain barman)
  (:requirements :strips :typing)
  (:types hand level beverage dispenser container - object
    ingredient cocktail - beverage
    shot shaker - container)
  (:predicates
    (ontable ?c - container) (holding ?h - hand ?c - container) (handempty ?h - hand)
    (empty ?c - container) (contains ?c - container ?b - beverage) (clean ?c - container)
    (used ?c - container ?b - beverage) (dispenses ?d - dispenser ?i - ingredient)
    (shaker-empty-level ?s - shaker ?l - level) (shaker-level ?s - shaker ?l - level) (next ?l - level ?m - level)
    (unshaked ?s - shaker) (shaked ?s - shaker)
    (cocktail-part1 ?c - cocktail ?i - ingredient) (cocktail-part2 ?c - cocktail ?i - ingredient))
  (:action grasp
    :parameters (?h - hand ?c - container)
    :precondition (and (ontable ?c) (handempty ?h))
    :effect (and (holding ?h ?c) (not (ontable ?c)) (not (handempty ?h))))
  (:action leave
    :parameters (?h - hand ?c - container)
    :precondition (holding ?h ?c)
    :effect (and (ontable ?c) (handempty ?h) (not (holding ?h ?c))))
  (:action fill-shot
    :parameters (?s - shot ?i - ingredient ?h - hand ?k - hand ?d - dispenser)
    :precondition (and (holding ?h ?s) (handempty ?k) (dispenses ?d ?i) (empty ?s) (clean ?s))
    :effect (and (contains ?s ?i) (used ?s ?i) (not (empty ?s)) (not (clean ?s))))
  (:action refill-shot
    :parameters (?s - shot ?i - ingredient ?h - hand ?k - hand ?d - dispenser)
    :precondition (and (holding ?h ?s) (handempty ?k) (dispenses ?d ?i) (empty ?s) (used ?s ?i))
    :effect (and (contains ?s ?i) (not (empty ?s))))
  (:action empty-shot
    :parameters (?h - hand ?s - shot ?b - beverage)
    :precondition (and (holding ?h ?s) (contains ?s ?b))
    :effect (and (empty ?s) (not (contains ?s ?b))))
  (:action clean-shot
    :parameters (?s - shot ?b - beverage ?h - hand ?k - hand)
    :precondition (and (holding ?h ?s) (handempty ?k) (empty ?s) (used ?s ?b))
    :effect (and (clean ?s) (not (used ?s ?b))))
  (:action pour-shot-to-clean-shaker
    :parameters (?s - shot ?i - ingredient ?k - shaker ?h - hand ?l - level ?m - level)
    :precondition (and (holding ?h ?s) (contains ?s ?i) (empty ?k) (clean ?k) (shaker-level ?k ?l) (next ?l ?m))
    :effect (and (empty ?s) (contains ?k ?i) (unshaked ?k) (shaker-level ?k ?m)
      (not (contains ?s ?i)) (not (empty ?k)) (not (clean ?k)) (not (shaker-level ?k ?l))))
  (:action pour-shot-to-used-shaker
    :parameters (?s - shot ?i - ingredient ?k - shaker ?h - hand ?l - level ?m - level)
    :precondition (and (holding ?h ?s) (contains ?s ?i) (unshaked ?k) (shaker-level ?k ?l) (next ?l ?m))
    :effect (and (empty ?s) (contains ?k ?i) (shaker-level ?k ?m) (not (contains ?s ?i)) (not (shaker-level ?k ?l))))
  (:action empty-shaker
    :parameters (?h - hand ?k - shaker ?c - cocktail ?l - level ?e - level)
    :precondition (and (holding ?h ?k) (contains ?k ?c) (shaked ?k) (shaker-level ?k ?l) (shaker-empty-level ?k ?e))
    :effect (and (empty ?k) (shaker-level ?k ?e) (not (shaked ?k)) (not (shaker-level ?k ?l)) (not (contains ?k ?c))))
  (:action clean-shaker
    :parameters (?h - hand ?g - hand ?k - shaker)
    :precondition (and (holding ?h ?k) (handempty ?g) (empty ?k))
    :effect (clean ?k))
  (:action shake
    :parameters (?c - cocktail ?i - ingredient ?j - ingredient ?k - shaker ?h - hand ?g - hand)
    :precondition (and (holding ?h ?k) (handempty ?g) (contains ?k ?i) (contains ?k ?j)
      (cocktail-part1 ?c ?i) (cocktail-part2 ?c ?j) (unshaked ?k))
    :effect (and (shaked ?k) (contains ?k ?c) (not (unshaked ?k)) (not (contains ?k ?i)) (not (contains ?k ?j))))
  (:action pour-shaker-to-shot
    :parameters (?b - beverage ?s - shot ?h - hand ?k - shaker ?l - level ?m - level)
    :precondition (and (holding ?h ?k) (shaked ?k) (empty ?s) (clean ?s) (contains ?k ?b) (shaker-level ?k ?l)
      (next ?m ?l))
    :effect (and (contains ?s ?b) (shaker-level ?k ?m)
      (not (clean ?s)) (not (empty ?s)) (not (shaker-level ?k ?l)))))
