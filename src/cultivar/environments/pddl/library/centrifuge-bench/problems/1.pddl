(define (problem centrifuge-bench-1)
  (:domain centrifuge-bench)
  (:objects
    rotor - centrifuge
    north-slot south-slot - slot
    blood-a water - tube
    vial-1 - vial
    light medium heavy - weight)
  (:init
    (lighter light medium) (lighter medium heavy)
    (slot-of north-slot rotor) (slot-of south-slot rotor) (empty-slot north-slot)
    (opposite north-slot south-slot) (opposite south-slot north-slot)
    (lid-open rotor) (placed water south-slot) (bears south-slot medium)
    (racked blood-a) (weighs blood-a medium) (weighs water medium) (diluted water)
    (empty-vial vial-1))
  (:goal (and
    (separated blood-a)
    (lid-shut rotor))))
