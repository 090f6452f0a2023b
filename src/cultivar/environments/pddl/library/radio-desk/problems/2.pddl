(define (problem radio-desk-2)
  (:domain radio-desk)
  (:objects
    host-mic - condenser
    guitar-mic - ribbon
    red-cord - cord
    channel-1 - channel
    news song sign-off - item)
  (:init
    (idle-channel channel-1) (fader-down channel-1) (phantom-off channel-1)
    (loose red-cord) (unpatched host-mic) (intact host-mic) (unpatched guitar-mic)
    (intact guitar-mic)
    (needs news host-mic) (needs song guitar-mic)
    (next-up news) (followed-by news song) (followed-by song sign-off))
  (:goal (and
    (aired news)
    (aired song))))
