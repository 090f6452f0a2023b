(define (problem centrifuge-bench-3)
  (:domain centrifuge-bench)
  (:objects
    rotor - centrifuge
    north-slot south-slot - slot
    blood-a blood-b water - tube
    vial-1 vial-2 - vial
    light medium heavy - weight)
  (:init
    (lighter light medium) (lighter medium heavy)
    (slot-of north-slot rotor) (empty-slot north-slot) (slot-of south-slot rotor)
    (empty-slot south-slot)
    (opposite north-slot south-slot) (opposite south-slot north-slot)
    (lid-shut rotor) (racked blood-a) (racked blood-b) (racked water)
    (weighs blood-a heavy) (weighs blood-b medium) (weighs water light) (diluted water)
    (empty-vial vial-1) (empty-vial vial-2))
  (:goal (and
    (plasma-in vial-1 blood-a)
    (plasma-in vial-2 blood-b))))
