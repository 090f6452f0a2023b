"""Planning tasks in synthesised worlds: the world plays the user.

The first prompt describes the world, the goal and what is seen; every reply of the model is one action, and every
message to it what came of that. ``solved`` is the reward.
"""

from collections.abc import Iterator
from pathlib import Path

import verifiers.v1 as vf
from cultivar.environments.pddl.taskset import TaskSet

WORLDS = TaskSet(Path(__file__).parent / "data")


class WorldsData(vf.TaskData):
    """``id`` is that of a line in data/tasks.jsonl."""


class WorldsTask(vf.Task[WorldsData]):
    @property
    def key(self) -> str:
        return self.data.id

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the known solution solves the task."""
        environment, _ = WORLDS.begin(self.data.id)
        actions = environment.gold(WORLDS.tasks[self.data.id])
        if actions is None:
            return None
        return [environment.act(action).reward for action in actions][-1:] == [1.0]

    @vf.reward
    async def solved(self, trace: vf.Trace) -> float:
        return float(trace.info.get("solved", 0.0))


class WorldsEnvConfig(vf.EnvConfig):
    player: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime=vf.SubprocessConfig())
    """A model that speaks, and runs nothing: no sandbox is needed."""


class WorldsEnv(vf.Env[WorldsEnvConfig]):
    async def run(self, task: WorldsTask, agents: vf.Agents) -> None:
        environment, _ = WORLDS.begin(task.data.id)
        async with agents.player.interaction(task) as interaction:
            told = {"solved": 0.0, "progress": 0.0, "steps": 0.0, "invalid": 0.0}
            segment = await interaction.turn()
            while not segment.terminated:
                step = environment.act(segment.last_reply)
                told["solved"], told["progress"] = step.reward, step.progress
                told["steps"] += 1
                told["invalid"] += not step.valid
                interaction.trace.info.update(told, last=step.observation)
                if step.done:
                    break
                segment = await interaction.turn(f"Observation: {step.observation}")
            for name in ("progress", "steps", "invalid"):
                interaction.trace.record_metric(name, told[name])


class WorldsTaskset(vf.Taskset[WorldsTask, vf.TasksetConfig]):
    def load(self) -> Iterator[WorldsTask]:
        for task_id in WORLDS.ids:
            environment, first = WORLDS.begin(task_id)
            data = WorldsData(id=task_id, prompt=first.text, system_prompt=environment.instruction())
            yield WorldsTask(data, self.config.task)
