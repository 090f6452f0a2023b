(define (problem hill-pasture-5)
  (:domain hill-pasture)
  (:objects
    dolly bramble thistle heather - sheep
    home-fold hill-field low-meadow dipping-yard - field
    hill-gate meadow-gate yard-gate - gate)
  (:init
    (leads hill-gate home-fold hill-field) (leads hill-gate hill-field home-fold)
    (leads meadow-gate home-fold low-meadow) (leads meadow-gate low-meadow home-fold)
    (leads yard-gate home-fold dipping-yard) (leads yard-gate dipping-yard home-fold)
    (shepherd-in home-fold) (grazes dolly hill-field) (grazes bramble hill-field)
    (grazes thistle low-meadow) (grazes heather low-meadow)
    (gate-open hill-gate) (gate-shut meadow-gate) (gate-shut yard-gate) (has-race home-fold)
    (has-dip dipping-yard) (grassy low-meadow) (grassy hill-field))
  (:goal (and
    (dipped dolly)
    (dipped thistle)
    (not (dipped bramble))
    (grazes dolly hill-field)
    (grazes thistle hill-field)
    (fed dolly)
    (fed thistle)
    (fed heather)
    (gate-shut hill-gate))))
