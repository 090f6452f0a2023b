(define (problem revolving-stage-2)
  (:domain revolving-stage)
  (:objects
    red-sector blue-sector green-sector white-sector - sector
    front left back right - bearing
    forest palace - piece
    left-dock right-dock - dock
    act-one act-two curtain - scene)
  (:init
    (clockwise front left) (clockwise left back) (clockwise back right) (clockwise right front)
    (faces red-sector front) (faces blue-sector left) (faces green-sector back)
    (faces white-sector right)
    (bare red-sector) (bare blue-sector) (bare green-sector) (bare white-sector) (brake-set)
    (front-of-house front)
    (stored forest left-dock) (stored palace right-dock) (opens-to left-dock left)
    (opens-to right-dock right)
    (plays-in forest act-one) (plays-in palace act-two) (due act-one)
    (followed-by act-one act-two) (followed-by act-two curtain))
  (:goal (and
    (played act-one)
    (played act-two))))
