(define (problem revolving-stage-5)
  (:domain revolving-stage)
  (:objects
    red-sector blue-sector green-sector white-sector - sector
    front left back right - bearing
    forest palace harbour tavern chapel - piece
    left-dock right-dock - dock
    act-one act-two act-three act-four curtain - scene)
  (:init
    (clockwise front left) (clockwise left back) (clockwise back right) (clockwise right front)
    (faces red-sector front) (faces blue-sector left) (faces green-sector back)
    (faces white-sector right)
    (stands-on harbour red-sector) (stands-on tavern blue-sector)
    (stands-on chapel green-sector) (bare white-sector) (brake-set)
    (stored forest left-dock) (stored palace right-dock) (opens-to left-dock left)
    (opens-to right-dock right) (front-of-house front)
    (plays-in palace act-one) (plays-in chapel act-two) (plays-in forest act-three)
    (plays-in tavern act-four)
    (due act-one) (followed-by act-one act-two) (followed-by act-two act-three)
    (followed-by act-three act-four) (followed-by act-four curtain))
  (:goal (and
    (played act-four)
    (stored chapel left-dock)
    (stored palace right-dock)
    (brake-set))))
