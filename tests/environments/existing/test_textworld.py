from __future__ import annotations

import gc
import importlib.util
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cultivar.agents.episode import Limits
from cultivar.agents.policies import Gold, Random
from cultivar.agents.rollout import rollout
from cultivar.core.errors import InputError, ItemFailed, UsageError
from cultivar.core.journal import Journal
from cultivar.core.protocols import Environment, NotClonable
from cultivar.core.records import EnvironmentSpec, Task
from cultivar.environments.existing import textworld
from cultivar.environments.existing.textworld import Server, TextWorld, spec, tasks
from tests.agents.world import scope_of

HERE = importlib.util.find_spec("textworld") is not None
needs_textworld = pytest.mark.skipif(not HERE, reason="textworld is not installed")


@pytest.mark.slow
@needs_textworld
async def test_the_walkthrough_solves_and_only_what_is_listed_is_done(journal: Journal, tmp_path: Path) -> None:
    made = spec(rooms=2, objects=4, quest=2)
    first, second = tasks(made, [7, 8])
    assert first.goal != second.goal
    environment = TextWorld(made)
    same: Environment = environment
    found = await rollout(same, first, Gold(), scope_of(journal))
    assert found.success and found.reward == 1.0 and found.meta["progress"][-1] == 1.0
    assert found.turns[1].content.startswith(first.goal) and ">" not in found.turns[1].content
    walk = await rollout(environment, first, Random(), scope_of(journal), Limits(steps=5))
    assert walk.meta["invalid"] == 0
    await environment.reset(first)
    for hostile in ("save", "script", "quit", "restart", "fly", "look\nquit", "x" * 5000):
        step = await environment.step(hostile)
        assert not step.valid and not step.done
    assert (await environment.step("look")).valid and "look" in environment.hints()
    with pytest.raises(NotClonable):
        environment.clone()
    with pytest.raises(InputError, match="makes another game"):
        await environment.reset(replace(first, goal="Win."))
    process = environment._server._process if environment._server else None
    environment.close()
    assert process is not None and process.poll() is not None
    assert environment.gold(first)  # a process of its own again
    environment.close()


@needs_textworld
def test_the_process_ends_with_its_object() -> None:
    server = Server(sys.executable)
    process = server._process
    assert process.poll() is None and not server.ended
    del server
    gc.collect()
    assert process.poll() is not None


@pytest.mark.skipif(HERE, reason="textworld is installed")
def test_without_textworld_it_says_what_to_type() -> None:
    with pytest.raises(UsageError, match=r"pip install textworld, and give python="):
        tasks(spec(), [0])


def test_an_interpreter_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"python='/nowhere/python' cannot be started"):
        tasks(spec(), [0], "/nowhere/python")


def test_a_process_that_ends_or_hangs_is_no_failure_of_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, task = spec(), Task(environment=spec().id, goal="Win.", data={"seed": 1})
    for body in ("", "import time\ntime.sleep(60)", "print('no json', flush=True)\ninput()"):
        program = tmp_path / "server.py"
        program.write_text(body)
        monkeypatch.setattr(textworld, "SERVER", program)
        monkeypatch.setattr(textworld, "SECONDS", 0.5)
        began = time.monotonic()
        environment = TextWorld(made, python=sys.executable)
        with pytest.raises(ItemFailed, match="ended, or did not answer"):
            environment.gold(task)
        environment.close()
        assert time.monotonic() - began < 10


def test_sizes_are_bounded() -> None:
    with pytest.raises(UsageError, match="rooms=500: give 1 to 20"):
        spec(rooms=500)
    forged = EnvironmentSpec(family="textworld", name="x", description="", data={"rooms": 10**9, "objects": 1})
    with pytest.raises(InputError, match="give 1 to 20"):
        TextWorld(forged).gold(Task(environment=forged.id, goal="", data={"seed": 1}))
    with pytest.raises(UsageError, match="call reset"):
        TextWorld(spec()).hints()
