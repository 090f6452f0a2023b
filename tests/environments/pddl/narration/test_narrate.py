from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.environments.pddl.environment import read_domain, read_task
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.model import (
    TRUE,
    Action,
    And,
    Atom,
    Domain,
    Exists,
    Forall,
    Formula,
    Imply,
    Not,
    Or,
    Predicate,
    Problem,
    Variable,
)
from cultivar.environments.pddl.narration.language import Language, Visibility
from cultivar.environments.pddl.narration.narrate import Narrator, display_names
from cultivar.environments.pddl.narration.templates import A_OR_AN, words
from cultivar.environments.pddl.simulation.simulate import Simulator
from tests.environments.pddl.store import LANGUAGE, PLAN, SPEC, TASK


def variables(count: int) -> tuple[Variable, ...]:
    return tuple(Variable(f"?x{k}") for k in range(count))


def task_of(
    names: list[str], predicates: dict[str, int], actions: dict[str, int], goal: Formula = TRUE, cost: bool = False
) -> GroundTask:
    """A task of which only the names matter: no facts, no operators."""
    domain = Domain(
        "d",
        predicates=tuple(Predicate(n, variables(k)) for n, k in predicates.items()),
        actions=tuple(
            Action(n, variables(k), effect=And(tuple(Atom(p, ("?x0",) * c) for p, c in predicates.items())))
            for n, k in actions.items()
        ),
    )
    objects = tuple(Variable(name) for name in names)
    problem = Problem("p", "d", objects=objects, goal=goal, minimize_cost=cost)
    return GroundTask(domain, problem, (), 0, 0, 0, (), objects=dict.fromkeys(names, ("object",)))


@pytest.fixture(scope="module")
def store() -> GroundTask:
    return read_task(read_domain(SPEC), TASK)


# Single sentences.


def test_sentences_have_a_capital_and_one_full_stop(store: GroundTask) -> None:
    narrator = Narrator(store, LANGUAGE)
    assert narrator.fact(Atom("at", ("big-box", "red-room"))) == "Big box is in the red room."
    assert narrator.no_fact(Atom("open", ("big-box",))) == "Big box is not open."
    assert narrator.action("move", ("hall", "red-room")) == "Go from hall to red room."


def test_objects_keep_their_names_where_two_would_read_alike() -> None:
    assert display_names(["red-box", "a_b", "a-b", "x"]) == {"red-box": "red box", "a_b": "a_b", "a-b": "a-b", "x": "x"}


def test_all_names_stay_raw_where_spaces_would_make_a_clash() -> None:
    names = ["a", "b-c", "a-b", "c"]
    narrator = Narrator(task_of(names, {"on": 2}, {}), Language({"on": "see {arg1} {arg2}"}, {}))
    assert narrator.clash() is None
    assert narrator.fact(Atom("on", ("a", "b-c"))) == "See a b-c."


# Injectivity.


def sentences(narrator: Narrator, task: GroundTask) -> dict[tuple[str, ...], list[str]]:
    """Every sentence of the task's language (as words), with what it says: the full cross product."""
    found: dict[tuple[str, ...], list[str]] = {}
    for predicate in task.domain.predicates:
        for args in itertools.product(task.objects, repeat=predicate.arity):
            atom = Atom(predicate.name, args)
            found.setdefault(tuple(words(narrator.fact(atom))), []).append(str(atom))
            found.setdefault(tuple(words(narrator.no_fact(atom))), []).append(f"not {atom}")
    for action in task.domain.actions:
        for args in itertools.product(task.objects, repeat=len(action.parameters)):
            found.setdefault(tuple(words(narrator.action(action.name, args))), []).append(f"do {action.name} {args}")
    return found


WORD = st.sampled_from(["a", "b", "the", "on", "x", "an"])
NAMES = st.lists(st.lists(WORD, min_size=1, max_size=3).map("-".join), min_size=1, max_size=4, unique=True)
PART = st.lists(st.sampled_from(["on", "b", "x", "an", "a"]), max_size=2).map(" ".join)


@given(NAMES, st.lists(PART, min_size=9, max_size=9))
@settings(max_examples=300, deadline=None)
def test_clash_is_found_exactly_where_two_sentences_are_equal(names: list[str], parts: list[str]) -> None:
    p, q, r, s, t, u, v, w, x = parts
    language = Language(
        {"one": f"{p} {{arg1}} {q}", "two": f"{r} {{arg2}} {s} {{arg1}} {t}"},
        {"go": f"{u} {{arg1}} {v} {{arg2}} {w} z {x}"},
    )
    task = task_of(names, {"one": 1, "two": 2}, {"go": 2})
    narrator = Narrator(task, language)
    double = [meanings for meanings in sentences(narrator, task).values() if len(meanings) > 1]
    clash = narrator.clash()
    assert clash is not None or not double
    # Of "a" and "an" both are thought possible before any name, so there a clash may be one that is never shown.
    templates = (*narrator.predicates.values(), *narrator.negations.values(), *narrator.actions.values())
    assert clash is None or double or any(A_OR_AN in template.elements for template in templates)


def test_the_clash_is_named() -> None:
    task = task_of(["a", "a-b", "b"], {"one": 1, "two": 2}, {})
    narrator = Narrator(task, Language({"one": "see {arg1}", "two": "see a {arg1} {arg2}"}, {}))
    assert narrator.clash() is None
    clashing = Narrator(task, Language({"one": "see {arg1} a", "two": "see {arg1} {arg2}"}, {}))
    message = clashing.clash()
    assert message is not None and "(one " in message and "(two " in message and "'See " in message


def test_names_that_differ_only_in_punctuation_clash() -> None:
    message = Narrator(task_of(["a", "a-"], {"one": 1}, {}), Language({"one": "see {arg1}"}, {})).clash()
    assert message is not None and "'a-'" in message


def test_a_placeholder_mentioned_twice_stands_for_one_object() -> None:
    task = task_of(["a", "b"], {"one": 1, "two": 0}, {})
    assert Narrator(task, Language({"one": "{arg1} is {arg1}", "two": "a is b"}, {})).clash() is None
    message = Narrator(task, Language({"one": "{arg1} is {arg1}", "two": "a is a"}, {})).clash()
    assert message is not None and "(one a)" in message and "(two)" in message


def test_an_argument_that_is_not_mentioned_is_a_clash() -> None:
    message = Narrator(task_of(["a", "b"], {"two": 2}, {}), Language({"two": "see {arg2}"}, {})).clash()
    assert message == "the sentence of (two ...) does not mention its argument 1"


def test_names_that_overlap_without_end_are_bounded() -> None:
    names = ["!".join("ab"[(k >> i) & 1] for i in range(9)) for k in range(512)]
    start = time.process_time()
    task = task_of(names, {f"p{k}": 3 for k in range(4)}, {})
    message = Narrator(task, Language({f"p{k}": "{arg1} {arg2} {arg3} a" + " b" * k for k in range(4)}, {})).clash()
    assert message is None or "alike" in message or "overlap" in message or "both said" in message
    assert time.process_time() - start < 5


def test_types_keep_sentences_apart() -> None:
    """(at-robot ?room) and (at ?ball) of one shape: no object is both."""
    kinds = (("room", ("object",)), ("ball", ("object",)))
    predicates = (Predicate("here", (Variable("?r", ("room",)),)), Predicate("held", (Variable("?b", ("ball",)),)))
    domain = Domain("d", types=kinds, predicates=predicates)
    objects: dict[str, tuple[str, ...]] = {"hall": ("room",), "red": ("ball",)}
    task = GroundTask(domain, Problem("p", "d"), (), 0, 0, 0, (), objects=objects)
    assert Narrator(task, Language({"here": "now {arg1}", "held": "now {arg1}"}, {})).clash() is None
    both = GroundTask(domain, Problem("p", "d"), (), 0, 0, 0, (), objects={**objects, "odd": ("ball", "room")})
    assert Narrator(both, Language({"here": "now {arg1}", "held": "now {arg1}"}, {})).clash() is not None


# Goals.


def goal(formula: Formula, names: list[str], cost: bool = False) -> str:
    task = task_of(names, {"on": 2, "clear": 1}, {"do": 1}, formula, cost)
    text = Narrator(
        task, Language({"on": "{arg1} is on {arg2}.", "clear": "{arg1} is clear."}, {"do": "Do {arg1}."})
    ).goal()
    head = "The goal is to satisfy the following conditions: "
    assert text.startswith(head)
    return text[len(head) :]


X, Y = Variable("?x"), Variable("?y")


def test_the_goal_is_a_sorted_list_of_sentences() -> None:
    formula = And((Atom("on", ("b", "a")), And((Not(Atom("clear", ("b",))), Atom("clear", ("a",))))))
    assert goal(formula, ["a", "b"]) == "A is clear. B is not clear. B is on a."


def test_compound_goals_are_said_in_words() -> None:
    names = ["a", "b"]
    assert goal(Or((Atom("clear", ("a",)), Atom("clear", ("b",)))), names) == "Either a is clear or b is clear."
    assert goal(Exists((X,), Atom("on", ("?x", "a"))), names) == "For at least one object x, x is on a."
    assert goal(Forall((X,), Atom("clear", ("?x",))), names) == "A is clear. B is clear."
    some = Forall((X,), Imply(Atom("on", ("?x", "a")), Not(Atom("clear", ("?x",)))))
    assert goal(some, names) == "For every object x, if x is on a, then x is not clear."
    assert goal(Not(Exists((X, Y), Atom("on", ("?x", "?y")))), names).startswith(
        "It is not the case that (for at least one"
    )


def test_many_cases_are_said_with_their_quantifier() -> None:
    many = [f"o{k}" for k in range(100)]
    assert goal(Forall((X,), Atom("clear", ("?x",))), many) == "For every object x, x is clear."


def test_a_variable_is_not_named_like_an_object() -> None:
    assert goal(Exists((X,), Atom("on", ("?x", "x"))), ["x", "y"]) == "For at least one object x', x' is on x."


def test_the_cost_is_mentioned_if_it_counts() -> None:
    assert "lowest total cost" in goal(Atom("clear", ("a",)), ["a"], cost=True)
    assert "cost" not in goal(Atom("clear", ("a",)), ["a"])


# Observations.


def test_full_observation_is_sorted_and_tells_what_never_changes_once(store: GroundTask) -> None:
    narrator = Narrator(store, LANGUAGE)
    first = narrator.observe(store.initial)
    assert first == (
        "Ball is inside big box. Big box is in the red room. Key 1 is inside big box. "
        "There is a door from hall to red room. You are in the hall. Your hand is free."
    )
    later = narrator.observe(store.initial, previous=store.initial)
    assert "door" not in later and "You are in the hall." in later


def test_delta_tells_what_became_true_and_false(store: GroundTask) -> None:
    narrator, simulator = Narrator(store, LANGUAGE), Simulator(store)
    operator = simulator.find(store.initial, *PLAN[0])
    assert operator is not None
    after = simulator.apply(store.initial, operator)
    assert (
        narrator.observe(after, mode="delta", previous=store.initial)
        == "You are in the red room. You are not in the hall."
    )
    assert narrator.observe(after, mode="delta", previous=after) == "Nothing has changed."
    assert narrator.observe(after, mode="delta") == narrator.observe(after)


def test_partial_observation_hides_what_is_elsewhere_or_in_a_closed_box(store: GroundTask) -> None:
    narrator, simulator = Narrator(store, LANGUAGE), Simulator(store)
    state, seen = store.initial, [narrator.observe(store.initial, mode="partial")]
    for name, args in PLAN[:3]:
        operator = simulator.find(state, name, args)
        assert operator is not None
        state, before = simulator.apply(state, operator), state
        seen.append(narrator.observe(state, mode="partial", previous=before))
    assert seen[0] == "There is a door from hall to red room. You are in the hall. Your hand is free."
    assert seen[1] == "Big box is in the red room. You are in the red room. Your hand is free."
    assert "Ball is inside big box." in seen[2] and "Key 1 is inside big box." in seen[2]
    assert "You are holding ball." in seen[3]


def sight(facts: list[Atom], declared: Visibility, kinds: dict[str, str]) -> set[str]:
    domain = Domain(
        "d",
        types=(("robot", ("object",)), ("box", ("object",)), ("place", ("object",))),
        predicates=(
            Predicate("at", variables(2)),
            Predicate("in", variables(2)),
            Predicate("open", (Variable("?b", ("box",)),)),
        ),
        actions=(Action("do", effect=And((Atom("at"), Atom("in"), Atom("open")))),),
    )
    task = GroundTask(domain, Problem("p", "d"), tuple(facts), 0, 0, 0, (), objects={k: (v,) for k, v in kinds.items()})
    language = Language(
        {"at": "{arg1} is at {arg2}", "in": "{arg1} is in {arg2}", "open": "{arg1} is open"},
        {"do": "Do."},
        {},
        declared,
    )
    text = Narrator(task, language).observe((1 << len(facts)) - 1, mode="partial")
    return {s.strip().rstrip(".").lower() for s in text.split(". ")}


def test_agents_and_things_may_be_placed_by_one_predicate() -> None:
    facts = [
        Atom("at", ("r2", "hall")),
        Atom("at", ("box1", "hall")),
        Atom("at", ("cup", "attic")),
        Atom("in", ("pen", "box1")),
    ]
    objects = {
        "r2": "robot",
        "box1": "box",
        "cup": "object",
        "pen": "object",
        "hall": "place",
        "attic": "place",
    }
    declared = Visibility("at", ("at", "in"), agent_type="robot", open="open")
    assert sight(facts, declared, objects) == {"r2 is at hall", "box1 is at hall"}
    opened = [*facts, Atom("open", ("box1",))]
    assert "pen is in box1" in sight(opened, declared, objects)


def test_things_that_hold_each_other_in_a_circle_are_not_seen() -> None:
    facts = [Atom("at", ("r2", "hall")), Atom("in", ("cup", "pan")), Atom("in", ("pan", "cup"))]
    objects = {"r2": "robot", "cup": "object", "pan": "object", "hall": "place"}
    assert sight(facts, Visibility("at", ("at", "in"), agent_type="robot"), objects) == {"r2 is at hall"}
