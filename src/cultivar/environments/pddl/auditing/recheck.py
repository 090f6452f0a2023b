"""A finished run proved again, from its records alone: nothing that the run itself said of them is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cultivar.core.errors import CultivarError
from cultivar.core.records import JSON, EnvironmentSpec, Record, Task, Trajectory
from cultivar.environments.pddl.auditing.audit import audit_domain
from cultivar.environments.pddl.auditing.canonical import domain_key, problem_key
from cultivar.environments.pddl.environment import PddlEnvironment, World, read_domain, read_task, stored_plan
from cultivar.environments.pddl.grounding.ground import GroundingLimit
from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.simulation.reference import Reference


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that does not hold: which, by which gate, and why."""

    record: str
    gate: str
    message: str


@dataclass
class Recheck:
    """``checked`` counts what was looked at, by what was asked of it."""

    checked: Counter[str] = field(default_factory=Counter)
    findings: list[Fault] = field(default_factory=list)

    def fault(self, record: Record, gate: str, message: str) -> None:
        self.findings.append(Fault(record.id, gate, message))

    def to_json(self) -> dict[str, JSON]:
        return {
            "good": not self.findings,
            "checked": dict(self.checked),
            "findings": [{"record": f.record, "gate": f.gate, "message": f.message} for f in self.findings],
        }


@dataclass
class _Environment:
    spec: EnvironmentSpec
    domain: Domain
    keys: dict[str, str] = field(default_factory=dict)


def recheck(records: Iterable[Record]) -> Recheck:
    """Reads the records in order and checks each against those before it.

    Environments: the domain reads, passes the gates of a domain, is no other one renamed, its language is usable.
    Tasks: the goal is false at the start, the plan replays by an execution that shares no code with grounder and
    simulator, no other task is the same. Trajectories: every action, read back from the words of its turn, gives
    exactly the observations, progress and rewards that are written.
    """
    result = Recheck()
    environments: dict[str, _Environment] = {}
    keys: dict[str, str] = {}
    tasks: dict[str, tuple[Task, World, _Environment]] = {}
    for record in records:
        try:
            match record:
                case EnvironmentSpec():
                    environments[record.id] = _environment(record, keys, result)
                case Task():
                    tasks = {record.id: _task(record, environments, result)}
                case Trajectory():
                    _trajectory(record, tasks, result)
                case _:
                    pass
        except (CultivarError, GroundingLimit, KeyError, TypeError, ValueError) as error:
            what = f"{error} is not in the records before it" if isinstance(error, KeyError) else str(error)
            result.fault(record, "unreadable", what)
    return result


def _environment(spec: EnvironmentSpec, keys: dict[str, str], result: Recheck) -> _Environment:
    result.checked["environments"] += 1
    domain = read_domain(spec)
    for finding in audit_domain(domain):
        if finding.drops:
            result.fault(spec, finding.gate, finding.message)
    for wrong in check_language(domain, Language.from_json(spec.data["language"])):
        if wrong.severity == "error":
            result.fault(spec, "language", wrong.message)
    same = keys.setdefault(domain_key(domain), spec.id)
    if same != spec.id:
        result.fault(spec, "duplicate-environment", f"It is {same} under other names.")
    return _Environment(spec, domain)


def _task(task: Task, environments: dict[str, _Environment], result: Recheck) -> tuple[Task, World, _Environment]:
    result.checked["tasks"] += 1
    environment = environments[task.environment]
    grounded = read_task(environment.domain, task)
    world = World.of(task.id, grounded, Language.from_json(environment.spec.data["language"]))
    plan = stored_plan(task) or []
    reference = Reference(environment.domain, grounded.problem)
    if reference.reaches_goal([]):
        result.fault(task, "goal-true", "The goal holds at the start.")
    if not reference.reaches_goal(plan):
        result.fault(task, "plan-invalid", "The plan does not reach the goal.")
    if clash := world.narrator.clash():
        result.fault(task, "language-clash", clash)
    same = environment.keys.setdefault(problem_key(environment.domain, grounded.problem), task.id)
    if same != task.id:
        result.fault(task, "duplicate-task", f"It is {same} under other names.")
    return task, world, environment


def _trajectory(trajectory: Trajectory, tasks: dict[str, tuple[Task, World, _Environment]], result: Recheck) -> None:
    result.checked["trajectories"] += 1
    task, world, environment = tasks[trajectory.task]
    if fault := _replay(trajectory, task, world, environment):
        result.fault(trajectory, "text-replay", fault)


def _replay(trajectory: Trajectory, task: Task, world: World, environment: _Environment) -> str | None:
    shown = trajectory.meta.get("observations", "full")
    acting = PddlEnvironment(environment.spec, observations=shown, max_steps=None, world=world)
    said, reward = acting.begin(task).text, 0.0
    for number, turn in enumerate(trajectory.turns):
        if turn.role == "user" and turn.content != said:
            return f"Turn {number} shows {turn.content[-120:]!r}, the environment {said[-120:]!r}."
        if turn.role == "assistant":
            step = acting.act(turn.content)
            said, reward = f"Observation: {step.observation}", step.reward
            if (turn.reward, turn.progress) != (step.reward, step.progress):
                return f"Turn {number} claims reward {turn.reward} and progress {turn.progress}."
    if trajectory.success != (reward == 1.0) or trajectory.reward != reward:
        return f"It claims success {trajectory.success} with reward {trajectory.reward}, and earns {reward}."
    return None
