(define (problem market-garden-5)
  (:domain market-garden)
  (:objects
    alfalfa kale lettuce soya garlic squash - crop
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
    (sowing-time garlic autumn) (seed-left garlic) (greedy garlic)
    (sowing-time squash summer) (seed-left squash) (greedy squash) (tender squash)
    (fallow north-bed) (uncovered north-bed) (soil-is north-bed good) (fallow south-bed)
    (uncovered south-bed) (soil-is south-bed poor)
    (rotted old-heap) (folded blue-fleece))
  (:goal (and
    (in-store alfalfa)
    (in-store kale)
    (in-store lettuce)
    (in-store soya)
    (in-store garlic)
    (in-store squash)
    (soil-is north-bed fair))))
