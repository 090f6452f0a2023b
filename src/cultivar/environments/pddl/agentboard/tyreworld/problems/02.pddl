(define (problem tyreworld-02)
  (:domain tyreworld)

  (:objects
    hub1 - hub
    nuts1 - nut
    boot - container
    r1 w1 - wheel)

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
    (fastened hub1))

  (:goal
    (and (inflated r1) (on r1 hub1) (in w1 boot) (tight nuts1 hub1))))
