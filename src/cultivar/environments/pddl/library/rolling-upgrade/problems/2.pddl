(define (problem rolling-upgrade-2)
  (:domain rolling-upgrade)
  (:objects
    alpha beta - server
    a1 b1 - slot
    wiki - service)
  (:init
    (slot-of a1 alpha) (slot-of b1 beta)
    (powered alpha) (powered beta) (runs-in wiki a1) (free-slot b1) (old-format wiki))
  (:goal (and
    (patched alpha)
    (new-format wiki)
    (powered beta))))
