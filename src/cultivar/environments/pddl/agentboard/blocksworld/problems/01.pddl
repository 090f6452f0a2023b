(define (problem blocksworld-01)
  (:domain blocksworld)

  (:objects
    b1 b2 b3)

  (:init
    (arm-empty)
    (on-table b2)
    (clear b3)
    (on b3 b2)
    (on-table b1)
    (clear b1))

  (:goal
    (and (on b1 b2) (on b3 b1))))
