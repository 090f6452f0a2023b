(define (problem rolling-upgrade-2)
  (:domain rolling-upgrade)
  (:objects
    alpha beta gamma - server
    a1 b1 c1 - slot
    wiki mail - service)
  (:init
    (slot-of a1 alpha) (slot-of b1 beta) (slot-of c1 gamma)
    (powered alpha) (powered beta) (powered gamma) (patched gamma) (runs-in wiki a1)
    (runs-in mail b1) (free-slot c1)
    (old-format wiki) (old-format mail))
  (:goal (and
    (patched alpha)
    (powered alpha)
    (new-format wiki)
    (runs-in mail b1))))
