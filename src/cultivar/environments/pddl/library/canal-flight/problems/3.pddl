(define (problem canal-flight-3)
  (:domain canal-flight)
  (:objects
    swallow heron - boat
    old-lock new-lock - lock
    lower-reach middle-reach summit-reach - reach
    dry low normal brim - depth)
  (:init
    (foot old-lock lower-reach) (head old-lock middle-reach)
    (foot new-lock middle-reach) (head new-lock summit-reach)
    (one-less dry low) (one-less low normal) (one-less normal brim)
    (floats low) (floats normal) (floats brim)
    (moored swallow lower-reach) (moored heron summit-reach)
    (lowered old-lock) (vacant old-lock) (raised new-lock) (vacant new-lock)
    (depth-of lower-reach normal) (depth-of middle-reach low) (depth-of summit-reach normal))
  (:goal (and
    (moored swallow summit-reach)
    (moored heron lower-reach))))
