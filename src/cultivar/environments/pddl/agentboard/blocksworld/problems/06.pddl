(define (problem blocksworld-06)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5 b6)

  (:init
    (arm-empty)
    (on-table b6)
    (clear b3)
    (on b3 b6)
    (on-table b5)
    (clear b1)
    (on b2 b5)
    (on b1 b2)
    (on-table b4)
    (clear b4))

  (:goal
    (and (on b5 b3) (on b1 b5) (on b6 b1) (on b4 b2))))
