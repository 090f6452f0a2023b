"""1,000 PDDL roll-outs at once against a bare aiohttp loop that holds the same conversations, and the simulator alone.

    python -m benchmarks.rollouts [--rollouts 1000] [--steps 8] [--repeats 3]

The endpoint is that of ``shared/bench`` beside the repository, on a free port of this machine (50 ms latency). Each
side is a process of its own; CPU is that of the process, start-up included, but for the simulator's, which is taken off
ours. The endpoint answers some 190 random words, which stand for a thought. The action is put under them: by the
checksum of the words the next one of a solution, or one time in four any action of the task, which mostly cannot be
done.

    bare        aiohttp and json: every roll-out posts its whole conversation, and appends the reply and an observation
                of the mean length that the simulator's have
    simulator   as many environments made, reset and stepped in turn through such actions, all alive at once, no model
    cultivar    ``rollout`` in an engine with its client, scope and journal

Bar: cultivar <= 2 x bare + simulator.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.endpoint import BENCH, ROOT, endpoint, timed
from cultivar.agents.episode import Episode, Limits, Move, Style
from cultivar.agents.history import FULL
from cultivar.agents.rollout import rollout
from cultivar.agents.styles import React
from cultivar.core.protocols import Choice
from cultivar.core.records import EnvironmentSpec, Task, Trajectory
from cultivar.core.scope import Scope
from cultivar.environments.pddl.environment import PddlEnvironment, World, read_domain, read_task
from cultivar.environments.pddl.library import seeds
from cultivar.environments.pddl.narration.language import Language

REACT = React()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rollouts", type=int, default=1000)
    arguments.add_argument("--steps", type=int, default=8)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--side", choices=["bare", "simulator", "ours"], help=argparse.SUPPRESS)
    arguments.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    arguments.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.side == "simulator":
        print(json.dumps(simulate(options.rollouts, options.steps)))
        return 0
    if options.side == "ours":
        return ours(options.port, options.rollouts, options.steps, options.out)
    if not BENCH.is_dir():
        print(f"the endpoint is in {BENCH}, which is not here: nothing measured")
        return 1
    compare(options.rollouts, options.steps, options.repeats)
    return 0


def compare(rollouts: int, steps: int, repeats: int) -> None:
    shape = ["--rollouts", str(rollouts), "--steps", str(steps)]
    simulated, bare, mine = [], [], []
    with tempfile.TemporaryDirectory() as folder, endpoint(Path(folder), "--latency", "0.05") as port:
        told = Path(folder) / "told.json"
        for k in range(repeats):
            program = [sys.executable, "-m", "benchmarks.rollouts", *shape]
            simulated.append(json.loads(subprocess.check_output([*program, "--side", "simulator"], cwd=ROOT)))
            told.write_text(json.dumps({"port": port, "rollouts": rollouts, "steps": steps, **opening(simulated[-1])}))
            bare.append(timed([sys.executable, "-c", BARE, str(told)], {}))
            out = Path(folder) / f"run-{k}"
            mine.append(timed([*program, "--side", "ours", "--port", str(port), "--out", str(out)], {}))
            made = json.loads((out / "result.json").read_text())
    alone = min(simulated, key=lambda run: float(run["cpu"]))
    loop, own = (min(runs, key=lambda run: float(run["cpu"])) for runs in (bare, mine))
    print(f"{rollouts:,} roll-outs of {steps} steps at once, best of {repeats}; journal on")
    print(f"  {made['rows']:,} trajectories, {made['solved']} solved; invalid steps {made['invalid']:.0%}", end=", ")
    print(f"in the simulator alone {alone['invalid']:.0%}")
    print(f"  simulator alone    CPU {alone['cpu']:.2f} s, {alone['cpu'] / rollouts / steps * 1e6:.0f} us a step")
    print(f"  bare aiohttp loop  CPU {loop['cpu']:.2f} s  wall {loop['wall']:.2f} s")
    print(f"  cultivar           CPU {own['cpu']:.2f} s  wall {own['wall']:.2f} s")
    print(f"  (cultivar - simulator) / bare  {(own['cpu'] - alone['cpu']) / loop['cpu']:.2f} (bar 2.0)", end="  ")
    print(f"cultivar / (bare + simulator)  {own['cpu'] / (loop['cpu'] + alone['cpu']):.2f}")


BARE = """
import aiohttp, asyncio, json, sys

told = json.load(open(sys.argv[1]))
url = f"http://127.0.0.1:{told['port']}/v1/chat/completions"

async def one(session, number):
    messages = [*told["messages"], {"role": "user", "content": f"{told['first']}\\nWorld {number}."}]
    for _ in range(told["steps"]):
        async with session.post(url, json={"model": "fake", "messages": messages}) as answer:
            found = await answer.json()
        text = found["choices"][0]["message"]["content"]
        messages.append({"role": "assistant", "content": text})
        messages.append({"role": "user", "content": told["observation"]})

async def main():
    count = told["rollouts"]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=count)) as session:
        await asyncio.gather(*(one(session, number) for number in range(count)))

asyncio.run(main())
"""


@dataclass(frozen=True)
class Thinker:
    """A model's words, with an action put under them."""

    solution: Sequence[str]
    others: Sequence[str]
    style: Style = REACT
    hints: bool = False
    name: str = "thinker"

    async def moves(self, episode: Episode, scope: Scope, n: int = 1) -> list[Move]:
        messages = await FULL.messages(episode, "agent", scope, {})
        choice = await scope.ask("agent", messages)
        action = self.action(choice.text, episode.steps - episode.invalid)
        return [self.style.read(Choice(f"Thought: {choice.text}\nAction: {action}"), episode.replies)]

    def action(self, words: str, done: int) -> str:
        drawn = zlib.crc32(words.encode())
        if drawn % 4 == 0 or done >= len(self.solution):
            return self.others[drawn // 4 % len(self.others)]
        return self.solution[done]


def material() -> tuple[EnvironmentSpec, Task, Thinker]:
    """A seed environment, its task of middle size, and who acts in it."""
    seed = seeds()[0]
    spec = seed.spec()
    task = Task(environment=spec.id, goal=seed.name, data={"problem": seed.problems[len(seed.problems) // 2]})
    grounded = read_task(read_domain(spec), task)
    world = World.of(task.id, grounded, Language.from_json(spec.data["language"]))
    said = sorted({world.narrator.action(op.name, op.args) for op in grounded.operators})
    return spec, task, Thinker(PddlEnvironment(spec, world=world).gold(task) or [], said)


def opening(simulated: dict[str, Any]) -> dict[str, Any]:
    """What the bare loop begins with and appends."""
    length = simulated["length"]
    spec, task, policy = material()
    environment = PddlEnvironment(spec)
    first = environment.begin(task).text
    messages = [{"role": "system", "content": policy.style.system(environment)}]
    return {
        "messages": messages,
        "first": first,
        "observation": ("Observation: " + "You see a thing. " * length)[:length],
    }


def simulate(rollouts: int, steps: int) -> dict[str, Any]:
    """CPU seconds of the simulator, and the mean length of its observations."""
    spec, task, policy = material()
    began, length = time.process_time(), 0
    environments = [PddlEnvironment(spec) for _ in range(rollouts)]
    for environment in environments:
        environment.begin(task)
    done = [0] * rollouts
    for step in range(steps):
        for number, environment in enumerate(environments):
            answer = environment.act(policy.action(f"{number}/{step}", done[number]))
            done[number] += answer.valid
            length += len(answer.observation)
    environments.clear()  # to end them is part of it
    invalid = 1 - sum(done) / (rollouts * steps)
    return {"cpu": time.process_time() - began, "length": length // (rollouts * steps), "invalid": invalid}


def ours(port: int, rollouts: int, steps: int, out: Path) -> int:
    """The roll-outs, in a process of its own."""
    from cultivar.core.journal import Journal
    from cultivar.engines.local import LocalEngine
    from cultivar.llm.client import ChatModel

    spec, task, policy = material()
    limits = Limits(steps=steps)

    async def attempt(number: int, scope: Scope) -> Trajectory:
        own = replace(spec, description=f"{spec.description}\nWorld {number}.")  # or all would hear the same replies
        return await rollout(PddlEnvironment(own), task, policy, scope, limits)

    async def go() -> list[Trajectory]:
        with Journal(out / "journal.sqlite") as journal:
            model = ChatModel("fake", f"http://127.0.0.1:{port}/v1", concurrency=rollouts)
            engine = LocalEngine(journal, {"*": model}, concurrency=rollouts)
            try:
                return list(await engine.map(attempt, range(rollouts)))
            finally:
                await engine.close()

    out.mkdir(parents=True)
    made = asyncio.run(go())
    taken = sum(found.meta["steps"] for found in made)
    result = {
        "rows": len(made),
        "invalid": sum(found.meta["invalid"] for found in made) / max(1, taken),
        "solved": sum(found.success for found in made),
    }
    (out / "result.json").write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
