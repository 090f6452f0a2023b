(define (problem market-garden-1)
  (:domain market-garden)
  (:objects
    alfalfa - crop
    north-bed - bed
    spring summer autumn winter - season
    poor fair good - richness
    old-heap - heap
    blue-fleece - fleece)
  (:init
    (next-season spring summer) (next-season summer autumn) (next-season autumn winter)
    (next-season winter spring) (frosty winter)
    (richer fair poor) (richer good fair)
    (season-is spring) (sowing-time alfalfa spring) (seed-left alfalfa) (mends-soil alfalfa)
    (fallow north-bed) (uncovered north-bed) (soil-is north-bed poor) (rotted old-heap)
    (folded blue-fleece))
  (:goal (and
    (in-store alfalfa))))
