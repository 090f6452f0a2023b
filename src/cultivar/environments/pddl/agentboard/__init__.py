"""The planning suite of AgentBoard (Ma et al., arXiv 2401.13178), with domains, words and problems of our own.

Four games at AgentBoard's sizes: 20 problems of gripper, 10 of blocksworld, 20 of barman and 10 of tyreworld, each
solved in at most 30 steps. Each folder holds ``domain.pddl``, ``language.json``, ``description.md`` and ``problems/``:
PDDL files with the plan that is known of each beside it. ``generate`` wrote the problems. What is synthesised must not
resemble these domains, by test; see docs/evaluate.md for what makes the suite differ from the original.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson

from cultivar.core.records import EnvironmentSpec, Task
from cultivar.environments.pddl.assess import read_domain
from cultivar.environments.pddl.environment import read_task
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.narration.narrate import Mode, Narrator
from cultivar.environments.pddl.simulation.simulate import Simulator

HERE = Path(__file__).parent
GAMES: dict[str, Mode] = {"gripper": "full", "blocksworld": "full", "barman": "delta", "tyreworld": "delta"}
"""What is told after each action: the whole state, or what has changed (as AgentBoard does in the last two)."""
MAX_STEPS = 30
"""Steps of an episode, AgentBoard's."""
HARD = 6
"""Goal conditions from which a task counts as hard, AgentBoard's cut-off for its planning tasks."""


@cache
def environments() -> dict[str, EnvironmentSpec]:
    """Game -> the environment of all its tasks."""
    found = {}
    for game in GAMES:
        folder = HERE / game
        data = {
            "domain": (folder / "domain.pddl").read_text("utf-8"),
            "language": Language.from_json(orjson.loads((folder / "language.json").read_bytes())).to_json(),
        }
        about = (folder / "description.md").read_text("utf-8").strip()
        found[game] = EnvironmentSpec(family="pddl", name=game, description=about, data=data)
    return found


@cache
def tasks() -> tuple[Task, ...]:
    """All sixty, game by game, the smaller first. ``meta`` has ``group``, the game, and ``conditions`` of the goal."""
    return tuple(_task(game, path) for game in GAMES for path in sorted((HERE / game / "problems").glob("*.pddl")))


def _task(game: str, path: Path) -> Task:
    spec = environments()[game]
    data = {"problem": path.read_text("utf-8"), "plan": path.with_suffix(".plan").read_text("utf-8").splitlines()}
    ground = read_task(read_domain(spec.data["domain"]), Task(environment=spec.id, goal="", data=data))
    goal = Narrator(ground, Language.from_json(spec.data["language"])).goal()
    meta = {"group": game, "conditions": len(Simulator(ground).goals())}
    return Task(environment=spec.id, goal=goal, data=data, parents=(spec.id,), meta=meta)
