from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import Unparsable
from cultivar.core.records import EnvironmentSpec, Trajectory
from cultivar.environments.simulated import REASONS, fault_of, read_lines, read_script, trajectory_of

SCRIPT: dict[str, Any] = {
    "title": "Tea for the watchman",
    "setting": "You are the night watchman of a mill. There is a yard, with the boiler house behind it.",
    "places": {"yard": ["tin"], "boiler house": ["kettle", "locker"]},
    "inside": {"locker": ["tea bag"]},
    "start": "yard",
    "task": "Have tea in the kettle.",
    "actions": [
        {"pattern": "go to {place}", "values": {"place": ["yard", "boiler house"]}},
        {"pattern": "open {box}", "values": {"box": ["locker", "tin"]}},
        {"pattern": "take {thing} from {box}", "values": {"thing": ["tea bag"], "box": ["locker", "tin"]}},
        {"pattern": "put {thing} into kettle", "values": {"thing": ["tea bag"]}},
    ],
}


def master(text: str, error: str | None = None, done: bool = False) -> dict[str, Any]:
    return {"role": "master", "thought": "hidden", "observation": text, "error": error, "done": done}


def player(action: str) -> dict[str, Any]:
    return {"role": "player", "thought": f"I try to {action}.", "action": action}


PLAYED = [
    master("You are in the yard. A tin stands here."),
    player("open locker"),
    master("There is no locker here; it is in the boiler house.", "location"),
    player("go to boiler house"),
    master("You see a kettle and a locker."),
    player("take tea bag from locker"),
    master("The locker is shut.", "logical"),
    player("open locker"),
    master("In the locker lies a tea bag."),
    player("Take the tea bag"),
    master("Nothing of that kind can be done: say from where.", "parameter"),
    player("Take tea bag from locker."),
    master("You have the tea bag."),
    player("put tea bag into kettle"),
    master("The tea is ready.", done=True),
]


def changed(**changes: Any) -> str:
    return json.dumps({**SCRIPT, **changes})


def altered(lines: Mapping[int, dict[str, Any]]) -> str:
    return json.dumps([{**line, **lines.get(at, {})} for at, line in enumerate(PLAYED)])


def test_a_script_is_read_and_written() -> None:
    script = read_script(f"Here it is:\n```json\n{json.dumps(SCRIPT)}\n```\nHave fun!")
    assert script.to_json() == SCRIPT
    assert script.match("Take  the tea bag from locker") is None
    assert script.match("TAKE Tea Bag from tin.") == ("tea bag", "tin")
    assert script.match("go to moon") is None and script.match("go to (yard|x)") is None
    assert "- take [thing] from [box]" in script.told() and "locker" not in script.told()


ACTIONS = SCRIPT["actions"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"start": "kitchen"}, "'kitchen', which is no place"),
        ({"title": ""}, '"title" must be a text'),
        ({"places": {"yard": ["tin"]}, "inside": {}}, "two places at least"),
        ({"inside": {"chest": ["tea bag"]}}, "'chest' has things inside and is nowhere"),
        ({"inside": {"locker": ["tin"]}}, "'tin' is there twice"),
        ({"places": []}, '"places" must be an object'),
        ({"actions": ACTIONS[:2]}, "a list of 3 to 20"),
        ({"actions": [*ACTIONS, ACTIONS[0]]}, "is an action twice"),
        (
            {"actions": [*ACTIONS, {"pattern": "kick {thing}", "values": {"thing": ["ball"]}}]},
            "'ball', which is neither",
        ),
        ({"actions": [*ACTIONS, {"pattern": "kick {thing}", "values": {}}]}, "give a list of names for each slot"),
        ({"actions": [*ACTIONS, {"pattern": "kick {a} {a}", "values": {"a": ["tin"]}}]}, "'a' is there twice"),
        ({"actions": [*ACTIONS, {"pattern": "kick {0}", "values": {}}]}, "'{0}' is no slot"),
        ({"actions": [*ACTIONS, {"pattern": "kick a}", "values": {}}]}, "braces belong around"),
        ({"actions": [*ACTIONS, {"pattern": "put {a} {b 2} {c-3} {d}", "values": {}}]}, "3 slots are the most"),
        ({"actions": [*ACTIONS, {"pattern": "kick {a}", "values": {"a": [["tin"]]}}]}, "give a list of names"),
        ({"actions": [*ACTIONS, "kick"]}, 'must have a "pattern"'),
    ],
)
def test_a_script_that_does_not_fit_together(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Unparsable, match="the script has mistakes") as caught:
        read_script(changed(**changes))
    assert told in str(caught.value) and caught.value.reason == "script-unusable"


def test_slots_are_words_of_any_language() -> None:
    """A model that writes its script in German calls a slot {behälter}."""
    opens = {"pattern": "öffne {Behälter}", "values": {"Behälter": ["tin"]}}
    script = read_script(changed(actions=[*ACTIONS, opens]))
    assert script.match("Öffne tin") == ("tin",) and "- öffne [Behälter]" in script.told()


def test_a_good_transcript_has_no_fault() -> None:
    script, lines = read_script(json.dumps(SCRIPT)), read_lines(json.dumps({"turns": PLAYED}))
    assert fault_of(script, lines, 3) is None
    assert fault_of(script, [*lines, *lines], 3) is None  # what comes after the end is not looked at


@pytest.mark.parametrize(
    ("lines", "reason", "keep"),
    [
        ({2: {"error": "parameter"}}, "false-flag", 1),  # it fits an action: the locker is elsewhere
        ({10: {"error": "logical"}}, "false-flag", 9),  # it fits none
        ({10: {"error": None}}, "unmatched-action", 9),
        ({6: {"error": "logical", "done": True}}, "false-flag", 5),
        ({3: {"action": "Open LOCKER."}}, "repeated-error", 3),
        ({6: {"error": None}}, "unrevealed", 5),  # nobody has told of a tea bag yet
        ({2: {"error": None}}, "unrevealed", 1),
        ({14: {"done": False}}, "unfinished", 15),
        ({6: {"error": None}, 4: {"observation": "A kettle, a locker with a tea bag."}}, "too-few-errors", 13),
    ],
)
def test_the_first_fault_of_a_transcript(lines: dict[int, dict[str, Any]], reason: str, keep: int) -> None:
    found = fault_of(read_script(json.dumps(SCRIPT)), read_lines(altered(lines)), 3)
    assert found is not None and (found.reason, found.keep) == (reason, keep)
    assert reason in REASONS


def test_a_refused_action_may_not_work_before_something_was_done() -> None:
    """It was refused; another error later it is said to work, although nothing has changed."""
    drifted = [
        *PLAYED[:7],
        player("fly"),
        master("Nobody can.", "parameter"),
        player(PLAYED[5]["action"]),
        master("Yes."),
    ]
    found = fault_of(read_script(json.dumps(SCRIPT)), read_lines(json.dumps(drifted)), 0)
    assert found is not None and (found.reason, found.keep) == ("repeated-error", 9)


def test_errors_one_after_the_other_are_put_right_once() -> None:
    twice = [*PLAYED[:3], player("fly"), master("Nobody can.", "parameter"), *PLAYED[3:]]
    script, lines = read_script(json.dumps(SCRIPT)), read_lines(json.dumps(twice))
    assert fault_of(script, lines, 3) is None
    found = fault_of(script, lines, 4)
    assert found is not None and found.reason == "too-few-errors" and "count once" in found.why


@pytest.mark.parametrize(
    ("reply", "keep"),
    [
        (json.dumps([PLAYED[1]]), 0),
        (json.dumps([PLAYED[0], PLAYED[0]]), 1),
        (json.dumps([*PLAYED[:3], PLAYED[4]]), 3),
        (json.dumps([*PLAYED[:2], PLAYED[3]]), 1),
        (json.dumps([{**PLAYED[0], "done": True}]), 0),
    ],
)
def test_turns_out_of_order(reply: str, keep: int) -> None:
    found = fault_of(read_script(json.dumps(SCRIPT)), read_lines(reply), 0)
    assert found is not None and (found.reason, found.keep) == ("order", keep)


@pytest.mark.parametrize(
    "reply",
    [
        *("{}", "[]", '"turns"', "[1]", '[{"role": "narrator"}]', '[{"role": "player", "action": "go"}]'),
        json.dumps([{**PLAYED[1], "thought": "hm\nAction: open tin"}]),
        json.dumps([{**PLAYED[0], "error": "moral"}]),
        json.dumps([{**PLAYED[0], "observation": "x" * 4000}]),
        json.dumps([PLAYED[0]] * 200),
    ],
)
def test_a_transcript_that_cannot_be_read(reply: str) -> None:
    with pytest.raises(Unparsable) as caught:
        read_lines(reply)
    assert caught.value.reason == "transcript-unreadable"


def test_errors_are_masked_in_the_conversation() -> None:
    script, spec = read_script(json.dumps(SCRIPT)), read_script(json.dumps(SCRIPT)).spec("passage")
    task, made = trajectory_of(script, read_lines(json.dumps(PLAYED)), spec, "who")
    acted = [(turn.action, turn.train) for turn in made.turns if turn.role == "assistant"]
    assert [action for action, train in acted if not train] == [
        "open locker",
        "take tea bag from locker",
        "Take the tea bag",
    ]
    assert len(acted) == 7 and acted[3] == ("open locker", True)
    assert all(not turn.train for turn in made.turns if turn.role != "assistant")
    assert "hidden" not in " ".join(turn.content for turn in made.turns)
    assert made.success and made.turns[-1].reward == 1.0 == made.reward and made.turns[-3].reward == 0.0
    assert made.meta["kinds"] == ["location", "logical", "parameter"]
    assert [made.turns[at].train for at in made.meta["errors"]] == [False] * 3
    assert made.task == task.id and task.environment == spec.id
    assert EnvironmentSpec.from_json(spec.to_json()).id == spec.id and Trajectory.from_json(made.to_json()) == made


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["yard", "{a}", "player"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SCRIPT, *PLAYED[0], "action"]), inner)
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([*SCRIPT]))
def test_whatever_is_written_is_read_or_refused(value: Any, key: str) -> None:
    for read, reply in (
        (read_script, changed(**{key: value})),
        (read_script, json.dumps(value)),
        (read_lines, json.dumps(value)),
    ):
        try:
            read(reply)
        except Unparsable as error:
            assert str(error)


@given(st.lists(st.sampled_from(PLAYED), max_size=12), st.integers(0, 4))
def test_what_is_kept_of_a_transcript_has_no_fault_but_its_end(played: list[dict[str, Any]], errors: int) -> None:
    script = read_script(json.dumps(SCRIPT))
    lines = read_lines(json.dumps(played)) if played else []
    found = fault_of(script, lines, errors)
    if found is not None and found.keep:
        kept = fault_of(script, lines[: found.keep], errors)
        assert kept is not None and (kept.reason, kept.keep) == ("unfinished", found.keep)
        assert lines[found.keep - 1].speaker == "master"
