(define (problem cleanroom-airlock-4)
  (:domain cleanroom-airlock)
  (:objects
    iris tomas - person
    probe lens - item
    corridor gown-room clean-bay - room
    outer-door inner-door - door
    suit-1 suit-2 - suit)
  (:init
    (joins outer-door corridor gown-room) (joins outer-door gown-room corridor)
    (joins inner-door gown-room clean-bay) (joins inner-door clean-bay gown-room)
    (interlocked outer-door inner-door) (interlocked inner-door outer-door)
    (airlock-room gown-room) (clean-room clean-bay)
    (in-room iris corridor) (empty-handed iris) (fresh-suit suit-1) (fresh-suit suit-2)
    (in-room probe corridor) (in-room lens corridor)
    (in-room tomas corridor) (empty-handed tomas)
    (closed-door outer-door) (closed-door inner-door))
  (:goal (and
    (in-room probe clean-bay)
    (in-room lens clean-bay)
    (closed-door inner-door))))
