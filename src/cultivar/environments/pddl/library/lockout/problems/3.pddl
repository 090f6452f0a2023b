(define (problem lockout-3)
  (:domain lockout)
  (:objects
    lena - worker
    press conveyor - machine
    press-hall loft - place
    red-padlock blue-padlock - padlock
    electrical - trade)
  (:init
    (path press-hall loft) (path loft press-hall)
    (at-place lena press-hall) (installed press press-hall) (installed conveyor loft)
    (feeds conveyor press)
    (running press) (running conveyor) (faulty press electrical) (skilled lena electrical)
    (pockets lena red-padlock) (owns lena red-padlock) (pockets lena blue-padlock)
    (owns lena blue-padlock))
  (:goal (and
    (running press)
    (running conveyor)
    (not (faulty press electrical)))))
