"""Roll-outs and searches over a few tasks, in an engine. As a program, it dies in the middle of them.

python -m tests.agents.attempts FOLDER CALLS    FOLDER/calls counts the calls; SIGKILL at the CALLS-th of this start
"""

from __future__ import annotations

import os
import signal
import sys
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cultivar.agents.episode import Limits
from cultivar.agents.history import Summary
from cultivar.agents.policies import act
from cultivar.agents.rollout import rollout
from cultivar.agents.search import best_of_n, mcts
from cultivar.core.dataset import Dataset
from cultivar.core.protocols import Choice, Engine, Reply, Request, Usage
from cultivar.core.records import Task, Trajectory
from cultivar.core.scope import Scope
from cultivar.environments.pddl.environment import PddlEnvironment
from cultivar.testing import FunctionModel, try_recipe
from tests.environments.pddl import store

TASKS = [Task(environment=store.SPEC.id, goal=f"{n}", data={"problem": store.PROBLEM}) for n in range(5)]
ACTIONS = ["Go from hall to red room.", "Open big box in red room.", "Take ball out of big box in red room.", "Fly."]


async def attempts(task: Task, scope: Scope) -> list[Trajectory]:
    policy, limits = act(history=Summary(2, 2), temperature=1.0), Limits(steps=7)
    world = PddlEnvironment(replace(store.SPEC, description=f"You are robot {task.goal}."))
    alone = await rollout(world, task, policy, scope.child("alone"), limits)
    several = await best_of_n(world, task, policy, scope.child("several"), limits, n=3)
    tree = await mcts(world, task, policy, scope.child("tree"), limits, simulations=6, c=0.5)
    return [alone, *several.trajectories, *tree.trajectories]


async def run(engine: Engine, tasks: Iterable[Task]) -> Dataset:
    return Dataset([found for made in await engine.map(attempts, tasks) for found in made])


def answer(request: Request, nonce: int) -> Reply:
    """Depends on the call's own number too, as a sampled reply does."""
    seed = zlib.crc32(repr([request.messages, nonce]).encode())
    texts = [f"Action: {ACTIONS[(seed >> 3 * k) % len(ACTIONS)]}" for k in range(request.n)]
    return Reply(tuple(map(Choice, texts)), Usage(5, 7), "fake")


def main(folder: Path, last: int) -> None:
    calls = 0

    def counted(request: Request) -> Reply:
        nonlocal calls
        calls += 1
        with (folder / "calls").open("a") as file:
            file.write(".")
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer(request, int(request.key[:6], 16))

    made, failed = try_recipe(run, TASKS, model=FunctionModel(counted), out=folder)
    assert not failed
    rows = [repr((found.to_json(), found.id)) for found in made.records]
    (folder / "rows").write_text("\n".join(rows), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
