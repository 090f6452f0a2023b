"""Gold trajectories: a plan put into words, and replayed through those words alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from cultivar.core.errors import InputError, Unparsable
from cultivar.core.records import EnvironmentSpec, Task, Trajectory, Turn
from cultivar.core.replies import json_value
from cultivar.environments.pddl.environment import PddlEnvironment, World, read_domain, read_task
from cultivar.environments.pddl.narration.causal import explain_plan
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.narration.narrate import Mode
from cultivar.environments.pddl.narration.read_action import ACTION_MARK, Call
from cultivar.environments.pddl.narration.thoughts import StepFacts, step_facts, template_thoughts

Thoughts = Literal["template", "none"]


def demonstrate(
    spec: EnvironmentSpec,
    task: Task,
    plan: Sequence[Call],
    *,
    thoughts: Thoughts = "none",
    rng: random.Random | None = None,
    observations: Mode = "full",
    world: World | None = None,
    agent: str = "planner",
    commands: bool = True,
) -> Trajectory:
    """The conversation in which ``plan`` solves ``task``.

    Every step is rendered, and the words of the assistant's turn are all that a fresh environment is given: they are
    read back, executed and answered. ``success`` only if each step was valid and reward 1 was reached; the conversation
    ends with the action that reached it, or with the first one that was not executed.

    Turns: system (how to reply), user (description, actions,
    goal, first observation), then assistant and user in turn; only assistant turns are trained on. ``reward`` and
    ``progress`` of a user turn are those when it is read, of an assistant turn those after its action.

    ``thoughts="template"`` needs ``rng``, and a plan that is valid (InputError). ``world`` spares the parsing and
    grounding of the task.
    """
    world = world or _world(spec, task)
    said = None
    if thoughts == "template":
        if rng is None:
            raise InputError("thoughts='template' needs rng, a random.Random, for the choice of words")
        said = template_thoughts(world.narrator.inner_voice, explain_plan(world.simulator, plan), rng)
    environment = PddlEnvironment(
        spec, observations=observations, max_steps=len(plan) + 1, world=world, commands=commands
    )
    first = environment.begin(task)
    turns = [
        Turn("system", environment.instruction()),
        Turn("user", first.text, reward=0.0, progress=first.progress),
    ]
    success = False
    for i, (name, args) in enumerate(plan):
        action = world.narrator.action(name, args)
        thought = said[i] if said is not None else None
        step = environment.act(_reply(action, thought))
        turns.append(_acted(action, thought, step.reward, step.progress))
        success = step.valid and step.reward == 1.0
        if not step.valid or step.done:
            break
        turns.append(Turn("user", f"Observation: {step.observation}", reward=step.reward, progress=step.progress))
    reward = turns[-1].reward or 0.0
    return Trajectory(task=task.id, turns=tuple(turns), success=success, reward=reward, agent=agent, parents=(task.id,))


def _reply(action: str, thought: str | None) -> str:
    return f"Action: {action}" if thought is None else f"Thought: {thought}\nAction: {action}"


def _acted(action: str, thought: str | None, reward: float | None, progress: float | None) -> Turn:
    return Turn("assistant", _reply(action, thought), thought, action, reward, progress, train=True)


def with_thoughts(trajectory: Trajectory, thoughts: Sequence[str]) -> Trajectory:
    """The same trajectory with the given thoughts, one for each assistant turn, each put on one line.

    Raises ValueError if their number is another, or if one of them holds an action ("Action: ...") itself.
    """
    acting = [i for i, turn in enumerate(trajectory.turns) if turn.role == "assistant"]
    if len(acting) != len(thoughts):
        raise ValueError(f"{len(thoughts)} thoughts for {len(acting)} actions")
    turns = list(trajectory.turns)
    for i, thought in zip(acting, thoughts):
        if ACTION_MARK.search(thought):
            raise ValueError(f"the thought {thought[:80]!r} holds an action itself")
        turn = turns[i]
        turns[i] = _acted(turn.action or "", " ".join(thought.split()), turn.reward, turn.progress)
    return replace(trajectory, turns=tuple(turns))


def read_thoughts(reply: str, trajectory: Trajectory) -> Trajectory:
    """The trajectory with the thoughts in a model's reply: a JSON object from the number of an action to its thought.

    Raises Unparsable, naming the actions without a thought, if they do not fit.
    """
    found = json_value(reply)
    if not isinstance(found, dict):
        raise Unparsable('a JSON object {"1": "...", "2": "..."} is wanted', "thoughts-unusable")
    count = sum(turn.role == "assistant" for turn in trajectory.turns)
    wanted = [str(k) for k in range(1, count + 1)]
    missing = [k for k in wanted if not isinstance(found.get(k), str) or not found[k].strip()]
    if missing or len(found) > count:
        surplus = ", ".join(str(k)[:20] for k in found if k not in wanted)
        told = f"the actions {', '.join(missing)} have no thought" if missing else f"there are no actions {surplus}"
        raise Unparsable(f"{told}; one thought for each of the {count} actions is wanted", "thoughts-unusable")
    try:
        return with_thoughts(trajectory, [found[k] for k in wanted])
    except ValueError as error:
        raise Unparsable(str(error), "thoughts-unusable") from None


def thought_material(
    spec: EnvironmentSpec, task: Task, plan: Sequence[Call], *, world: World | None = None
) -> list[StepFacts]:
    """The causal facts of every step, for the prompt of a model that is to write thoughts. InputError: not a plan."""
    world = world or _world(spec, task)
    return step_facts(world.narrator, explain_plan(world.simulator, plan))


def _world(spec: EnvironmentSpec, task: Task) -> World:
    return World.of(task.id, read_task(read_domain(spec), task), Language.from_json(spec.data.get("language") or {}))
