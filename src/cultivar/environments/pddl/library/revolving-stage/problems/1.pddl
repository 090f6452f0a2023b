(define (problem revolving-stage-1)
  (:domain revolving-stage)
  (:objects
    red-sector blue-sector green-sector white-sector - sector
    front left back right - bearing
    forest - piece
    left-dock - dock
    act-one curtain - scene)
  (:init
    (clockwise front left) (clockwise left back) (clockwise back right) (clockwise right front)
    (faces red-sector front) (faces blue-sector left) (faces green-sector back)
    (faces white-sector right)
    (bare red-sector) (bare blue-sector) (bare green-sector) (bare white-sector) (brake-set)
    (front-of-house front)
    (stored forest left-dock) (opens-to left-dock left)
    (plays-in forest act-one) (due act-one) (followed-by act-one curtain))
  (:goal (and
    (played act-one))))
