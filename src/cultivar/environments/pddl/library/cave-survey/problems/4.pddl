(define (problem cave-survey-4)
  (:domain cave-survey)
  (:objects
    ana - diver
    entrance-pool sump-hall bell-chamber east-rift - chamber
    back-tank side-tank - cylinder
    red-reel blue-reel - reel
    full two-thirds third empty - gas)
  (:init
    (one-less full two-thirds) (one-less two-thirds third) (one-less third empty)
    (passage entrance-pool sump-hall) (passage sump-hall entrance-pool)
    (passage sump-hall bell-chamber) (passage bell-chamber sump-hall)
    (passage sump-hall east-rift) (passage east-rift sump-hall)
    (lined entrance-pool sump-hall red-reel) (lined sump-hall entrance-pool red-reel)
    (unlined sump-hall bell-chamber) (unlined bell-chamber sump-hall)
    (unlined sump-hall east-rift) (unlined east-rift sump-hall)
    (full-reel blue-reel) (staged side-tank entrance-pool) (filled side-tank full)
    (diver-at ana entrance-pool) (breathes-from ana back-tank) (filled back-tank full)
    (hands-free ana))
  (:goal (and
    (surveyed bell-chamber)
    (surveyed east-rift)
    (diver-at ana entrance-pool))))
