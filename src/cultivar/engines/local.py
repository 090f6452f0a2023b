"""The engine of one machine: a bounded pool of items on one event loop.

``map`` takes items lazily, keeps at most ``concurrency`` in flight and gives results in the order of the items. An
outcome is accepted, dropped (with a reason) or failed (infrastructure, model, verifier); a bug stops the run with its
item named. After ``stop()`` nothing new is admitted, what is in flight ends, and the recipe goes on with what it has.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, Protocol, TypeVar

from cultivar.core.errors import (
    CultivarError,
    Dropped,
    EndpointError,
    InputError,
    ItemFailed,
    RecipeBug,
    Unparsable,
    UsageError,
)
from cultivar.core.journal import Journal
from cultivar.core.protocols import Model, Reply
from cultivar.core.records import JSON, Record, content_hash
from cultivar.core.scope import Backing, Scope, Silent, plain
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
        row = {"stage": "set", "item": getattr(subject, "id", ""), "path": "", "reason": reason}
        self.dropped.append({**row, "evidence": plain(evidence), "subject": _shown(subject)})
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
        source = self._numbered(items)
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
        scope = Scope(self._backing, item_id, stage)
        status, reason = "accepted", ""
        evidence: JSON = {}
        kinds: Mapping[str, int] = {}
        try:
            result = await function(item, scope, *args)
            results[number] = result
            kinds = Counter(_kinds(result))
        except Dropped as drop:
            status, reason, evidence = "dropped", drop.reason, plain(drop.evidence)
        except ItemFailed as failure:
            status, reason, evidence = "failed", failure.kind, {"message": str(failure)}
        except Unparsable as error:
            status, reason, evidence = "failed", "model", {"message": f"no usable reply: {error}"}
        except EndpointError as error:
            status, reason, evidence = "failed", "infrastructure", {"message": str(error)}
        except (UsageError, InputError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise _bug(error, stage, item_id) from error
        rows = [
            {"stage": stage, "item": item_id, "path": d.path, "reason": d.reason, "evidence": plain(d.evidence)}
            | ({"subject": d.subject} if d.subject is not None else {})
            for d in sorted(scope.discards, key=lambda d: d.path)  # branches may end in any order
        ]
        if status != "accepted":
            slug = reason if status == "dropped" else f"failed-{reason}"
            rows.append(
                {"stage": stage, "item": item_id, "path": scope.path, "reason": slug, "evidence": evidence}
                | {"subject": _shown(item)}
            )
        if rows:
            drops[number] = rows
        self._backing.journal.put_outcome(stage, item_id, status, reason, evidence)
        for discard in scope.discards:
            self.progress.discarded(stage, discard.reason)
        self.progress.item_ended(stage, status, reason, kinds)

    def _width(self, items: Iterable[Any]) -> int:
        known = len(items) if isinstance(items, Sized) else self.concurrency
        return max(1, min(self.concurrency, known))

    def _stage_name(self, name: str) -> str:
        self._stages[name] += 1
        return name if self._stages[name] == 1 else f"{name}-{self._stages[name]}"

    def _numbered(self, items: Iterable[Any]) -> Iterator[tuple[int, str, Any]]:
        """(position, id, item); an item that is there twice gets another id the second time."""
        seen: Counter[str] = Counter()
        for number, item in enumerate(items):
            base = item.id if isinstance(item, Record) else content_hash(plain(item))
            seen[base] += 1
            name = base if seen[base] == 1 else f"{base}~{seen[base]}"
            if self.only is None or self.only == name:
                yield number, name, item


def _bug(error: Exception, stage: str, item: str) -> CultivarError:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    line = f" at {where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where is not None else ""
    return RecipeBug(
        f"{type(error).__name__} in stage {stage!r} on item {item}{line}: {error}. "
        f"The run stopped; what was answered is kept. Replay just this item with: --only {item}",
        item=item,
        path=stage,
    )


def _shown(subject: Any) -> JSON:
    return {"id": subject.id, **subject.to_json()} if isinstance(subject, Record) else plain(subject)


def _kinds(result: Any) -> Iterator[str]:
    """Kinds of the records in a result: a record, a list of them, or something that has ``records()``."""
    if isinstance(result, Record):
        yield result.kind
    elif callable(records := getattr(result, "records", None)):
        yield from _kinds(records())
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _kinds(part)
