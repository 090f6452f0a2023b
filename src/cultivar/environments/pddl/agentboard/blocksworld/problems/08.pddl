(define (problem blocksworld-08)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5 b6)

  (:init
    (arm-empty)
    (on-table b5)
    (clear b6)
    (on b4 b5)
    (on b6 b4)
    (on-table b1)
    (clear b1)
    (on-table b2)
    (clear b2)
    (on-table b3)
    (clear b3))

  (:goal
    (and (on b1 b6) (on b3 b5) (on b4 b3))))
