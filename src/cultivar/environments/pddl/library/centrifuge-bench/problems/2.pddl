(define (problem centrifuge-bench-2)
  (:domain centrifuge-bench)
  (:objects
    rotor - centrifuge
    north-slot south-slot - slot
    blood-a blood-b - tube
    vial-1 - vial
    light medium heavy - weight)
  (:init
    (lighter light medium) (lighter medium heavy)
    (slot-of north-slot rotor) (empty-slot north-slot) (slot-of south-slot rotor)
    (empty-slot south-slot)
    (opposite north-slot south-slot) (opposite south-slot north-slot)
    (lid-open rotor) (racked blood-a) (racked blood-b) (weighs blood-a heavy)
    (weighs blood-b heavy)
    (empty-vial vial-1))
  (:goal (and
    (plasma-in vial-1 blood-a))))
