(define (problem darkroom-5)
  (:domain darkroom)
  (:objects
    portrait harbour winter - negative
    sheet-1 sheet-2 sheet-3 sheet-4 - sheet
    dev-tray fix-tray - tray
    bottle-1 bottle-2 bottle-3 - bottle)
  (:init
    (lamp-off) (in-carrier winter) (boxed sheet-1) (sensitive sheet-1) (boxed sheet-2)
    (sensitive sheet-2)
    (sensitive sheet-3) (latent sheet-3 harbour) (boxed sheet-4) (sensitive sheet-4)
    (full-bottle bottle-1) (full-bottle bottle-2) (full-bottle bottle-3)
    (developer-in dev-tray) (strong dev-tray) (free-tray dev-tray) (fixer-in fix-tray)
    (free-tray fix-tray))
  (:goal (and
    (shows sheet-1 portrait)
    (shows sheet-2 winter)
    (shows sheet-3 harbour)
    (shows sheet-4 portrait)
    (hung sheet-1)
    (hung sheet-2)
    (hung sheet-3)
    (hung sheet-4)
    (lamp-on))))
