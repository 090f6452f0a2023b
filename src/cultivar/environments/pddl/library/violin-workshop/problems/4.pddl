(define (problem violin-workshop-4)
  (:domain violin-workshop)
  (:objects
    amati guarneri - violin
    belly-seam top-seam - seam
    bass-crack - crack
    long-clamp - clamp)
  (:init
    (part-of belly-seam amati) (part-of bass-crack amati) (part-of top-seam guarneri)
    (strung amati) (sound belly-seam) (seam-tight belly-seam) (gaping bass-crack)
    (slack guarneri) (gaping top-seam) (spare long-clamp) (pot-cold))
  (:goal (and
    (strung amati)
    (cleated bass-crack)
    (seam-tight top-seam))))
