(define (problem cleanroom-airlock-1)
  (:domain cleanroom-airlock)
  (:objects
    iris - person
    probe - item
    corridor gown-room clean-bay - room
    outer-door inner-door - door
    suit-1 - suit)
  (:init
    (joins outer-door corridor gown-room) (joins outer-door gown-room corridor)
    (joins inner-door gown-room clean-bay) (joins inner-door clean-bay gown-room)
    (interlocked outer-door inner-door) (interlocked inner-door outer-door)
    (airlock-room gown-room) (clean-room clean-bay)
    (in-room iris gown-room) (empty-handed iris) (fresh-suit suit-1) (in-room probe clean-bay)
    (wiped probe)
    (open-door outer-door) (closed-door inner-door))
  (:goal (and
    (in-room iris clean-bay))))
