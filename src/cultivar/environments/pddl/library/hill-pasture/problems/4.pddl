(define (problem hill-pasture-4)
  (:domain hill-pasture)
  (:objects
    dolly bramble thistle - sheep
    home-fold hill-field low-meadow - field
    hill-gate meadow-gate - gate)
  (:init
    (leads hill-gate home-fold hill-field) (leads hill-gate hill-field home-fold)
    (leads meadow-gate home-fold low-meadow) (leads meadow-gate low-meadow home-fold)
    (shepherd-in home-fold) (grazes dolly hill-field) (grazes bramble hill-field)
    (grazes thistle low-meadow) (gate-shut hill-gate) (gate-shut meadow-gate)
    (has-race home-fold) (has-dip home-fold) (grassy low-meadow))
  (:goal (and
    (dipped bramble)
    (dipped thistle)
    (grazes bramble low-meadow)
    (grazes thistle low-meadow)
    (fed bramble)
    (grazes dolly hill-field))))
