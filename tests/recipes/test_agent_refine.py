"""AgentRefine with one script: what a master and player say that keep to it, and that do not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Document, EnvironmentSpec, Task, Trajectory
from cultivar.recipes.agent_refine import PLAY, REASONS, SCRIPT, Config, run
from cultivar.testing import FunctionModel, try_recipe
from tests.environments.test_simulated import PLAYED
from tests.environments.test_simulated import SCRIPT as TEA
from tests.recipes.acting import messy

THREE = Config(errors=3)
PASSAGES = [Document(text="The mill stands still at night; a watchman goes his rounds.")]


class World:
    """``plays`` are the replies of the one who plays, one to each request; the last one comes again."""

    def __init__(self, *plays: str, script: str = json.dumps(TEA)) -> None:
        self.plays, self.script = list(plays), script
        self.asked: list[str] = []

    def __call__(self, request: Request) -> str:
        prompt = str(request.messages[0]["content"])
        if prompt.startswith(SCRIPT):
            return self.script
        assert prompt.startswith(PLAY)
        self.asked.append(prompt)
        return self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]


def tried(world: World, config: Config = THREE) -> tuple[list[Any], Counter[str]]:
    made, dropped = try_recipe(run, PASSAGES, config, model=FunctionModel(world))
    return list(made.records), Counter(row["reason"] for row in dropped)


def test_the_order_says_what_counts_as_an_error_put_right() -> None:
    """A model that made two errors in a row took itself to have made the two that were asked for."""
    world = World(dumped(PLAYED))
    tried(world)
    assert "at least 3 times" in world.asked[0] and "follow one another count once" in world.asked[0]
    none = World(dumped(PLAYED))
    tried(none, Config(errors=0))
    assert "0 times" not in none.asked[0] and "count once" not in none.asked[0]


def dumped(lines: Sequence[dict[str, Any]]) -> str:
    return json.dumps(list(lines))


def test_errors_are_in_the_context_and_masked() -> None:
    (spec, task, row), dropped = tried(World(f"Here we go!\n```json\n{dumped(PLAYED)}\n```"))
    assert isinstance(spec, EnvironmentSpec) and isinstance(task, Task) and isinstance(row, Trajectory)
    assert spec.parents == (PASSAGES[0].id,) and task.environment == spec.id and row.task == task.id
    flags = [turn.train for turn in row.turns if turn.role == "assistant"]
    assert flags == [False, True, False, True, False, True, True] and not dropped
    assert row.turns[3].content == "Observation: There is no locker here; it is in the boiler house."


def test_a_transcript_is_cut_at_its_first_inconsistent_turn_and_gone_on_with() -> None:
    """An error is not flagged as one; what came before it stays, and what came after is written anew."""
    wrong = [*PLAYED[:10], {**PLAYED[10], "error": None}, *PLAYED[11:]]
    world = World(dumped(wrong), dumped(PLAYED[9:]))
    (_, _, row), dropped = tried(world)
    assert [turn.action for turn in row.turns if turn.action] == [line["action"] for line in PLAYED[1::2]]
    assert len(world.asked) == 2 and not dropped
    shown = json.loads(world.asked[1].rpartition("do not repeat them:\n")[2].partition("\n")[0])
    assert shown == PLAYED[:9]
    assert "fits no action of the script" in world.asked[1] and "could not be used" not in world.asked[0]


def test_a_whole_transcript_is_taken_for_a_continuation_too() -> None:
    (_, _, row), _ = tried(World(dumped(PLAYED[:9]), dumped(PLAYED)))
    assert row.meta["steps"] == 7


def test_repairs_end() -> None:
    world = World(dumped(PLAYED[:3]))
    rows, dropped = tried(world, Config(repairs=2))
    assert rows == [] and dropped == {"unfinished": 1, "no-transcript": 1} and len(world.asked) == 3


def test_errors_that_were_ordered_must_be_there() -> None:
    world = World(dumped(PLAYED))
    rows, dropped = tried(world, Config(errors=4, repairs=0))
    assert rows == [] and dropped == {"too-few-errors": 1, "no-transcript": 1}
    assert "at least 4 times" in world.asked[0]
    assert len(tried(World(dumped(PLAYED)), Config(errors=3, repairs=0))[0]) == 3


def test_a_script_that_does_not_fit_is_written_again_or_dropped() -> None:
    world = World(dumped(PLAYED), script=json.dumps({**TEA, "start": "moon"}))
    model = FunctionModel(world)
    made, dropped = try_recipe(run, PASSAGES, Config(retries=1), model=model)
    assert not made.records and [row["reason"] for row in dropped] == ["script-unusable"]
    assert len(model.requests) == 2 and "'moon', which is no place" in str(model.requests[1].messages[-1]["content"])


def test_several_plays_of_a_script_share_its_rows() -> None:
    other = [*PLAYED[:3], *PLAYED[3:5], *PLAYED[7:]]
    rows, dropped = tried(World(dumped(PLAYED), dumped(other)), Config(plays=2, errors=2, repairs=0))
    assert dropped == {} and [record.kind for record in rows] == ["environment", "task", "trajectory", "trajectory"]
    same, _ = tried(World(dumped(PLAYED)), Config(plays=2))
    assert [record.kind for record in same] == ["environment", "task", "trajectory"]


def test_messy_replies() -> None:
    passages = [Document(text=f"Passage {k} {{brackets}} %s.") for k in range(12)]
    made, dropped = try_recipe(run, passages, Config(), model=FunctionModel(messy))
    assert not made.records and {row["reason"] for row in dropped} == {"script-unusable"}

    def half(request: Request) -> str | Reply:
        return json.dumps(TEA) if str(request.messages[0]["content"]).startswith(SCRIPT) else messy(request)

    made, dropped = try_recipe(run, passages, Config(), model=FunctionModel(half))
    assert not made.records and len(dropped) == 24
    assert {row["reason"] for row in dropped} <= {*REASONS, "no-transcript"}


def test_it_resumes(tmp_path: Path) -> None:
    model = FunctionModel(World(dumped(PLAYED[:9]), dumped(PLAYED[9:])))
    made, _ = try_recipe(run, PASSAGES, Config(), model=model, out=tmp_path)
    again, _ = try_recipe(run, PASSAGES, Config(), model=model, out=tmp_path)
    assert [r.to_json() for r in again.records] == [r.to_json() for r in made.records] and len(model.requests) == 3


@pytest.mark.parametrize(("flag", "value"), [("errors", -1), ("plays", 0), ("temperature", float("nan"))])
def test_bad_settings(flag: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"--{flag} {value}: give at least"):
        Config(**{flag: value})  # type: ignore[arg-type]
