(define (problem blocksworld-02)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4)

  (:init
    (arm-empty)
    (on-table b4)
    (clear b3)
    (on b3 b4)
    (on-table b1)
    (clear b1)
    (on-table b2)
    (clear b2))

  (:goal
    (and (on b4 b2) (on b1 b4))))
