(define (problem violin-workshop-1)
  (:domain violin-workshop)
  (:objects
    amati - violin
    belly-seam - seam
    bass-crack - crack
    long-clamp short-clamp - clamp)
  (:init
    (part-of belly-seam amati) (part-of bass-crack amati) (slack amati) (gaping belly-seam)
    (sound bass-crack) (cleated bass-crack)
    (spare long-clamp) (spare short-clamp) (pot-warm))
  (:goal (and
    (strung amati))))
