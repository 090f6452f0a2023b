(define (problem cliff-rescue-5)
  (:domain cliff-rescue)
  (:objects
    nora otto wim - rescuer
    pavel rosa - casualty
    top-ledge middle-ledge foot-ledge valley - ledge
    long-rope short-rope - rope
    bolt-1 bolt-2 bolt-3 - bolt)
  (:init
    (below middle-ledge top-ledge) (below foot-ledge middle-ledge)
    (below valley foot-ledge)
    (on-ledge nora top-ledge) (medic nora) (carries-bolt nora bolt-1)
    (on-ledge otto top-ledge) (coils otto long-rope) (burdened otto) (carries-bolt otto bolt-2)
    (on-ledge wim top-ledge) (coils wim short-rope) (burdened wim) (carries-bolt wim bolt-3)
    (lies-on pavel top-ledge) (lies-on rosa foot-ledge))
  (:goal (and
    (lies-on pavel valley)
    (lies-on rosa valley)
    (on-ledge nora valley)
    (on-ledge otto valley)
    (on-ledge wim valley))))
