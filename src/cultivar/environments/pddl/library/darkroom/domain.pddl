(define (domain darkroom)
  (:requirements :adl :typing)
  (:types negative sheet tray bottle)
  (:predicates
    (lamp-on)
    (lamp-off)
    (carrier-empty)
    (in-carrier ?n - negative)
    (boxed ?s - sheet)
    (sensitive ?s - sheet)
    (fogged ?s - sheet)
    (latent ?s - sheet ?n - negative)
    (shows ?s - sheet ?n - negative)
    (lies-in ?s - sheet ?t - tray)
    (free-tray ?t - tray)
    (developer-in ?t - tray)
    (strong ?t - tray)
    (fixer-in ?t - tray)
    (full-bottle ?b - bottle)
    (hung ?s - sheet))

  (:action switch-on-lamp
    :parameters ()
    :precondition (lamp-off)
    :effect (and (lamp-on) (not (lamp-off))
      (forall (?s - sheet) (when (and (sensitive ?s) (not (boxed ?s))) (fogged ?s)))))

  (:action switch-off-lamp
    :parameters ()
    :precondition (lamp-on)
    :effect (and (lamp-off) (not (lamp-on))))

  (:action mount-negative
    :parameters (?n - negative)
    :precondition (and (lamp-on) (carrier-empty))
    :effect (and (in-carrier ?n) (not (carrier-empty))))

  (:action remove-negative
    :parameters (?n - negative)
    :precondition (in-carrier ?n)
    :effect (and (carrier-empty) (not (in-carrier ?n))))

  (:action expose-sheet
    :parameters (?s - sheet ?n - negative)
    :precondition (and (lamp-off) (boxed ?s) (in-carrier ?n))
    :effect (and (latent ?s ?n) (not (boxed ?s))))

  (:action develop-sheet
    :parameters (?s - sheet ?n - negative ?t - tray)
    :precondition (and (latent ?s ?n) (not (fogged ?s)) (developer-in ?t) (strong ?t) (free-tray ?t))
    :effect (and (shows ?s ?n) (lies-in ?s ?t) (not (latent ?s ?n)) (not (free-tray ?t)) (not (strong ?t))))

  (:action fix-sheet
    :parameters (?s - sheet ?t - tray ?u - tray)
    :precondition (and (lies-in ?s ?t) (developer-in ?t) (fixer-in ?u) (free-tray ?u))
    :effect (and (lies-in ?s ?u) (free-tray ?t) (not (lies-in ?s ?t)) (not (free-tray ?u)) (not (sensitive ?s))))

  (:action hang-sheet
    :parameters (?s - sheet ?t - tray)
    :precondition (and (lies-in ?s ?t) (fixer-in ?t) (not (fogged ?s)))
    :effect (and (hung ?s) (free-tray ?t) (not (lies-in ?s ?t))))

  (:action replenish-developer
    :parameters (?t - tray ?b - bottle)
    :precondition (and (developer-in ?t) (free-tray ?t) (not (strong ?t)) (full-bottle ?b))
    :effect (and (strong ?t) (not (full-bottle ?b)))))
