"""Hand-written planning environments: the examples that the model proposer learns from in its first round.

Each folder holds ``domain.pddl``, ``language.json`` (see ``language.Language``), ``description.md`` (role and setting,
one bullet per action, restrictions) and five problems from a plan of a few steps to one of about twenty. They were
invented for the project: none is a domain of the AgentBoard suite or a re-skin of one, by test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from cultivar.core.records import EnvironmentSpec
from cultivar.environments.pddl.narration.language import Language

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Seed:
    """One environment of the library; ``problems`` are PDDL texts, easiest first."""

    name: str
    description: str
    domain_text: str
    language: Language
    problems: tuple[str, ...]

    def spec(self) -> EnvironmentSpec:
        """The record that ``PddlEnvironment`` is built from."""
        data = {"domain": self.domain_text, "language": self.language.to_json()}
        return EnvironmentSpec(family="pddl", name=self.name, description=self.description, data=data)


@cache
def seeds() -> tuple[Seed, ...]:
    """All of them, by name."""
    return tuple(_read(folder.parent) for folder in sorted(HERE.glob("*/domain.pddl")))


def _read(folder: Path) -> Seed:
    problems = sorted((folder / "problems").glob("*.pddl"), key=lambda path: int(path.stem))
    return Seed(
        name=folder.name,
        description=(folder / "description.md").read_text(encoding="utf-8").strip(),
        domain_text=(folder / "domain.pddl").read_text(encoding="utf-8"),
        language=Language.from_json(orjson.loads((folder / "language.json").read_bytes())),
        problems=tuple(path.read_text(encoding="utf-8") for path in problems),
    )
