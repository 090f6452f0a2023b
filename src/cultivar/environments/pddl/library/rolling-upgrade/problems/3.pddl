(define (problem rolling-upgrade-3)
  (:domain rolling-upgrade)
  (:objects
    alpha beta - server
    a1 a2 b1 b2 - slot
    wiki mail - service)
  (:init
    (slot-of a1 alpha) (slot-of a2 alpha) (slot-of b1 beta) (slot-of b2 beta)
    (powered alpha) (powered beta) (runs-in wiki a1) (runs-in mail b1) (free-slot a2)
    (free-slot b2) (old-format wiki) (old-format mail))
  (:goal (and
    (patched alpha)
    (patched beta)
    (powered alpha)
    (powered beta))))
