(define (problem centrifuge-bench-5)
  (:domain centrifuge-bench)
  (:objects
    rotor - centrifuge
    north-slot south-slot - slot
    blood-a blood-b blood-c - tube
    vial-1 vial-2 vial-3 vial-4 - vial
    light medium heavy - weight)
  (:init
    (lighter light medium) (lighter medium heavy)
    (slot-of north-slot rotor) (empty-slot north-slot) (slot-of south-slot rotor)
    (empty-slot south-slot)
    (opposite north-slot south-slot) (opposite south-slot north-slot)
    (lid-shut rotor) (racked blood-a) (racked blood-b) (racked blood-c)
    (weighs blood-a heavy) (weighs blood-b heavy) (weighs blood-c medium)
    (empty-vial vial-1) (empty-vial vial-2) (empty-vial vial-3) (empty-vial vial-4))
  (:goal (and
    (plasma-in vial-1 blood-a)
    (plasma-in vial-2 blood-b)
    (plasma-in vial-3 blood-c)
    (plasma-in vial-4 blood-a)
    (empty-slot north-slot)
    (lid-shut rotor))))
