(define (problem tyreworld-05)
  (:domain tyreworld)

  (:objects
    hub1 hub2 - hub
    nuts1 nuts2 - nut
    boot - container
    r1 w1 r2 w2 - wheel)

  (:init
    (in jack boot)
    (in pump boot)
    (in wrench boot)
    (unlocked boot)
    (closed boot)
    (intact r1)
    (in r1 boot)
    (not-inflated r1)
    (on w1 hub1)
    (on-ground hub1)
    (tight nuts1 hub1)
    (fastened hub1)
    (intact r2)
    (in r2 boot)
    (not-inflated r2)
    (on w2 hub2)
    (on-ground hub2)
    (tight nuts2 hub2)
    (fastened hub2))

  (:goal
    (and
      (inflated r1)
      (on r1 hub1)
      (in w1 boot)
      (inflated r2)
      (on r2 hub2)
      (in w2 boot))))
