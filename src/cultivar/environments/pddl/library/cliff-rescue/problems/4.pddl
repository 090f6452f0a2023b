(define (problem cliff-rescue-4)
  (:domain cliff-rescue)
  (:objects
    nora otto - rescuer
    pavel - casualty
    top-ledge middle-ledge foot-ledge - ledge
    long-rope - rope
    bolt-1 bolt-2 - bolt)
  (:init
    (below middle-ledge top-ledge) (below foot-ledge middle-ledge)
    (on-ledge nora top-ledge) (medic nora) (carries-bolt nora bolt-2) (carries-bolt nora bolt-1)
    (on-ledge otto top-ledge) (coils otto long-rope) (burdened otto)
    (lies-on pavel middle-ledge))
  (:goal (and
    (lies-on pavel foot-ledge)
    (on-ledge nora foot-ledge)
    (on-ledge otto foot-ledge))))
