(define (problem cliff-rescue-2)
  (:domain cliff-rescue)
  (:objects
    nora otto - rescuer
    pavel - casualty
    top-ledge middle-ledge - ledge
    long-rope - rope
    bolt-1 - bolt)
  (:init
    (below middle-ledge top-ledge)
    (on-ledge nora middle-ledge) (medic nora) (on-ledge otto top-ledge) (coils otto long-rope)
    (burdened otto) (carries-bolt otto bolt-1)
    (lies-on pavel top-ledge))
  (:goal (and
    (lies-on pavel middle-ledge)
    (on-ledge otto middle-ledge))))
