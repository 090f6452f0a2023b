(define (problem revolving-stage-4)
  (:domain revolving-stage)
  (:objects
    red-sector blue-sector green-sector white-sector - sector
    front left back right - bearing
    forest palace - piece
    left-dock right-dock - dock
    act-one act-two act-three curtain - scene)
  (:init
    (clockwise front left) (clockwise left back) (clockwise back right) (clockwise right front)
    (faces red-sector front) (faces blue-sector left) (faces green-sector back)
    (faces white-sector right)
    (bare red-sector) (bare blue-sector) (bare green-sector) (bare white-sector)
    (brake-released) (front-of-house front)
    (stored forest left-dock) (stored palace right-dock) (opens-to left-dock left)
    (opens-to right-dock right)
    (plays-in palace act-one) (plays-in forest act-two) (plays-in palace act-three)
    (due act-one) (followed-by act-one act-two) (followed-by act-two act-three)
    (followed-by act-three curtain))
  (:goal (and
    (played act-three)
    (stored forest left-dock))))
