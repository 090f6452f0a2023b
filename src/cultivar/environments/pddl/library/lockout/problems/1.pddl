(define (problem lockout-1)
  (:domain lockout)
  (:objects
    lena - worker
    press - machine
    press-hall - place
    red-padlock - padlock
    electrical - trade)
  (:init
    (at-place lena press-hall) (installed press press-hall) (stopped press)
    (faulty press electrical) (skilled lena electrical)
    (pockets lena red-padlock) (owns lena red-padlock))
  (:goal (and
    (running press))))
