(define (problem cliff-rescue-1)
  (:domain cliff-rescue)
  (:objects
    nora otto - rescuer
    pavel - casualty
    top-ledge middle-ledge - ledge
    long-rope - rope
    bolt-1 - bolt)
  (:init
    (below middle-ledge top-ledge)
    (on-ledge nora top-ledge) (medic nora) (coils nora long-rope) (burdened nora)
    (on-ledge otto top-ledge) (carries-bolt otto bolt-1)
    (lies-on pavel middle-ledge))
  (:goal (and
    (splinted pavel))))
