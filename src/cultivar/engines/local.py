"""The engine of one machine: a bounded pool of items on one event loop.

``map`` takes items lazily, keeps at most ``concurrency`` in flight and gives results in the order of the items. An
outcome is accepted, dropped (with a reason) or failed (infrastructure, model, verifier); a bug stops the run with its
item named. After ``stop()`` nothing new is admitted, what is in flight ends, and the recipe goes on with what it has.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sized
from typing import Any, Protocol, TypeVar

from cultivar.core.journal import Journal
from cultivar.core.protocols import Model, Reply
from cultivar.core.records import JSON
from cultivar.core.scope import Backing, Scope, Silent
from cultivar.engines.outcomes import numbered, outcome_of, set_level_row
from cultivar.engines.workers import Workers

T = TypeVar("T")


class Progress(Protocol):
    """Who is told how a run goes. ``kinds`` counts the records in an accepted result by kind."""

    def stage_began(self, stage: str, total: int | None) -> None: ...

    def item_ended(self, stage: str, status: str, reason: str, kinds: Mapping[str, int]) -> None: ...

    def discarded(self, stage: str, reason: str) -> None: ...

    def call_began(self, role: str) -> None: ...

    def call_ended(self, role: str, reply: Reply | None) -> None: ...


class NoProgress(Silent):
    def stage_began(self, stage: str, total: int | None) -> None:
        return None

    def item_ended(self, stage: str, status: str, reason: str, kinds: Mapping[str, int]) -> None:
        return None

    def discarded(self, stage: str, reason: str) -> None:
        return None


class LocalEngine:
    """See the module. ``dropped`` collects the rows of dropped.jsonl in the order of stages and items."""

    def __init__(
        self,
        journal: Journal,
        models: Mapping[str, Model] | None = None,
        *,
        seed: int = 0,
        concurrency: int = 64,
        workers: int = 0,
        progress: Progress | None = None,
        only: str | None = None,
    ) -> None:
        self.models = dict(models or {})
        self.concurrency = concurrency
        self.progress = progress or NoProgress()
        self.only = only
        self.dropped: list[dict[str, JSON]] = []
        self._workers = Workers(workers)
        self._backing = Backing(journal, self.models, seed, self._workers.run, self.progress)
        self._stages: Counter[str] = Counter()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        return self._stopping

    def stop(self) -> None:
        """Admit nothing more; what is in flight ends."""
        self._stopping = True

    async def close(self) -> None:
        self._workers.close()
        for model in {id(m): m for m in self.models.values()}.values():
            await model.close()

    async def once(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """A set-level step between maps, done once in the life of the run (see Scope.once)."""
        return await Scope(self._backing, f"({name})").once(name, function, *args)

    def has_model(self, role: str) -> bool:
        return role in self.models or "*" in self.models

    def discard(self, reason: str, subject: Any = None, **evidence: JSON) -> None:
        """Throws away something that a map returned; it is counted and written like a dropped item."""
        self.dropped.append(set_level_row(reason, subject, evidence))
        self.progress.discarded("set", reason)

    async def map(
        self,
        function: Callable[..., Awaitable[T]],
        items: Iterable[Any],
        *args: Any,
        stage: str | None = None,
    ) -> list[T]:
        """``await function(item, scope, *args)`` for every item; the accepted results in the order of the items.

        Items are records, or JSON. ``stage`` names the step in progress, outcomes and drops (the function's name
        otherwise); a name used again gets a number. Raises RecipeBug for an exception that is no outcome.
        """
        name = self._stage_name(stage or str(getattr(function, "__name__", "map")))
        self.progress.stage_began(name, len(items) if isinstance(items, Sized) else None)
        source = numbered(items, self.only)
        results: dict[int, T] = {}
        drops: dict[int, list[dict[str, JSON]]] = {}
        bug: list[BaseException] = []

        async def work() -> None:
            for number, item_id, item in source:
                if self._stopping or bug:
                    return
                try:
                    await self._one(name, function, number, item_id, item, args, results, drops)
                except BaseException as error:
                    bug.append(error)
                    raise

        tasks = [asyncio.create_task(work()) for _ in range(self._width(items))]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        for number in sorted(drops):
            self.dropped.extend(drops[number])
        return [results[number] for number in sorted(results)]

    async def _one(
        self,
        stage: str,
        function: Callable[..., Awaitable[T]],
        number: int,
        item_id: str,
        item: Any,
        args: tuple[Any, ...],
        results: dict[int, T],
        drops: dict[int, list[dict[str, JSON]]],
    ) -> None:
        found = await outcome_of(function, self._backing, stage, item_id, item, args)
        if found.status == "accepted":
            results[number] = found.result
        if found.rows:
            drops[number] = found.rows
        self._backing.journal.put_outcome(stage, item_id, found.status, found.reason, found.evidence)
        for reason in found.discarded:
            self.progress.discarded(stage, reason)
        self.progress.item_ended(stage, found.status, found.reason, found.kinds)

    def _width(self, items: Iterable[Any]) -> int:
        known = len(items) if isinstance(items, Sized) else self.concurrency
        return max(1, min(self.concurrency, known))

    def _stage_name(self, name: str) -> str:
        self._stages[name] += 1
        return name if self._stages[name] == 1 else f"{name}-{self._stages[name]}"
