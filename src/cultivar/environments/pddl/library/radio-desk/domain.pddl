(define (domain radio-desk)
  (:requirements :adl :typing)
  (:types source cord channel item - object
    condenser ribbon line - source)
  (:predicates
    (loose ?k - cord)
    (unpatched ?s - source)
    (idle-channel ?c - channel)
    (patched ?k - cord ?s - source ?c - channel)
    (fader-up ?c - channel)
    (fader-down ?c - channel)
    (phantom-on ?c - channel)
    (phantom-off ?c - channel)
    (intact ?s - source)
    (needs ?i - item ?s - source)
    (next-up ?i - item)
    (followed-by ?i - item ?j - item)
    (aired ?i - item))

  (:action patch
    :parameters (?k - cord ?s - source ?c - channel)
    :precondition (and (loose ?k) (unpatched ?s) (idle-channel ?c) (fader-down ?c))
    :effect (and (patched ?k ?s ?c) (not (loose ?k)) (not (unpatched ?s)) (not (idle-channel ?c))))

  (:action unpatch
    :parameters (?k - cord ?s - source ?c - channel)
    :precondition (and (patched ?k ?s ?c) (fader-down ?c))
    :effect (and (loose ?k) (unpatched ?s) (idle-channel ?c) (not (patched ?k ?s ?c))))

  (:action switch-phantom-on
    :parameters (?c - channel)
    :precondition (and (phantom-off ?c) (fader-down ?c))
    :effect (and (phantom-on ?c) (not (phantom-off ?c))
      (forall (?k - cord ?s - ribbon) (when (patched ?k ?s ?c) (not (intact ?s))))))

  (:action switch-phantom-off
    :parameters (?c - channel)
    :precondition (and (phantom-on ?c) (fader-down ?c))
    :effect (and (phantom-off ?c) (not (phantom-on ?c))))

  (:action raise-fader
    :parameters (?c - channel)
    :precondition (fader-down ?c)
    :effect (and (fader-up ?c) (not (fader-down ?c))
      (forall (?k - cord ?s - ribbon) (when (and (patched ?k ?s ?c) (phantom-on ?c)) (not (intact ?s))))))

  (:action lower-fader
    :parameters (?c - channel)
    :precondition (fader-up ?c)
    :effect (and (fader-down ?c) (not (fader-up ?c))))

  (:action air-item
    :parameters (?i - item ?j - item)
    :precondition (and (next-up ?i) (followed-by ?i ?j)
      (forall (?s - source) (imply (needs ?i ?s)
        (and (intact ?s) (exists (?k - cord ?c - channel) (and (patched ?k ?s ?c) (fader-up ?c))))))
      (forall (?s - condenser ?k - cord ?c - channel)
        (imply (and (needs ?i ?s) (patched ?k ?s ?c)) (phantom-on ?c)))
      (forall (?s - source ?k - cord ?c - channel)
        (imply (and (patched ?k ?s ?c) (fader-up ?c)) (needs ?i ?s))))
    :effect (and (aired ?i) (next-up ?j) (not (next-up ?i)))))
