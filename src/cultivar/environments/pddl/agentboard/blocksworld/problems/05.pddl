(define (problem blocksworld-05)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5)

  (:init
    (arm-empty)
    (on-table b1)
    (clear b4)
    (on b4 b1)
    (on-table b3)
    (clear b3)
    (on-table b5)
    (clear b5)
    (on-table b2)
    (clear b2))

  (:goal
    (and (on b3 b1))))
