(define (problem centrifuge-bench-4)
  (:domain centrifuge-bench)
  (:objects
    rotor - centrifuge
    north-slot south-slot east-slot west-slot - slot
    blood-a blood-b blood-c water - tube
    vial-1 vial-2 vial-3 - vial
    light medium heavy - weight)
  (:init
    (lighter light medium) (lighter medium heavy)
    (slot-of north-slot rotor) (empty-slot north-slot) (slot-of south-slot rotor)
    (empty-slot south-slot) (slot-of east-slot rotor) (empty-slot east-slot)
    (slot-of west-slot rotor) (empty-slot west-slot)
    (opposite north-slot south-slot) (opposite south-slot north-slot)
    (opposite east-slot west-slot) (opposite west-slot east-slot)
    (lid-shut rotor) (racked blood-a) (racked blood-b) (racked blood-c) (racked water)
    (weighs blood-a heavy) (weighs blood-b heavy) (weighs blood-c medium) (weighs water light)
    (diluted water)
    (empty-vial vial-1) (empty-vial vial-2) (empty-vial vial-3))
  (:goal (and
    (plasma-in vial-1 blood-a)
    (plasma-in vial-2 blood-b)
    (plasma-in vial-3 blood-c)
    (lid-shut rotor))))
