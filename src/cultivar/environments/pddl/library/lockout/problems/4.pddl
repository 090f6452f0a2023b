(define (problem lockout-4)
  (:domain lockout)
  (:objects
    lena omar - worker
    press conveyor mixer - machine
    press-hall loft yard - place
    red-padlock blue-padlock green-padlock - padlock
    electrical hydraulic - trade)
  (:init
    (path press-hall loft) (path loft press-hall) (path press-hall yard) (path yard press-hall)
    (at-place lena press-hall) (at-place omar yard) (installed press press-hall)
    (installed conveyor loft) (installed mixer yard) (feeds mixer conveyor)
    (running press) (running conveyor) (running mixer) (faulty conveyor electrical)
    (faulty mixer hydraulic) (skilled lena electrical) (skilled omar hydraulic)
    (pockets lena red-padlock) (owns lena red-padlock) (pockets lena blue-padlock)
    (owns lena blue-padlock) (pockets omar green-padlock) (owns omar green-padlock))
  (:goal (and
    (not (faulty conveyor electrical))
    (not (faulty mixer hydraulic))
    (running conveyor))))
