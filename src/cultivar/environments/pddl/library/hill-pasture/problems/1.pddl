(define (problem hill-pasture-1)
  (:domain hill-pasture)
  (:objects
    dolly - sheep
    home-fold hill-field - field
    hill-gate - gate)
  (:init
    (leads hill-gate home-fold hill-field) (leads hill-gate hill-field home-fold)
    (shepherd-in home-fold) (grazes dolly home-fold) (gate-shut hill-gate) (has-race home-fold)
    (grassy hill-field) (has-dip home-fold))
  (:goal (and
    (grazes dolly hill-field)
    (fed dolly))))
