(define (problem lockout-1)
  (:domain lockout)
  (:objects
    lena - worker
    press mixer - machine
    press-hall yard - place
    red-padlock blue-padlock - padlock
    electrical - trade)
  (:init
    (path press-hall yard) (path yard press-hall)
    (at-place lena yard) (installed press press-hall) (installed mixer yard) (running mixer)
    (stopped press)
    (faulty press electrical) (skilled lena electrical)
    (pockets lena red-padlock) (owns lena red-padlock) (pockets lena blue-padlock)
    (owns lena blue-padlock))
  (:goal (and
    (running press)
    (running mixer))))
