(define (problem cliff-rescue-3)
  (:domain cliff-rescue)
  (:objects
    nora otto - rescuer
    pavel - casualty
    top-ledge middle-ledge foot-ledge - ledge
    long-rope short-rope - rope
    bolt-1 bolt-2 - bolt)
  (:init
    (below middle-ledge top-ledge) (below foot-ledge middle-ledge)
    (on-ledge nora top-ledge) (medic nora) (coils nora short-rope) (burdened nora)
    (carries-bolt nora bolt-2)
    (on-ledge otto top-ledge) (coils otto long-rope) (burdened otto) (carries-bolt otto bolt-1)
    (lies-on pavel middle-ledge))
  (:goal (and
    (lies-on pavel foot-ledge))))
