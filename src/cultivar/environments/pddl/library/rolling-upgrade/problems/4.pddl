(define (problem rolling-upgrade-4)
  (:domain rolling-upgrade)
  (:objects
    alpha beta gamma - server
    a1 a2 b1 b2 c1 - slot
    wiki mail shop - service)
  (:init
    (slot-of a1 alpha) (slot-of a2 alpha) (slot-of b1 beta) (slot-of b2 beta) (slot-of c1 gamma)
    (powered alpha) (powered beta) (powered gamma) (runs-in wiki a1) (runs-in mail b1)
    (runs-in shop b2) (free-slot a2) (free-slot c1)
    (old-format wiki) (old-format mail) (old-format shop))
  (:goal (and
    (patched alpha)
    (patched beta)
    (new-format mail)
    (powered alpha)
    (powered beta))))
