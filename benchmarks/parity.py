"""The same action sequences in PddlEnvironment and in what is exported of it: observations, rewards and ends.

    python -m benchmarks.parity [--sequences 1000] [--environments 50] [--run RUN] [--python PYTHON ...]

A run of ``cultivar run agentgen`` (made on the spot, or given) is exported for verifiers, OpenEnv, Gymnasium and TRL.
Sequences are, in turn, gold (the known solution), random (actions that can be done, drawn; a third of them up to the
limit of steps) and mutated (a solution with a step dropped, swapped or replaced, and one reply in four turned into what
models say: other words, nothing, thoughts before the action, other scripts, the commands). The reference plays the
records of the run; the exports are played through their own libraries:

    gymnasium   gymnasium.make, with its checking wrappers
    openenv     the exported client, over a WebSocket, against the exported server
    trl         reset, tool and get_reward, called as GRPOTrainer calls them, on one instance again and again
    verifiers   Env.run and Task.score, with a player that says the actions in place of a model

A library that the interpreter lacks is left out; verifiers and openenv want different versions of mcp, so that one
environment cannot have both: ``--python`` names further interpreters to play in. Bar: 0 differences.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from cultivar.core.records import EnvironmentSpec, Task
from cultivar.core.rundir import RunDirectory
from cultivar.environments.pddl.auditing.mutate import mutations
from cultivar.environments.pddl.environment import PddlEnvironment, World, read_domain, read_task, stored_plan
from cultivar.environments.pddl.narration.language import Language
from cultivar.export.environments.package import LIBRARIES, export_environments, package_name

ROOT = Path(__file__).resolve().parents[1]
NEEDS = {"verifiers": "verifiers", "openenv": "openenv", "gymnasium": "gymnasium", "trl": "cultivar"}
"""What the exported package imports; TRL imports it, and not the other way round."""
MESSY = (
    "",
    "look",
    "check valid actions",
    "Action: ",
    "I think I should look around first.",
    "Prends la clé 钥匙 и открой дверь! 🔑",
    "fly to the moon",
    "Action: look\nAction: check valid actions",
    '{"action": "look"}',
    "x" * 5_000,
)

Seen: TypeAlias = tuple[str, float, bool]
"""An observation, the reward and whether the episode is over."""
Play: TypeAlias = Callable[[str, Sequence[str]], list[Seen]]
"""What is seen of a task (by its id) at first and after each action, up to the end of the episode."""


@dataclass(frozen=True)
class Script:
    kind: str
    task: str
    actions: tuple[str, ...]


class Reference:
    """The environments of the run itself."""

    def __init__(self, run: RunDirectory, max_steps: int) -> None:
        records = list(run.records())
        self.specs = {r.id: r for r in records if isinstance(r, EnvironmentSpec)}
        self.tasks = {r.id: r for r in records if isinstance(r, Task)}
        self.observations = run.settings.config.get("observations", "full")
        self.max_steps = max_steps

    def world(self, task_id: str) -> World:
        task = self.tasks[task_id]
        spec = self.specs[task.environment]
        return World.of(task.id, read_task(read_domain(spec), task), Language.from_json(spec.data["language"]))

    def begin(self, task_id: str) -> tuple[PddlEnvironment, str]:
        spec = self.specs[self.tasks[task_id].environment]
        environment = PddlEnvironment(spec, observations=self.observations, max_steps=self.max_steps)
        return environment, environment.begin(self.tasks[task_id]).text

    def play(self, task_id: str, actions: Sequence[str]) -> list[Seen]:
        environment, first = self.begin(task_id)
        seen: list[Seen] = [(first, 0.0, False)]
        for action in actions:
            step = environment.act(action)
            seen.append((step.observation, step.reward, step.done))
            if step.done:
                break
        return seen


def sequences(reference: Reference, count: int) -> Iterator[Script]:
    """``count`` sequences, spread evenly over the environments and, in each, over its tasks."""
    by_environment: dict[str, list[str]] = {}
    for task in reference.tasks.values():
        by_environment.setdefault(task.environment, []).append(task.id)
    kinds = ("gold", "random", "mutated")
    for number in range(count):
        turn, place = divmod(number, len(by_environment))
        ids = list(by_environment.values())[place]
        task_id, kind = ids[turn // len(kinds) % len(ids)], kinds[turn % len(kinds)]
        rng = random.Random(f"parity {number}")
        make = {"gold": _gold, "random": _random, "mutated": _mutated}[kind]
        yield Script(kind, task_id, tuple(make(reference, task_id, rng)))


def _gold(reference: Reference, task_id: str, rng: random.Random) -> list[str]:
    environment, _ = reference.begin(task_id)
    return environment.gold(reference.tasks[task_id]) or []


def _random(reference: Reference, task_id: str, rng: random.Random) -> list[str]:
    environment, _ = reference.begin(task_id)
    actions: list[str] = []
    for _ in range(reference.max_steps + 1 if rng.random() < 1 / 3 else rng.randint(3, 25)):
        hints = environment.hints()
        actions.append(rng.choice(hints) if hints else "look")
        environment.act(actions[-1])
    return actions


def _mutated(reference: Reference, task_id: str, rng: random.Random) -> list[str]:
    world = reference.world(task_id)
    plan = stored_plan(reference.tasks[task_id]) or []
    _, mutated = next(iter(islice(mutations(world.simulator, plan, rng), rng.randint(0, 3), None)), ("", plan))
    said = [world.narrator.action(name, args) for name, args in mutated]
    return [_as_models_say(text, rng) if rng.random() < 0.25 else text for text in said]


def _as_models_say(text: str, rng: random.Random) -> str:
    changed = (
        f"Thought: this is the next step.\nAction: {text}",
        text.upper(),
        text.replace(" ", "  ").rstrip("."),
        text.replace("1", "9"),
        text[: len(text) // 2],
        rng.choice(MESSY),
        rng.choice(MESSY),
    )
    return rng.choice(changed).strip()  # verifiers strips what a model says, before anybody reads it


# The libraries.


@contextmanager
def imported(folder: Path) -> Iterator[Any]:
    """The exported package, imported from its folder, and forgotten afterwards."""
    name = package_name(folder)
    path = str(folder if (folder / name).is_dir() else folder.parent)
    sys.path.insert(0, path)
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(path)
        for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            del sys.modules[module]


@contextmanager
def in_gymnasium(folder: Path) -> Iterator[Play]:
    gymnasium = importlib.import_module("gymnasium")
    name = f"{package_name(folder)}/Worlds-v0"
    with imported(folder):
        environment = gymnasium.make(name)
    del gymnasium.registry[name]

    def play(task_id: str, actions: Sequence[str]) -> list[Seen]:
        first, info = environment.reset(options={"task": task_id})
        assert info["task"] == task_id
        seen: list[Seen] = [(first, 0.0, False)]
        for action in actions:
            observation, reward, terminated, truncated, _ = environment.step(action)
            assert terminated == (reward == 1.0) and not (terminated and truncated)
            seen.append((observation, float(reward), terminated or truncated))
            if terminated or truncated:
                break
        return seen

    yield play
    environment.close()


@contextmanager
def in_trl(folder: Path) -> Iterator[Play]:
    with imported(folder) as package:
        rows = {row["task"]: row for row in package.rows()}
        environment = package.Worlds()

    def play(task_id: str, actions: Sequence[str]) -> list[Seen]:
        row = rows[task_id]
        seen: list[Seen] = [(row["prompt"][-1]["content"] + environment.reset(**row), 0.0, False)]
        for action in actions:
            seen.append((environment.act(action=action), environment.get_reward(), environment.done))
            if environment.done:
                break
        return seen

    yield play


@contextmanager
def in_verifiers(folder: Path) -> Iterator[Play]:
    vf = importlib.import_module("verifiers.v1")
    with imported(folder) as package:
        config = vf.resolve_env_config({"taskset": {"id": package.__name__}})
        environment: Any = vf.load_environment(config)
    tasks = {task.data.id: task for task in environment.taskset}

    def play(task_id: str, actions: Sequence[str]) -> list[Seen]:
        task = tasks[task_id]
        agent = vf.AgentInfo(config=environment.config.player, name="player")
        trace = vf.Trace(task=vf.TraceTask(type="WorldsTask", data=task.data), agent=agent)
        player = Player(trace, actions)
        asyncio.run(_run_and_score(environment, task, player))
        if player.over:
            player.see(player.trace.info["last"], done=True)
        assert player.trace.rewards["solved"].score == player.seen[-1][1]
        return [(task.data.prompt, 0.0, False), *player.seen]

    yield play


async def _run_and_score(environment: Any, task: Any, player: Player) -> None:
    await environment.run(task, Agents(player))
    await task.score(player.trace)


class Agents:
    def __init__(self, player: Player) -> None:
        self.player = player


class Player:
    """Says the actions, and hears what is answered; without more to say it ends the conversation, as a limit would."""

    def __init__(self, trace: Any, actions: Sequence[str]) -> None:
        self.trace, self.waiting, self.seen, self.over = trace, list(actions), list[Seen](), False

    @asynccontextmanager
    async def interaction(self, task: Any) -> Any:
        yield self

    async def turn(self, message: str | None = None) -> Any:
        if message is not None:
            self.see(message.removeprefix("Observation: "), done=False)
        if not self.waiting:
            return Segment("", terminated=True)
        self.over = True  # unless another turn comes, this reply was the last
        return Segment(self.waiting.pop(0))

    def see(self, observation: str, *, done: bool) -> None:
        self.over = False
        self.seen.append((observation, self.trace.info["solved"], done))


@dataclass(frozen=True)
class Segment:
    last_reply: str
    terminated: bool = False


@contextmanager
def served(folder: Path) -> Iterator[tuple[Any, str]]:
    """The exported package, and the address of its server."""
    uvicorn = importlib.import_module("uvicorn")
    with imported(folder) as package:
        app = importlib.import_module(f"{package.__name__}.server.app").app
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield package, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@contextmanager
def in_openenv(folder: Path) -> Iterator[Play]:
    with served(folder) as (package, url), package.WorldsClient(base_url=url).sync() as client:

        def play(task_id: str, actions: Sequence[str]) -> list[Seen]:
            first = client.reset(task=task_id)
            assert first.metadata["task"] == task_id
            seen: list[Seen] = [(first.observation.text, float(first.reward), first.done)]
            for action in actions:
                step = client.step(package.WorldsAction(text=action))
                seen.append((step.observation.text, float(step.reward), step.done))
                if step.done:
                    break
            return seen

        yield play


PLAYERS: dict[str, Callable[[Path], AbstractContextManager[Play]]] = {
    "gymnasium": in_gymnasium,
    "openenv": in_openenv,
    "trl": in_trl,
    "verifiers": in_verifiers,
}


def compare(run: RunDirectory, folder: Path, libraries: Sequence[str], count: int) -> dict[str, dict[str, Any]]:
    """For each library the sequences and steps played, and the differences, by kind of sequence."""
    found: dict[str, dict[str, Any]] = {}
    reference, expected = None, list[tuple[Script, list[Seen]]]()
    for library in libraries:
        package = export_environments(run, library, folder / f"parity_{library}")
        if reference is None:
            reference = Reference(run, _limit(package.folder))
            expected = [(s, reference.play(s.task, s.actions)) for s in sequences(reference, count)]
        differences: Counter[str] = Counter()
        first = None
        with PLAYERS[library](package.folder) as play:
            for sequence, wanted in expected:
                got = play(sequence.task, sequence.actions)
                if got != wanted:
                    differences[sequence.kind] += 1
                    first = first or {"task": sequence.task, "actions": sequence.actions, "got": got, "wanted": wanted}
        ends = Counter("solved" if w[-1][1] else "limit" if w[-1][2] else "open" for _, w in expected)
        found[library] = {
            "sequences": dict(Counter(s.kind for s, _ in expected)),
            "environments": len({reference.tasks[s.task].environment for s, _ in expected}),
            "steps": sum(len(wanted) - 1 for _, wanted in expected),
            "ends": dict(ends),
            "differences": dict(differences),
            "first": first,
        }
    return found


def _limit(folder: Path) -> int:
    """The limit of steps, which is the export's to choose."""
    limit: int = json.loads(next(folder.rglob("settings.json")).read_bytes())["max_steps"]
    return limit


def installed() -> list[str]:
    return [library for library in LIBRARIES if importlib.util.find_spec(NEEDS[library])]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sequences", type=int, default=1000)
    arguments.add_argument("--environments", type=int, default=50, help="of a run made on the spot, with 4 tasks each")
    arguments.add_argument("--run", type=Path)
    arguments.add_argument("--python", action="append", default=[], help="play in this interpreter, too")
    arguments.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.run or _made(Path(folder) / "run", options.environments)
        results = compare(RunDirectory(path).require(), Path(folder), installed(), options.sequences)
        for python in options.python:
            words = [python, "-m", "benchmarks.parity", "--run", path, "--sequences", str(options.sequences), "--json"]
            environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
            done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1) or not done.stdout:
                sys.exit(f"{python}: {done.stderr}")
            results = {**json.loads(done.stdout.splitlines()[-1]), **results}
    if options.json:
        print(json.dumps(results))
    else:
        _tell(results)
    return 1 if any(result["differences"] for result in results.values()) else 0


def _made(path: Path, environments: int) -> Path:
    words = ["run", "agentgen", "--environments", str(environments), "--tasks", "4", "--out", str(path)]
    subprocess.run([sys.executable, "-m", "cultivar.cli", *words], check=True, stdout=subprocess.DEVNULL)
    return path


def _tell(results: dict[str, dict[str, Any]]) -> None:
    for library in LIBRARIES:
        if library not in results:
            print(f"{library:10} not installed; not played")
            continue
        result = results[library]
        kinds = ", ".join(f"{count} {kind}" for kind, count in result["sequences"].items())
        ends = ", ".join(f"{count} {end}" for end, count in sorted(result["ends"].items()))
        wrong = sum(result["differences"].values())
        print(f"{library:10} {wrong} differences in {sum(result['sequences'].values())} sequences ({kinds}; {ends}),")
        print(f"{'':10} {result['steps']:,} steps, {result['environments']} environments")
        if result["first"]:
            print(json.dumps(result["first"], indent=1, ensure_ascii=False)[:4000])


if __name__ == "__main__":
    sys.exit(main())
