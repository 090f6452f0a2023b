(define (problem rolling-upgrade-5)
  (:domain rolling-upgrade)
  (:objects
    alpha beta gamma - server
    a1 a2 b1 b2 c1 c2 - slot
    wiki mail shop - service)
  (:init
    (slot-of a1 alpha) (slot-of a2 alpha) (slot-of b1 beta) (slot-of b2 beta) (slot-of c1 gamma)
    (slot-of c2 gamma)
    (powered alpha) (powered beta) (powered gamma) (runs-in wiki a1) (runs-in mail b1)
    (runs-in shop c1) (runs-in wiki c2) (free-slot a2) (free-slot b2)
    (old-format wiki) (old-format mail) (old-format shop))
  (:goal (and
    (patched alpha)
    (patched beta)
    (patched gamma)
    (powered alpha)
    (powered beta)
    (powered gamma)
    (new-format wiki)
    (new-format mail)
    (new-format shop)
    (runs-in shop a1))))
