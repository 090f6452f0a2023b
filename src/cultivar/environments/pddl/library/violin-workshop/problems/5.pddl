(define (problem violin-workshop-5)
  (:domain violin-workshop)
  (:objects
    amati guarneri - violin
    belly-seam top-seam - seam
    bass-crack treble-crack wing-crack - crack
    long-clamp short-clamp - clamp)
  (:init
    (part-of belly-seam amati) (part-of bass-crack amati) (part-of treble-crack amati)
    (part-of top-seam guarneri) (part-of wing-crack guarneri)
    (strung amati) (sound belly-seam) (seam-tight belly-seam) (gaping bass-crack)
    (gaping treble-crack)
    (slack guarneri) (gaping top-seam) (gaping wing-crack) (spare long-clamp)
    (spare short-clamp) (pot-cold))
  (:goal (and
    (strung amati)
    (cleated treble-crack)
    (cleated bass-crack)
    (strung guarneri))))
