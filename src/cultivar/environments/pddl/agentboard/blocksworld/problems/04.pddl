(define (problem blocksworld-04)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5)

  (:init
    (arm-empty)
    (on-table b4)
    (clear b5)
    (on b2 b4)
    (on b5 b2)
    (on-table b1)
    (clear b3)
    (on b3 b1))

  (:goal
    (and (on b4 b1) (on b3 b4))))
