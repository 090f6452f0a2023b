(define (problem hill-pasture-3)
  (:domain hill-pasture)
  (:objects
    dolly bramble - sheep
    home-fold hill-field low-meadow - field
    hill-gate meadow-gate - gate)
  (:init
    (leads hill-gate home-fold hill-field) (leads hill-gate hill-field home-fold)
    (leads meadow-gate home-fold low-meadow) (leads meadow-gate low-meadow home-fold)
    (shepherd-in hill-field) (grazes dolly hill-field) (grazes bramble hill-field)
    (gate-shut hill-gate) (gate-open meadow-gate) (has-race home-fold) (grassy low-meadow))
  (:goal (and
    (grazes dolly low-meadow)
    (fed dolly)
    (grazes bramble hill-field))))
