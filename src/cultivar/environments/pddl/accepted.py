"""The accepted tasks of one environment, as they gather."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias

from cultivar.core.errors import Unparsable
from cultivar.core.records import JSON, EnvironmentSpec, Record, Task, Trajectory
from cultivar.core.scope import Scope
from cultivar.environments.pddl.assess import Demands, assess, read_domain
from cultivar.environments.pddl.auditing.audit import audit_duplicate, audit_environment
from cultivar.environments.pddl.auditing.canonical import domain_key
from cultivar.environments.pddl.auditing.gates import Finding

Examined: TypeAlias = Mapping[str, Any] | None
"""What ``assess`` said of a problem; None if there was no problem."""


@dataclass
class Accepted:
    """Tasks in the order of acceptance, each with its trajectory; no two are the same up to the names of objects."""

    spec: EnvironmentSpec
    demands: Demands = field(default_factory=Demands)
    tasks: list[Task] = field(default_factory=list)
    trajectories: list[Trajectory] = field(default_factory=list)
    _keys: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _relaxed: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def lengths(self) -> list[int]:
        """Best known plan lengths."""
        return [task.meta["difficulty"]["plan_length"] for task in self.tasks]

    @property
    def structures(self) -> tuple[str, str]:
        """The key of the domain, and its key for what the goals of the tasks ask: who shares either is no other one."""
        return str(self.spec.meta["key"]), domain_key(read_domain(self.spec.data["domain"]), self._asked)

    async def examine(self, proposal: Awaitable[str | None], scope: Scope) -> Examined:
        """A proposed problem put through the gates; None if there was none."""
        try:
            problem = await proposal
        except Unparsable as error:
            scope.discard(error.reason, message=str(error))
            return None
        if problem is None:
            return None
        seed = scope.rng("assess").getrandbits(48)
        found: Examined = await scope.once("assess", assess, self.spec, problem, asdict(self.demands), seed)
        return found

    def admit(self, examined: Examined, scope: Scope, origin: Mapping[str, JSON]) -> Task | None:
        """Takes a task in if it passed the gates and is new, and discards it with the reason otherwise."""
        if examined is None:
            return None
        if examined["findings"]:
            first = examined["findings"][0]
            scope.discard(first["gate"], message=first["message"], **first["evidence"])
            return None
        task: Task = examined["task"]
        trajectory: Trajectory = examined["trajectory"]
        for finding in audit_duplicate("duplicate-task", examined["key"], task.id, self._keys):
            scope.discard(finding.gate, task, message=finding.message, **finding.evidence)
            return None
        self._keys[examined["key"]] = task.id
        self._seen.update(examined["witnessed"])
        self._relaxed.update(examined["relaxed"])
        self._asked.update(examined["asked"])
        task = replace(task, meta={**task.meta, **origin})
        self.tasks.append(task)
        self.trajectories.append(trajectory)
        return task

    def audit(self, *, least: int) -> list[Finding]:
        """The gates of an environment with its tasks; ``least`` is the number of tasks that it must have."""
        domain = read_domain(self.spec.data["domain"])
        return audit_environment(domain, self._seen, self._relaxed, len(self.tasks), min_tasks=least)

    def records(self) -> list[Record]:
        """The environment, then every task with its trajectory after it."""
        found: list[Record] = [self.spec]
        for task, trajectory in zip(self.tasks, self.trajectories, strict=True):
            found += (task, trajectory)
        return found
