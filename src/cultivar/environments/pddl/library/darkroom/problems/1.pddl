(define (problem darkroom-1)
  (:domain darkroom)
  (:objects
    portrait - negative
    sheet-1 - sheet
    dev-tray fix-tray - tray
    bottle-1 - bottle)
  (:init
    (lamp-off) (in-carrier portrait) (boxed sheet-1) (sensitive sheet-1) (full-bottle bottle-1)
    (developer-in dev-tray) (strong dev-tray) (free-tray dev-tray) (fixer-in fix-tray)
    (free-tray fix-tray))
  (:goal (and
    (shows sheet-1 portrait)
    (hung sheet-1))))
