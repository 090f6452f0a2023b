(define (domain lockout)
  (:requirements :adl :typing)
  (:types worker machine place padlock trade)
  (:predicates
    (at-place ?w - worker ?p - place)
    (path ?p - place ?q - place)
    (installed ?m - machine ?p - place)
    (feeds ?m - machine ?n - machine)
    (running ?m - machine)
    (stopped ?m - machine)
    (pockets ?w - worker ?k - padlock)
    (locked-with ?m - machine ?k - padlock)
    (owns ?w - worker ?k - padlock)
    (faulty ?m - machine ?t - trade)
    (skilled ?w - worker ?t - trade))

  (:action walk
    :parameters (?w - worker ?p - place ?q - place)
    :precondition (and (at-place ?w ?p) (path ?p ?q))
    :effect (and (at-place ?w ?q) (not (at-place ?w ?p))))

  (:action stop-machine
    :parameters (?w - worker ?m - machine ?p - place)
    :precondition (and (at-place ?w ?p) (installed ?m ?p) (running ?m)
      (forall (?n - machine) (imply (feeds ?n ?m) (stopped ?n))))
    :effect (and (stopped ?m) (not (running ?m))))

  (:action start-machine
    :parameters (?w - worker ?m - machine ?p - place)
    :precondition (and (at-place ?w ?p) (installed ?m ?p) (stopped ?m)
      (forall (?k - padlock) (not (locked-with ?m ?k)))
      (forall (?t - trade) (not (faulty ?m ?t)))
      (forall (?n - machine) (imply (feeds ?m ?n) (running ?n))))
    :effect (and (running ?m) (not (stopped ?m))))

  (:action hang-padlock
    :parameters (?w - worker ?k - padlock ?m - machine ?p - place)
    :precondition (and (at-place ?w ?p) (installed ?m ?p) (stopped ?m) (pockets ?w ?k))
    :effect (and (locked-with ?m ?k) (not (pockets ?w ?k))))

  (:action remove-padlock
    :parameters (?w - worker ?k - padlock ?m - machine ?p - place)
    :precondition (and (at-place ?w ?p) (installed ?m ?p) (locked-with ?m ?k) (owns ?w ?k))
    :effect (and (pockets ?w ?k) (not (locked-with ?m ?k))))

  (:action repair
    :parameters (?w - worker ?k - padlock ?m - machine ?t - trade ?p - place)
    :precondition (and (at-place ?w ?p) (installed ?m ?p) (faulty ?m ?t) (skilled ?w ?t)
      (owns ?w ?k) (locked-with ?m ?k)
      (forall (?n - machine) (imply (feeds ?n ?m) (exists (?l - padlock) (and (owns ?w ?l) (locked-with ?n ?l))))))
    :effect (not (faulty ?m ?t))))
