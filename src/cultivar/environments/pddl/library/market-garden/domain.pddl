(define (domain market-garden)
  (:requirements :adl :typing)
  (:types crop bed season richness heap fleece)
  (:predicates
    (season-is ?s - season)
    (next-season ?s - season ?t - season)
    (frosty ?s - season)
    (sowing-time ?c - crop ?s - season)
    (seed-left ?c - crop)
    (fallow ?b - bed)
    (growing ?c - crop ?b - bed)
    (ripe ?c - crop ?b - bed)
    (soil-is ?b - bed ?n - richness)
    (richer ?m - richness ?n - richness)
    (greedy ?c - crop)
    (mends-soil ?c - crop)
    (tender ?c - crop)
    (uncovered ?b - bed)
    (spread ?f - fleece ?b - bed)
    (folded ?f - fleece)
    (rotted ?h - heap)
    (in-store ?c - crop))

  (:action sow
    :parameters (?c - crop ?b - bed ?s - season)
    :precondition (and (season-is ?s) (sowing-time ?c ?s) (seed-left ?c) (fallow ?b) (uncovered ?b))
    :effect (and (growing ?c ?b) (not (fallow ?b)) (not (seed-left ?c))))

  (:action wait-for-season
    :parameters (?s - season ?t - season)
    :precondition (and (season-is ?s) (next-season ?s ?t))
    :effect (and (season-is ?t) (not (season-is ?s))
      (forall (?c - crop ?b - bed)
        (when (and (growing ?c ?b) (not (and (frosty ?t) (tender ?c) (uncovered ?b))))
          (and (ripe ?c ?b) (not (growing ?c ?b)))))
      (forall (?c - crop ?b - bed)
        (when (and (growing ?c ?b) (frosty ?t) (tender ?c) (uncovered ?b))
          (and (fallow ?b) (not (growing ?c ?b)))))
      (forall (?c - crop ?b - bed)
        (when (ripe ?c ?b) (and (fallow ?b) (not (ripe ?c ?b)))))))

  (:action harvest-greedy
    :parameters (?c - crop ?b - bed ?m - richness ?n - richness)
    :precondition (and (ripe ?c ?b) (greedy ?c) (uncovered ?b) (soil-is ?b ?m) (richer ?m ?n))
    :effect (and (in-store ?c) (fallow ?b) (soil-is ?b ?n) (not (ripe ?c ?b)) (not (soil-is ?b ?m))))

  (:action harvest-mending
    :parameters (?c - crop ?b - bed ?n - richness ?m - richness)
    :precondition (and (ripe ?c ?b) (mends-soil ?c) (uncovered ?b) (soil-is ?b ?n) (richer ?m ?n))
    :effect (and (in-store ?c) (fallow ?b) (soil-is ?b ?m) (not (ripe ?c ?b)) (not (soil-is ?b ?n))))

  (:action dig-in-compost
    :parameters (?h - heap ?b - bed ?n - richness ?m - richness)
    :precondition (and (rotted ?h) (fallow ?b) (soil-is ?b ?n) (richer ?m ?n))
    :effect (and (soil-is ?b ?m) (not (soil-is ?b ?n)) (not (rotted ?h))))

  (:action spread-fleece
    :parameters (?f - fleece ?b - bed)
    :precondition (and (folded ?f) (uncovered ?b))
    :effect (and (spread ?f ?b) (not (folded ?f)) (not (uncovered ?b))))

  (:action fold-fleece
    :parameters (?f - fleece ?b - bed)
    :precondition (spread ?f ?b)
    :effect (and (folded ?f) (uncovered ?b) (not (spread ?f ?b)))))
