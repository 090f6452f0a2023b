(define (problem radio-desk-1)
  (:domain radio-desk)
  (:objects
    host-mic - condenser
    red-cord - cord
    channel-1 - channel
    news sign-off - item)
  (:init
    (idle-channel channel-1) (fader-down channel-1) (phantom-off channel-1)
    (loose red-cord) (unpatched host-mic) (intact host-mic)
    (needs news host-mic) (next-up news) (followed-by news sign-off))
  (:goal (and
    (aired news))))
