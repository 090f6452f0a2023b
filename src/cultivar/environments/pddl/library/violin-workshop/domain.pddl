(define (domain violin-workshop)
  (:requirements :adl :typing)
  (:types violin joint clamp - object
    seam crack - joint)
  (:predicates
    (part-of ?j - joint ?v - violin)
    (strung ?v - violin)
    (slack ?v - violin)
    (seam-tight ?j - seam)
    (gaping ?j - joint)
    (clean ?j - joint)
    (wet ?j - joint)
    (sound ?j - joint)
    (cleated ?j - crack)
    (clamped ?j - joint ?k - clamp)
    (spare ?k - clamp)
    (pot-warm)
    (pot-cold))

  (:action slacken-strings
    :parameters (?v - violin)
    :precondition (strung ?v)
    :effect (and (slack ?v) (not (strung ?v))))

  (:action open-seam
    :parameters (?v - violin ?j - seam)
    :precondition (and (part-of ?j ?v) (slack ?v) (sound ?j) (seam-tight ?j))
    :effect (and (gaping ?j) (not (sound ?j)) (not (seam-tight ?j))))

  (:action clean-joint
    :parameters (?v - violin ?j - joint)
    :precondition (and (part-of ?j ?v) (gaping ?j) (not (clean ?j))
      (forall (?i - seam) (imply (part-of ?i ?v) (gaping ?i))))
    :effect (clean ?j))

  (:action warm-glue
    :parameters ()
    :precondition (pot-cold)
    :effect (and (pot-warm) (not (pot-cold))))

  (:action glue-joint
    :parameters (?v - violin ?j - joint ?k - clamp)
    :precondition (and (part-of ?j ?v) (slack ?v) (gaping ?j) (clean ?j) (pot-warm) (spare ?k)
      (forall (?i - seam) (imply (part-of ?i ?v) (gaping ?i))))
    :effect (and (wet ?j) (clamped ?j ?k) (not (gaping ?j)) (not (clean ?j)) (not (spare ?k))))

  (:action leave-overnight
    :parameters ()
    :precondition (pot-warm)
    :effect (and (pot-cold) (not (pot-warm))
      (forall (?j - joint) (when (wet ?j) (and (sound ?j) (not (wet ?j)))))))

  (:action take-off-clamp
    :parameters (?j - joint ?k - clamp)
    :precondition (clamped ?j ?k)
    :effect (and (spare ?k) (not (clamped ?j ?k))
      (when (wet ?j) (and (gaping ?j) (not (wet ?j))))
      (forall (?i - seam) (when (and (= ?i ?j) (not (wet ?j))) (seam-tight ?i)))))

  (:action fit-cleat
    :parameters (?v - violin ?j - crack)
    :precondition (and (part-of ?j ?v) (sound ?j) (pot-warm) (forall (?k - clamp) (not (clamped ?j ?k)))
      (forall (?i - seam) (imply (part-of ?i ?v) (gaping ?i))))
    :effect (cleated ?j))

  (:action string-up
    :parameters (?v - violin)
    :precondition (and (slack ?v)
      (forall (?j - seam) (imply (part-of ?j ?v) (seam-tight ?j)))
      (forall (?j - crack) (imply (part-of ?j ?v) (cleated ?j))))
    :effect (and (strung ?v) (not (slack ?v)))))
