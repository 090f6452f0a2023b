(define (problem cleanroom-airlock-3)
  (:domain cleanroom-airlock)
  (:objects
    iris tomas - person
    probe wafer-box - item
    corridor gown-room clean-bay - room
    outer-door inner-door - door
    suit-1 - suit)
  (:init
    (joins outer-door corridor gown-room) (joins outer-door gown-room corridor)
    (joins inner-door gown-room clean-bay) (joins inner-door clean-bay gown-room)
    (interlocked outer-door inner-door) (interlocked inner-door outer-door)
    (airlock-room gown-room) (clean-room clean-bay)
    (in-room iris corridor) (empty-handed iris) (fresh-suit suit-1) (in-room probe corridor)
    (in-room tomas clean-bay) (empty-handed tomas) (suited tomas) (in-room wafer-box clean-bay)
    (wiped wafer-box)
    (closed-door outer-door) (closed-door inner-door))
  (:goal (and
    (in-room probe clean-bay)
    (in-room wafer-box corridor))))
