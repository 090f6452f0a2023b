(define (problem darkroom-4)
  (:domain darkroom)
  (:objects
    portrait harbour - negative
    sheet-1 sheet-2 sheet-3 - sheet
    dev-tray fix-tray - tray
    bottle-1 bottle-2 - bottle)
  (:init
    (lamp-on) (carrier-empty) (boxed sheet-1) (sensitive sheet-1) (boxed sheet-2)
    (sensitive sheet-2) (boxed sheet-3) (sensitive sheet-3)
    (full-bottle bottle-1) (full-bottle bottle-2)
    (developer-in dev-tray) (strong dev-tray) (free-tray dev-tray) (fixer-in fix-tray)
    (free-tray fix-tray))
  (:goal (and
    (shows sheet-1 portrait)
    (shows sheet-2 harbour)
    (shows sheet-3 portrait)
    (hung sheet-1)
    (hung sheet-2)
    (hung sheet-3))))
