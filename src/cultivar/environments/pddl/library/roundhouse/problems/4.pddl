(define (problem roundhouse-4)
  (:domain roundhouse)
  (:objects
    goliath minnow - engine
    coal-road pit-road through-road - track
    full half-full low dry - gauge)
  (:init
    (one-lower full half-full) (one-lower half-full low) (one-lower low dry) (full-gauge full)
    (beside coal-road pit-road) (beside pit-road coal-road) (beside pit-road through-road)
    (beside through-road pit-road)
    (has-crane coal-road) (has-pit pit-road) (vacant through-road)
    (stands goliath coal-road) (steaming goliath) (water goliath low) (scaled goliath)
    (stands minnow pit-road) (steaming minnow) (water minnow half-full)
    (table-at through-road) (table-free))
  (:goal (and
    (stands goliath pit-road)
    (stands minnow coal-road))))
