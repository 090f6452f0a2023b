(define (problem violin-workshop-1)
  (:domain violin-workshop)
  (:objects
    amati - violin
    belly-seam - seam
    long-clamp - clamp)
  (:init
    (part-of belly-seam amati) (slack amati) (gaping belly-seam) (spare long-clamp) (pot-warm))
  (:goal (and
    (sound belly-seam)
    (pot-cold))))
