(define (problem roundhouse-5)
  (:domain roundhouse)
  (:objects
    goliath minnow duchess - engine
    coal-road pit-road through-road long-road - track
    full half-full low dry - gauge)
  (:init
    (one-lower full half-full) (one-lower half-full low) (one-lower low dry) (full-gauge full)
    (beside coal-road pit-road) (beside pit-road coal-road) (beside pit-road through-road)
    (beside through-road pit-road) (beside through-road long-road)
    (beside long-road through-road)
    (has-crane coal-road) (has-pit pit-road) (vacant long-road)
    (stands goliath coal-road) (steaming goliath) (water goliath dry) (scaled goliath)
    (stands minnow pit-road) (water minnow low) (scaled minnow)
    (stands duchess through-road) (steaming duchess) (water duchess low)
    (table-at long-road) (table-free))
  (:goal (and
    (washed goliath)
    (washed minnow)
    (stands duchess coal-road)
    (stands minnow long-road)
    (stands goliath through-road)
    (steaming goliath))))
