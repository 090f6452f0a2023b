(define (problem market-garden-2)
  (:domain market-garden)
  (:objects
    alfalfa kale - crop
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
    (sowing-time kale summer) (seed-left kale) (greedy kale)
    (fallow north-bed) (uncovered north-bed) (soil-is north-bed poor) (folded blue-fleece))
  (:goal (and
    (in-store alfalfa)
    (in-store kale))))
