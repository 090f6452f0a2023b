(define (problem radio-desk-3)
  (:domain radio-desk)
  (:objects
    host-mic - condenser
    guitar-mic - ribbon
    red-cord blue-cord - cord
    channel-1 channel-2 - channel
    news talk song sign-off - item)
  (:init
    (idle-channel channel-1) (fader-down channel-1) (phantom-off channel-1)
    (idle-channel channel-2) (fader-down channel-2) (phantom-off channel-2)
    (loose red-cord) (loose blue-cord) (unpatched host-mic) (intact host-mic)
    (unpatched guitar-mic) (intact guitar-mic)
    (needs news host-mic) (needs talk host-mic) (needs talk guitar-mic) (needs song guitar-mic)
    (next-up news) (followed-by news talk) (followed-by talk song) (followed-by song sign-off))
  (:goal (and
    (aired song)
    (fader-down channel-1)
    (fader-down channel-2))))
