"""Environments and tasks for recipes in which an agent acts: drawn out of passages, or those of a run.

    --run DIR      the tasks of a run (agentgen's), each once, told as they were told in it
    otherwise      a procedural environment for each passage, with so many tasks in it; no model is asked

Either way the tasks are the items of what comes next: ``engine.map(function, playable.tasks, config, playable)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import get_args

from cultivar.core.errors import InputError, Unparsable
from cultivar.core.protocols import Engine
from cultivar.core.records import Document, EnvironmentSpec, Record, Task, Trajectory
from cultivar.core.rundir import RunDirectory
from cultivar.core.scope import Scope
from cultivar.environments.pddl.accepted import Accepted
from cultivar.environments.pddl.auditing.gates import GATES
from cultivar.environments.pddl.environment import PddlEnvironment
from cultivar.environments.pddl.narration.narrate import Mode
from cultivar.environments.pddl.proposer import ProceduralProposer

TRIES = 3
"""Problems that are proposed for each task wanted."""
REASONS = GATES
"""Why a drawn environment or task is not used."""


@dataclass(frozen=True)
class Playable:
    """``specs`` by id; ``observations`` is what a turn shows, by the id of the environment."""

    specs: Mapping[str, EnvironmentSpec]
    tasks: Sequence[Task]
    observations: Mapping[str, Mode]

    def environment(self, task: Task) -> PddlEnvironment:
        """A fresh one, without a limit of steps: that is the episode's."""
        mode = self.observations.get(task.environment, "full")
        return PddlEnvironment(self.specs[task.environment], observations=mode, max_steps=None)

    def records(self, rows: Iterable[Sequence[Trajectory]]) -> Iterator[Record]:
        """The rows, each once, with its environment and task before it where they were not there yet."""
        tasks, told = {task.id: task for task in self.tasks}, set[str]()
        for trajectory in (one for group in rows for one in group):
            task = tasks[trajectory.task]
            for record in (self.specs[task.environment], task, trajectory):
                if record.id not in told:
                    told.add(record.id)
                    yield record


async def playable(engine: Engine, passages: Iterable[Document], run: str, environments: int, tasks: int) -> Playable:
    """The tasks of the run in the folder ``run``; without one, of an environment for each of the first passages.

    Raises InputError if the folder holds no run, or no tasks that can be played.
    """
    if run:
        return of_run(RunDirectory(Path(run)).require())
    drawn = await engine.map(draw, islice(passages, environments), tasks, stage="environments")
    specs = {found.spec.id: found.spec for found in drawn}
    return Playable(specs, [task for found in drawn for task in found.tasks], dict.fromkeys(specs, "full"))


@dataclass(frozen=True)
class Drawn:
    """No row yet, and so nothing that counts towards the rows wanted."""

    spec: EnvironmentSpec
    tasks: tuple[Task, ...]


async def draw(passage: Document, scope: Scope, tasks: int) -> Drawn:
    """A procedural environment about a passage, and so many tasks in it that have passed the gates."""
    proposer = ProceduralProposer(passage)
    try:
        spec = await proposer.environment(scope.child("environment"), ())
    except Unparsable as error:
        scope.drop(error.reason, message=str(error))
    accepted, tried = Accepted(spec), 0
    while len(accepted) < tasks and tried < TRIES * tasks:
        branch = scope.child(f"pose-{tried}")
        tried += 1
        accepted.admit(await accepted.examine(proposer.problem(spec, branch), branch), branch, {"stage": "posed"})
    if not accepted:
        scope.drop("too-few-tasks", message=f"None of {tried} proposed tasks passed the gates.")
    return Drawn(spec, tuple(accepted.tasks))


def of_run(run: RunDirectory) -> Playable:
    """The PDDL environments and tasks of a run, each once, in its order."""
    records = list(run.records())
    specs = {r.id: r for r in records if isinstance(r, EnvironmentSpec) and r.family == "pddl"}
    tasks = {r.id: r for r in records if isinstance(r, Task)}
    for task in tasks.values():
        if task.environment not in specs:
            raise InputError(
                f"{run.path}: task {task.id} is of environment {task.environment}, which is not in the run "
                "or cannot be played; give a run of agentgen"
            )
    if not tasks:
        held = f"its {len(records):,} records are none" if records else "nothing was accepted in it"
        raise InputError(f"{run.path} holds no tasks: {held}; give a run of agentgen")
    said = run.settings.config.get("observations")
    modes: dict[str, Mode] = {
        task.environment: next((m for m in get_args(Mode) if m == task.meta.get("observations", said)), "full")
        for task in tasks.values()
    }
    return Playable({id: specs[id] for id in modes}, list(tasks.values()), modes)
