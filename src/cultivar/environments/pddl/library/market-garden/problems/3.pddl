(define (problem market-garden-3)
  (:domain market-garden)
  (:objects
    lettuce garlic - crop
    north-bed south-bed - bed
    spring summer autumn winter - season
    poor fair good - richness
    old-heap - heap
    blue-fleece - fleece)
  (:init
    (next-season spring summer) (next-season summer autumn) (next-season autumn winter)
    (next-season winter spring) (frosty winter)
    (richer fair poor) (richer good fair)
    (season-is summer) (sowing-time lettuce autumn) (seed-left lettuce) (greedy lettuce)
    (tender lettuce)
    (sowing-time garlic autumn) (seed-left garlic) (greedy garlic)
    (fallow north-bed) (uncovered north-bed) (soil-is north-bed poor) (fallow south-bed)
    (uncovered south-bed) (soil-is south-bed fair)
    (rotted old-heap) (folded blue-fleece))
  (:goal (and
    (in-store lettuce)
    (in-store garlic)
    (season-is spring))))
