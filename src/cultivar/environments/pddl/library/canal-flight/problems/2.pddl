(define (problem canal-flight-2)
  (:domain canal-flight)
  (:objects
    swallow heron - boat
    mill-lock - lock
    lower-reach upper-reach - reach
    dry low normal brim - depth)
  (:init
    (foot mill-lock lower-reach) (head mill-lock upper-reach)
    (one-less dry low) (one-less low normal) (one-less normal brim)
    (floats low) (floats normal) (floats brim)
    (moored swallow lower-reach) (moored heron upper-reach) (raised mill-lock)
    (vacant mill-lock)
    (depth-of lower-reach low) (depth-of upper-reach normal))
  (:goal (and
    (moored swallow upper-reach)
    (moored heron lower-reach))))
