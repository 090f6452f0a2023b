(define (problem market-garden-4)
  (:domain market-garden)
  (:objects
    alfalfa kale lettuce soya - crop
    north-bed south-bed - bed
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
    (sowing-time lettuce autumn) (seed-left lettuce) (greedy lettuce) (tender lettuce)
    (sowing-time soya spring) (seed-left soya) (mends-soil soya) (tender soya)
    (fallow north-bed) (uncovered north-bed) (soil-is north-bed poor) (fallow south-bed)
    (uncovered south-bed) (soil-is south-bed good)
    (folded blue-fleece))
  (:goal (and
    (in-store alfalfa)
    (in-store kale)
    (in-store lettuce)
    (in-store soya))))
