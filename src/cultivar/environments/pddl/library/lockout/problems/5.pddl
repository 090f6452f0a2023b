(define (problem lockout-5)
  (:domain lockout)
  (:objects
    lena omar - worker
    press conveyor mixer - machine
    press-hall loft yard - place
    red-padlock blue-padlock green-padlock white-padlock - padlock
    electrical hydraulic - trade)
  (:init
    (path press-hall loft) (path loft press-hall) (path press-hall yard) (path yard press-hall)
    (at-place lena press-hall) (at-place omar yard) (installed press press-hall)
    (installed conveyor loft) (installed mixer yard) (feeds mixer conveyor)
    (feeds conveyor press)
    (running press) (running conveyor) (running mixer) (faulty press electrical)
    (faulty conveyor hydraulic) (skilled lena electrical) (skilled omar hydraulic)
    (pockets lena red-padlock) (owns lena red-padlock) (pockets lena blue-padlock)
    (owns lena blue-padlock) (pockets omar green-padlock) (owns omar green-padlock)
    (pockets omar white-padlock) (owns omar white-padlock))
  (:goal (and
    (running press)
    (running conveyor)
    (running mixer)
    (not (faulty press electrical))
    (not (faulty conveyor hydraulic)))))
