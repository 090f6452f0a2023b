(define (problem roundhouse-1)
  (:domain roundhouse)
  (:objects
    goliath - engine
    coal-road pit-road - track
    full half-full low dry - gauge)
  (:init
    (one-lower full half-full) (one-lower half-full low) (one-lower low dry) (full-gauge full)
    (beside coal-road pit-road) (beside pit-road coal-road)
    (has-crane coal-road) (has-pit pit-road) (vacant pit-road)
    (stands goliath coal-road) (steaming goliath) (water goliath low) (scaled goliath)
    (table-at coal-road) (table-free))
  (:goal (and
    (stands goliath pit-road))))
