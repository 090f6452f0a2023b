(define (problem canal-flight-4)
  (:domain canal-flight)
  (:objects
    swallow heron kestrel - boat
    old-lock new-lock - lock
    lower-reach middle-reach summit-reach - reach
    wood-tarn - reservoir
    dry low normal brim - depth)
  (:init
    (foot old-lock lower-reach) (head old-lock middle-reach)
    (foot new-lock middle-reach) (head new-lock summit-reach)
    (one-less dry low) (one-less low normal) (one-less normal brim)
    (floats low) (floats normal) (floats brim)
    (supplies wood-tarn summit-reach) (brimming wood-tarn)
    (moored swallow lower-reach) (moored kestrel lower-reach) (moored heron middle-reach)
    (raised old-lock) (vacant old-lock) (lowered new-lock) (vacant new-lock)
    (depth-of lower-reach low) (depth-of middle-reach normal) (depth-of summit-reach normal))
  (:goal (and
    (moored swallow summit-reach)
    (moored heron summit-reach)
    (moored kestrel middle-reach))))
