(define (problem blocksworld-10)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5 b6 b7)

  (:init
    (arm-empty)
    (on-table b5)
    (clear b1)
    (on b7 b5)
    (on b3 b7)
    (on b1 b3)
    (on-table b4)
    (clear b6)
    (on b6 b4)
    (on-table b2)
    (clear b2))

  (:goal
    (and (on b4 b7) (on b6 b4) (on b2 b1) (on b5 b2))))
