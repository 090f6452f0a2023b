(define (problem cave-survey-1)
  (:domain cave-survey)
  (:objects
    ana - diver
    entrance-pool sump-hall - chamber
    back-tank - cylinder
    red-reel - reel
    full two-thirds third empty - gas)
  (:init
    (one-less full two-thirds) (one-less two-thirds third) (one-less third empty)
    (passage entrance-pool sump-hall) (passage sump-hall entrance-pool)
    (unlined entrance-pool sump-hall) (unlined sump-hall entrance-pool) (full-reel red-reel)
    (diver-at ana entrance-pool) (breathes-from ana back-tank) (filled back-tank full)
    (hands-free ana))
  (:goal (and
    (surveyed sump-hall)
    (full-reel red-reel)
    (diver-at ana entrance-pool))))
