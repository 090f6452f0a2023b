(define (problem darkroom-3)
  (:domain darkroom)
  (:objects
    portrait harbour - negative
    sheet-1 sheet-2 - sheet
    dev-tray fix-tray - tray
    bottle-1 - bottle)
  (:init
    (lamp-off) (in-carrier harbour) (boxed sheet-1) (sensitive sheet-1) (boxed sheet-2)
    (sensitive sheet-2) (full-bottle bottle-1)
    (developer-in dev-tray) (strong dev-tray) (free-tray dev-tray) (fixer-in fix-tray)
    (free-tray fix-tray))
  (:goal (and
    (shows sheet-1 portrait)
    (shows sheet-2 harbour)
    (hung sheet-1)
    (hung sheet-2))))
