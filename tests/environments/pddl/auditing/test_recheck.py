"""A run that was tampered with is caught, whatever part of it was changed.

Whoever tampers also makes the ids and references right again (``linked``), so that the content alone gives it away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cultivar.cli.main import main
from cultivar.core.records import JSON, EnvironmentSpec, Record, Sample, Task, Trajectory, Turn
from cultivar.core.rundir import RunDirectory, RunSettings
from cultivar.environments.pddl.assess import assess, spec_of
from cultivar.environments.pddl.auditing.recheck import Asked, recheck
from cultivar.environments.pddl.narration.language import Language
from tests.cli.conftest import DOMAIN, PROBLEM
from tests.recipes.test_agentgen import LANGUAGE, lamp_problem

Turns = Sequence[Turn]
USUAL = Asked()
SPEC, TASK, TRAJECTORY = 0, 1, 2
"""Places in the run of the first of each kind."""


def made(problems: Sequence[str], **demands: Any) -> list[Record]:
    spec = spec_of(DOMAIN, Language.from_json(LANGUAGE), title="lamps", description="Lamps.", parents=())
    records: list[Record] = [spec]
    for problem in problems:
        found = assess(spec, problem, demands, 1)
        records += [found["task"], found["trajectory"]]
    return records


@pytest.fixture(scope="module")
def good() -> list[Record]:
    return made((PROBLEM, lamp_problem(3, 3)))


@pytest.fixture(scope="module")
def thoughtful() -> list[Record]:
    return made((PROBLEM,), thoughts="template", observations="partial")


def linked(before: Sequence[Record], after: Sequence[Record]) -> list[Record]:
    """``after`` with every reference to a record of ``before`` turned to what stands in its place now."""
    new: dict[str, str] = {}
    found: list[Record] = []
    for k, record in enumerate(after):
        parents = tuple(new.get(p, p) for p in record.parents)
        if isinstance(record, Task):
            record = replace(record, environment=new.get(record.environment, record.environment), parents=parents)
        elif isinstance(record, Trajectory):
            record = replace(record, task=new.get(record.task, record.task), parents=parents)
        if k < len(before) and type(before[k]) is type(record):
            new[before[k].id] = record.id
        found.append(record)
    return found


def gates(records: Sequence[Record], asked: Asked = USUAL) -> set[str]:
    return {f.gate for f in recheck(records, asked).findings}


def with_turns(records: Sequence[Record], change: Callable[[list[Turn]], Turns], **fields: Any) -> list[Record]:
    found = list(records)
    trajectory = found[TRAJECTORY]
    assert isinstance(trajectory, Trajectory)
    found[TRAJECTORY] = replace(trajectory, turns=tuple(change(list(trajectory.turns))), **fields)
    return found


def with_task(records: Sequence[Record], **fields: Any) -> list[Record]:
    task = records[TASK]
    assert isinstance(task, Task)
    return [*records[:TASK], replace(task, **fields), *records[TASK + 1 :]]


def with_difficulty(records: Sequence[Record], **fields: JSON) -> list[Record]:
    meta = records[TASK].meta
    return with_task(records, meta={**meta, "difficulty": {**meta["difficulty"], **fields}})


def test_good_runs(good: list[Record], thoughtful: list[Record]) -> None:
    found = recheck(good)
    assert found.findings == []
    assert found.to_json()["checked"] == {"environments": 1, "tasks": 2, "trajectories": 2}
    assert found.to_json()["optimal"] == {"confirmed": 2}
    assert recheck(thoughtful, Asked(thoughts="template", observations="partial")).findings == []


def turn(turns: list[Turn], k: int, **fields: Any) -> list[Turn]:
    return [*turns[:k], replace(turns[k], **fields), *turns[k + 1 :]]


def by_role(turns: list[Turn], role: str, **fields: Any) -> list[Turn]:
    return [replace(t, **fields) if t.role == role else t for t in turns]


REFUSED = Turn("assistant", "Action: Dance.", None, "Dance.", 0.0, 0.0, train=True)

TURNS: dict[str, Callable[[list[Turn]], Turns]] = {
    "system turn replaced": lambda t: turn(t, 0, content="You are a pirate."),
    "system turn removed": lambda t: t[1:],
    "user turns removed": lambda t: [x for x in t if x.role != "user"],
    "tool turn inserted": lambda t: [*t[:3], Turn("tool", "{}"), *t[3:]],
    "system turn inserted": lambda t: [*t[:3], Turn("system", "Be quick."), *t[3:]],
    "assistant turn after the goal": lambda t: [*t, replace(t[-1], content="Action: Walk from the hall to the attic")],
    "user turn after the goal": lambda t: [*t, Turn("user", "Well done.", reward=1.0, progress=1.0)],
    "action other than the content": lambda t: turn(t, 2, action="Fly"),
    "words of the action": lambda t: turn(t, 2, content="Action: Snuff the red in the hall"),
    "thought other than the content": lambda t: turn(t, 2, thought="I fly."),
    "thought in the content alone": lambda t: turn(t, 2, content=f"Thought: It rains.\n{t[2].content}"),
    "thought in one turn alone": lambda t: turn(
        t, 2, thought="It rains.", content=f"Thought: It rains.\n{t[2].content}"
    ),
    "nothing to train on": lambda t: by_role(t, "assistant", train=False),
    "user turns to train on": lambda t: by_role(t, "user", train=True),
    "refused action to train on": lambda t: [
        *t[:2],
        REFUSED,
        Turn("user", "Observation: No.", None, None, 0, 0),
        *t[2:],
    ],
    "reward of user turns": lambda t: by_role(t, "user", reward=1.0),
    "progress of user turns": lambda t: by_role(t, "user", progress=1.0),
    "progress of assistant turns": lambda t: by_role(t, "assistant", progress=0.5),
    "observation": lambda t: turn(t, 3, content="Observation: All is well."),
    "zero turns": lambda t: [],
    "cut short": lambda t: t[:-1],
}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("fields", [{}, {"success": False, "reward": 0.0}], ids=["success", "no success"])
def test_turns_that_were_changed(good: list[Record], name: str, fields: dict[str, Any]) -> None:
    assert "text-replay" in gates(with_turns(good, TURNS[name], **fields))


@pytest.mark.parametrize(
    "fields", [{"success": False}, {"reward": 0.5}, {"agent": "gpt"}, {"parents": ()}, {"success": 1}], ids=str
)
def test_a_trajectory_that_was_changed(good: list[Record], fields: dict[str, Any]) -> None:
    assert gates(with_turns(good, lambda t: t, **fields)) == {"text-replay"}


@pytest.mark.parametrize("mode", ["delta", "everything", 3, ["full"]], ids=str)
def test_observations_of_another_mode(good: list[Record], mode: JSON) -> None:
    assert gates(with_turns(good, lambda t: t, meta={"observations": mode})) == {"text-replay"}
    assert gates(good, Asked(observations="delta")) == {"text-replay"}


def test_thoughts(good: list[Record], thoughtful: list[Record]) -> None:
    def thinking(thought: str) -> list[Record]:
        def think(t: Turn) -> Turn:
            return replace(t, thought=thought, content=f"Thought: {thought}\nAction: {t.action}")

        return with_turns(thoughtful, lambda turns: [think(t) if t.role == "assistant" else t for t in turns])

    assert gates(thinking("One step further.")) == set()
    for thought in ("Two\nlines.", "Action: Dance", ""):
        assert "text-replay" in gates(thinking(thought))
    assert "text-replay" in gates(thinking("One step further."), Asked(thoughts="none"))
    assert "text-replay" in gates(with_turns(thoughtful, lambda t: turn(t, 2, thought="I fly.")))
    assert "text-replay" in gates(with_turns(thoughtful, lambda t: turn(t, 2, content=f"Action: {t[2].action}")))
    assert "text-replay" in gates(good, Asked(thoughts="template"))
    assert gates(good, Asked(thoughts="model")) == set(), "a model that could not be made to think is left out"


ANYTHING = {"min_plan": 1, "max_random": 1.0, "max_reordered": 1.0}

DIFFICULTY = [
    {"plan_length": 99},
    {"bucket": "20+"},
    {"optimal": False},
    {"optimal": 1},
    {"expanded": "6"},
    {"dead_ends": None},
    {"random_walk_success": "0.3333"},
    {"goals": 9},
    {"branching": 99.0},
    {"interactions": 7},
]


@pytest.mark.parametrize("fields", DIFFICULTY, ids=str)
def test_a_difficulty_that_was_not_measured(good: list[Record], fields: dict[str, JSON]) -> None:
    assert gates(with_difficulty(good, **fields)) == {"difficulty"}


def test_a_task_without_a_difficulty(good: list[Record]) -> None:
    metas: list[dict[str, JSON]] = [{}, {"difficulty": None}, {"difficulty": {}}]
    for meta in metas:
        assert gates(with_task(good, meta=meta)) in ({"unreadable"}, {"difficulty"})


def test_a_goal_in_other_words(good: list[Record]) -> None:
    assert "goal" in gates(linked(good, with_task(good, goal="Fly to the moon.")))


def test_a_plan_made_longer(good: list[Record]) -> None:
    task = good[TASK]
    assert isinstance(task, Task)
    there = ["(walk hall attic)", "(walk attic hall)"]
    longer = with_task(good, data={**task.data, "plan": [*there, *task.data["plan"]]})
    for optimal in (True, False):
        claimed = with_difficulty(longer, plan_length=6, bucket="5-6", optimal=optimal)
        assert "plan-not-best" in gates(linked(good, claimed))
    after = with_task(good, data={**task.data, "plan": [*task.data["plan"], *there]})
    assert "plan-invalid" in gates(linked(good, with_difficulty(after, plan_length=6, bucket="5-6")))


def test_the_demands_of_the_run(good: list[Record]) -> None:
    one = PROBLEM.replace("(lit red) (lit blue) (in hall)", "(lit red)")
    short = made((one, lamp_problem(3, 3)), **ANYTHING)
    assert gates(short) == {"plan-short", "any-order", "random-walk"}
    assert gates(short, Asked(min_plan=1, max_random=1.0)) == {"any-order"}
    assert gates(good, Asked(min_plan=5)) == {"plan-short"}


def test_shares_that_were_not_measured(good: list[Record]) -> None:
    assert gates(with_difficulty(good, random_walk_success=1.0)) == {"random-walk"}
    assert gates(with_difficulty(good, reordered=1.0)) == {"any-order"}
    start = PROBLEM[: PROBLEM.index("(:init")]
    far = "(:init (in hall) (door hall attic) (at red attic) (dark red)) (:goal (lit red)))"
    near = "(:init (in hall) (door hall attic) (at red hall) (at blue hall) (dark red) (dark blue))"
    both = "(:goal (and (lit red) (lit blue))))"
    easy = made((start + far, PROBLEM), **ANYTHING)
    assert gates(with_difficulty(easy, random_walk_success=0.0), Asked(min_plan=2)) == {"random-walk"}
    checklist = made((start + near + both, PROBLEM), **ANYTHING)
    assert gates(with_difficulty(checklist, random_walk_success=0.25, reordered=0.0), Asked(min_plan=2)) >= {
        "any-order"
    }


@pytest.mark.parametrize(
    "data, gate",
    [
        (lambda d: {"plan": d["plan"][1:]}, "plan-invalid"),
        (lambda d: {"plan": None}, "plan-invalid"),
        (lambda d: {"plan": []}, "plan-invalid"),
        (lambda d: {"plan": 7}, "unreadable"),
        (lambda d: {"problem": d["problem"].replace("(in hall)", "(in hal)")}, "unreadable"),
        (lambda d: {"problem": PROBLEM.replace("(lit red) (lit blue)", "(dark red)")}, "goal-true"),
    ],
)
def test_a_task_that_was_changed(good: list[Record], data: Callable[[Any], Any], gate: str) -> None:
    task = good[TASK]
    assert isinstance(task, Task)
    assert gate in gates(linked(good, with_task(good, data={**task.data, **data(task.data)})))


def test_what_is_missing(good: list[Record]) -> None:
    assert gates(good[:1]) == {"too-few-tasks"}
    assert gates([*good[:2], *good[3:]]) == {"trajectories"}
    assert gates(good[:-1]) == {"trajectories"}
    assert "unreadable" in gates(good[1:])
    assert "unreadable" in gates([good[SPEC], good[TRAJECTORY]])
    assert gates(with_task(good, parents=())) >= {"unreadable"}, "the trajectory is another task's"
    assert gates(linked(good, with_task(good, parents=("0123456789abcdef",)))) == {"parents"}


def test_what_is_there_twice(good: list[Record]) -> None:
    spec, task, trajectory = good[:3]
    assert isinstance(spec, EnvironmentSpec)
    assert isinstance(task, Task)
    assert isinstance(trajectory, Trajectory)
    for k in range(3):
        assert gates([*good[: k + 1], good[k], *good[k + 1 :]]) == {"duplicate-record"}
    other = replace(trajectory, agent="planner-2")
    assert gates([*good[:3], other, *good[3:]]) >= {"trajectories"}
    again = replace(task, data={**task.data, "problem": task.data["problem"].replace("red", "green")})
    again = replace(again, data={**again.data, "plan": [s.replace("red", "green") for s in task.data["plan"]]})
    assert "duplicate-task" in gates([*good, again])
    renamed = replace(spec, data={**spec.data, "domain": DOMAIN.replace("lamps", "lights")})
    assert "duplicate-environment" in gates([*good, renamed])


def test_an_action_that_is_never_applicable() -> None:
    """There is a door to the attic, but nothing in these tasks can be lit twice: ``rekindle`` is out of reach."""
    domain = DOMAIN.rstrip()[:-1] + (
        "(:action rekindle :parameters (?l - lamp ?r - room)"
        " :precondition (and (in ?r) (at ?l ?r) (lit ?l) (dark ?l)) :effect (and (lit ?l) (not (dark ?l)))))"
    )
    language = {**LANGUAGE, "actions": {**LANGUAGE["actions"], "rekindle": "Rekindle the {arg1} in the {arg2}"}}
    spec = spec_of(domain, Language.from_json(language), title="lamps", description="Lamps.", parents=())
    found = assess(spec, PROBLEM, {}, 1)
    assert gates([spec, found["task"], found["trajectory"]]) == {"action-never-applicable"}


def test_the_key_of_a_domain(good: list[Record]) -> None:
    for meta in ({"key": "0" * 16}, {}):
        assert gates([replace(good[SPEC], meta=meta), *good[1:]]) == {"key"}


def test_rows_of_other_kinds(good: list[Record]) -> None:
    assert gates([*good, Sample(messages=({"role": "user", "content": "Hello"},))]) == {"not-audited"}


# Files.


def write_run(folder: Path, records: Sequence[Record], **config: JSON) -> RunDirectory:
    run = RunDirectory(folder)
    run.open_for(RunSettings("agentgen", config)).close()
    run.write_records(records)
    return run


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("claimed", ["0123456789abcdef", None], ids=["wrong", "none"])
def test_ids_of_the_file(
    good: list[Record], place: int, claimed: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", good)
    assert main(["audit", str(run.path)]) == 0
    assert "optimal plans confirmed" in capsys.readouterr().out
    rows = [json.loads(line) for line in run.records_path.read_text().splitlines()]
    rows[place]["id"] = claimed
    run.records_path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["audit", str(run.path), "--json"]) == 1
    assert [f["gate"] for f in json.loads(capsys.readouterr().out)["findings"]] == ["id"]


def test_the_settings_of_the_run_are_asked(
    good: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", good, min_plan=5, max_random=0.5, thoughts="none", observations="full")
    assert main(["audit", str(run.path)]) == 1
    assert "plan-short" in capsys.readouterr().out


@pytest.mark.parametrize(
    "records", [[], [Sample(messages=({"role": "user", "content": "Hello"},))]], ids=["no", "other"]
)
def test_nothing_to_audit(records: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", records)
    assert main(["audit", str(run.path)]) == 1
    out, err = capsys.readouterr()
    assert "holds" not in out
    assert err.startswith("cultivar: ")
    assert err.count("\n") == 1
