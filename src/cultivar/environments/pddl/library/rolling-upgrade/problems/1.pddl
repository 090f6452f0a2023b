(define (problem rolling-upgrade-1)
  (:domain rolling-upgrade)
  (:objects
    alpha beta gamma - server
    a1 b1 c1 - slot
    wiki - service)
  (:init
    (slot-of a1 alpha) (slot-of b1 beta) (slot-of c1 gamma)
    (powered alpha) (powered beta) (powered gamma) (patched alpha) (runs-in wiki a1)
    (free-slot b1) (free-slot c1) (old-format wiki))
  (:goal (and
    (patched beta)
    (powered beta)
    (powered gamma)
    (runs-in wiki b1))))
