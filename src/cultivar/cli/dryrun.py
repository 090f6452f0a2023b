"""run --dry-run: what a recipe would ask first, without a model and without a run directory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from cultivar.cli.calls import text_of
from cultivar.cli.printing import print_json
from cultivar.core.errors import EndpointError, InputError, UsageError
from cultivar.core.journal import Journal
from cultivar.core.protocols import Choice, Model, Reply, Request
from cultivar.core.records import JSON, Record
from cultivar.core.registry import Recipe
from cultivar.core.text import clean
from cultivar.core.vectors import packed
from cultivar.engines.local import LocalEngine

ITEMS = 50
"""Items that are looked at: as many as a set-level step may want before the first question."""
SHOWN = 5
"""Prompts that are shown."""


class Asked:
    """Plays a role: notes what it is asked, and has no answer. Embeddings are made up, so that what follows is seen."""

    def __init__(self, role: str, told: list[tuple[str, Request]], embedded: list[tuple[str, Request]]) -> None:
        self.name = f"dry-run:{role}"
        self.role, self.told, self.embedded = role, told, embedded

    async def complete(self, request: Request) -> Reply:
        if request.input is not None:
            self.embedded.append((self.role, request))
            return Reply((Choice(packed(_vector(request.input))),))
        self.told.append((self.role, request))
        raise EndpointError("a dry run has no answers")

    async def close(self) -> None:
        return None


def _vector(text: str) -> list[float]:
    return [1.0 + text.count(letter) for letter in "etaoinsh"]


class DryEngine(LocalEngine):
    """Trains nothing: a dry run ends where a model would be trained."""

    async def once(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        if function.__module__.startswith("cultivar.train."):
            raise UsageError("a dry run trains nothing, and what comes first asks no model anything")
        return await super().once(name, function, *args)


async def dry_run(recipe: Recipe, items: Iterable[Record], config: Any, seed: int, *, as_json: bool) -> int:
    """Prints the first prompts of the first items; raises InputError if the recipe asks nothing."""
    told: list[tuple[str, Request]] = []
    embedded: list[tuple[str, Request]] = []
    roles = [role.replace("*", name) for role in recipe.roles for name in ("a", "b") if "*" in role or name == "a"]
    models: dict[str, Model] = {role: Asked(role, told, embedded) for role in roles}
    failed: Exception | None = None
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        engine = DryEngine(journal, models, seed=seed, concurrency=1, open_model=lambda spec, role: models[role])
        try:
            await recipe.run(engine, list(islice(items, ITEMS)), config)
        except (UsageError, InputError) as error:
            failed = error  # of a set-level step that has nothing to work on; the prompts are there all the same
        finally:
            await engine.close()
    told = told or embedded
    if not told:
        raise failed or InputError(f"{recipe.name} asks no model anything with these settings")
    shown = told[:SHOWN]
    if as_json:
        print_json([{"role": role, **request.to_json()} for role, request in shown])
        return 0
    for number, (role, request) in enumerate(shown, 1):
        print(_readable(number, role, request))
    print(f"{len(shown)} prompts of the first {min(ITEMS, len(told))} items; what comes after depends on the replies")
    return 0


def _readable(number: int, role: str, request: Request) -> str:
    asked: dict[str, JSON] = {**request.sampling, **({"n": request.n} if request.n > 1 else {})}
    settings = "".join(f" · {name} {value}" for name, value in asked.items() if value is not None)
    said = [] if request.input is None else [f"[embedded]\n{clean(request.input)}"]
    said += [f"[{message['role']}]\n{text_of(message)}" for message in request.messages]
    tools = [f"[tools]\n{clean(str(list(request.tools)))}"] if request.tools else []
    return "\n\n".join([f"=== {number} · {role}{settings}", *said, *tools]) + "\n"
