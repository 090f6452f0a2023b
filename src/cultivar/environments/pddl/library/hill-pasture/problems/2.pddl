(define (problem hill-pasture-2)
  (:domain hill-pasture)
  (:objects
    dolly bramble - sheep
    home-fold hill-field - field
    hill-gate - gate)
  (:init
    (leads hill-gate home-fold hill-field) (leads hill-gate hill-field home-fold)
    (shepherd-in hill-field) (grazes dolly hill-field) (grazes bramble home-fold)
    (gate-shut hill-gate) (has-race home-fold) (has-dip home-fold))
  (:goal (and
    (dipped dolly)
    (grazes dolly home-fold)
    (dipped bramble))))
