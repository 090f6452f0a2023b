(define (problem violin-workshop-2)
  (:domain violin-workshop)
  (:objects
    amati - violin
    belly-seam - seam
    bass-crack - crack
    long-clamp - clamp)
  (:init
    (part-of belly-seam amati) (part-of bass-crack amati) (slack amati) (gaping belly-seam)
    (gaping bass-crack) (clean bass-crack)
    (spare long-clamp) (pot-cold))
  (:goal (and
    (cleated bass-crack))))
