(define (problem radio-desk-5)
  (:domain radio-desk)
  (:objects
    host-mic guest-mic - condenser
    guitar-mic - ribbon
    newsroom - line
    red-cord blue-cord green-cord - cord
    channel-1 channel-2 - channel
    news talk song weather sign-off - item)
  (:init
    (idle-channel channel-1) (fader-down channel-1) (phantom-off channel-1)
    (idle-channel channel-2) (fader-down channel-2) (phantom-off channel-2)
    (loose red-cord) (loose blue-cord) (loose green-cord) (unpatched host-mic) (intact host-mic)
    (unpatched guest-mic) (intact guest-mic) (unpatched guitar-mic) (intact guitar-mic)
    (unpatched newsroom) (intact newsroom)
    (needs news newsroom) (needs news host-mic) (needs talk host-mic) (needs talk guest-mic)
    (needs song guitar-mic) (needs song newsroom) (needs weather host-mic)
    (next-up news) (followed-by news talk) (followed-by talk song) (followed-by song weather)
    (followed-by weather sign-off))
  (:goal (and
    (aired weather)
    (phantom-off channel-1)
    (phantom-off channel-2)
    (intact guitar-mic))))
