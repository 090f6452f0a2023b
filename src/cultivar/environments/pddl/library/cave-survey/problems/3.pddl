(define (problem cave-survey-3)
  (:domain cave-survey)
  (:objects
    ana bela - diver
    entrance-pool sump-hall bell-chamber far-gallery - chamber
    back-tank steel-tank side-tank - cylinder
    red-reel blue-reel white-reel - reel
    full two-thirds third empty - gas)
  (:init
    (one-less full two-thirds) (one-less two-thirds third) (one-less third empty)
    (passage entrance-pool sump-hall) (passage sump-hall entrance-pool)
    (passage sump-hall bell-chamber) (passage bell-chamber sump-hall)
    (passage bell-chamber far-gallery) (passage far-gallery bell-chamber)
    (lined entrance-pool sump-hall red-reel) (lined sump-hall entrance-pool red-reel)
    (unlined sump-hall bell-chamber) (unlined bell-chamber sump-hall)
    (unlined bell-chamber far-gallery) (unlined far-gallery bell-chamber)
    (full-reel blue-reel) (full-reel white-reel) (staged side-tank entrance-pool)
    (filled side-tank full)
    (diver-at ana entrance-pool) (breathes-from ana back-tank) (filled back-tank full)
    (hands-free ana)
    (diver-at bela entrance-pool) (breathes-from bela steel-tank) (filled steel-tank two-thirds)
    (hands-free bela))
  (:goal (and
    (surveyed far-gallery)
    (surveyed sump-hall)
    (diver-at ana entrance-pool)
    (diver-at bela entrance-pool))))
