(define (problem blocksworld-09)
  (:domain blocksworld)

  (:objects
    b1 b2 b3 b4 b5 b6 b7)

  (:init
    (arm-empty)
    (on-table b3)
    (clear b6)
    (on b1 b3)
    (on b6 b1)
    (on-table b5)
    (clear b5)
    (on-table b7)
    (clear b7)
    (on-table b2)
    (clear b2)
    (on-table b4)
    (clear b4))

  (:goal
    (and
      (on b2 b7)
      (on b4 b2)
      (on b6 b4)
      (on b3 b6)
      (on b5 b3)
      (on b1 b5))))
