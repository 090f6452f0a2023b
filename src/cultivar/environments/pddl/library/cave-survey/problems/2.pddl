(define (problem cave-survey-2)
  (:domain cave-survey)
  (:objects
    ana - diver
    entrance-pool sump-hall bell-chamber - chamber
    back-tank side-tank - cylinder
    red-reel blue-reel - reel
    full two-thirds third empty - gas)
  (:init
    (one-less full two-thirds) (one-less two-thirds third) (one-less third empty)
    (passage entrance-pool sump-hall) (passage sump-hall entrance-pool)
    (passage sump-hall bell-chamber) (passage bell-chamber sump-hall)
    (unlined entrance-pool sump-hall) (unlined sump-hall entrance-pool)
    (unlined sump-hall bell-chamber) (unlined bell-chamber sump-hall)
    (full-reel red-reel) (full-reel blue-reel) (staged side-tank entrance-pool)
    (filled side-tank third)
    (diver-at ana entrance-pool) (breathes-from ana back-tank) (filled back-tank full)
    (hands-free ana))
  (:goal (and
    (surveyed sump-hall)
    (surveyed bell-chamber)
    (diver-at ana entrance-pool))))
