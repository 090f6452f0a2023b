(define (problem rolling-upgrade-1)
  (:domain rolling-upgrade)
  (:objects
    alpha beta - server
    a1 b1 - slot
    wiki - service)
  (:init
    (slot-of a1 alpha) (slot-of b1 beta)
    (powered alpha) (powered beta) (runs-in wiki a1) (free-slot b1) (old-format wiki)
    (patched alpha))
  (:goal (and
    (patched beta)
    (powered beta))))
