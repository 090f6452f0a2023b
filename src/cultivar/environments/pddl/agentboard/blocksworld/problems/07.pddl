(define (problem blocksworld-07)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5 b6)

  (:init
    (arm-empty)
    (on-table b3)
    (clear b1)
    (on b4 b3)
    (on b6 b4)
    (on b5 b6)
    (on b2 b5)
    (on b1 b2))

  (:goal
    (and (on b1 b3) (on b6 b5) (on b2 b4))))
