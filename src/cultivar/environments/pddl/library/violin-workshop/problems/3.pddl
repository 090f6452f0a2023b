(define (problem violin-workshop-3)
  (:domain violin-workshop)
  (:objects
    amati - violin
    belly-seam - seam
    bass-crack - crack
    long-clamp - clamp)
  (:init
    (part-of belly-seam amati) (part-of bass-crack amati) (slack amati) (sound belly-seam)
    (seam-tight belly-seam) (gaping bass-crack)
    (spare long-clamp) (pot-cold))
  (:goal (and
    (cleated bass-crack)
    (seam-tight belly-seam))))
