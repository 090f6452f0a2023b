"""The engine of a cluster: the same contract as the local one, on Ray Data with async actors.

Items are cut into small blocks, which a fixed pool of actors (``rayworker``) works on; each runs its part of
``concurrency`` items at once on its own event loop and writes its own journal shard (``rayjournal``). Outcomes come
back as data and are put in the order of the items, so that the records are those of a local run. Ray starts a worker
that died again and gives it its blocks once more: what it was answered is in its shard, and only the calls that were in
flight are repeated. The folder of the run must be one that all machines share.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from cultivar.core.budget import Budget, Spent
from cultivar.core.errors import BudgetSpent, InputError, UsageError
from cultivar.core.journal import Journal
from cultivar.core.records import JSON
from cultivar.core.scope import Backing, Scope
from cultivar.engines.local import NoProgress, Progress
from cultivar.engines.outcomes import Outcome, numbered, set_level_row
from cultivar.engines.rayjournal import absorb, recover
from cultivar.engines.rayworker import (
    BEAT,
    END,
    HALT,
    RUN,
    STOP,
    Desk,
    Ending,
    Errand,
    OpenModels,
    RayWorker,
    Told,
    no_models,
)
from cultivar.engines.spool import Spool
from cultivar.engines.want import Target, Want
from cultivar.engines.workers import Workers

T = TypeVar("T")

WINDOW = 50_000
"""Items that are given to the cluster at a time; the source is not read further ahead."""

BLOCKS = 8
"""Blocks that a worker has in hand, together more than it works on: so a slow item holds up few others."""

BLOCK = 16
"""Items in a block at least, where there are enough: Ray Data takes ten milliseconds for each."""

INSTALL = 'pip install "cultivar[ray]"'


class RayEngine:
    """See the module.

    ``open_models`` is called with the number of workers, which share what an endpoint takes, in the driver and in each
    worker: it must be picklable, and what it opens never travels.

    ``concurrency`` bounds the items in flight over all ``workers`` (one for each CPU of the cluster if None);
    ``processes`` is the number of processes beside each worker that do the work of ``scope.once``. ``address`` is that
    of a cluster; None starts one on this machine, or takes the one that the process is connected to. All else is as in
    LocalEngine, but that ``want`` is met in waves: the items that are surely needed, then those that still are.
    """

    def __init__(
        self,
        journal: Journal,
        open_models: OpenModels = no_models,
        *,
        seed: int = 0,
        concurrency: int = 64,
        workers: int | None = None,
        processes: int = 1,
        address: str | None = None,
        progress: Progress | None = None,
        budget: Budget | None = None,
        want: Sequence[Target] = (),
        first: int | None = None,
        command: str = "",
    ) -> None:
        recover(journal.path)
        self._began = _connect(address)
        self.workers = workers or min(_cpus(), concurrency)
        self.models = dict(open_models(self.workers))
        self.concurrency = concurrency
        self.progress = progress or NoProgress()
        self.dropped: Spool[dict[str, JSON]] = Spool(journal.path.parent)
        self.unfinished: BudgetSpent | None = None
        self.measured: list[Spent] = []
        self.accepted = 0
        self._journal = journal
        self._budget = budget or Budget()
        self._errand = Errand(
            journal.path.resolve(), open_models, self.workers, seed, processes=processes, command=command
        )
        self._backing = Backing(journal, self.models, seed, Workers(0).run)
        self._stages: Counter[str] = Counter()
        self._stopping = False
        self._order = RUN
        self._targets = tuple(want)
        self._wanted: dict[str, Want] = {}
        self._left = first
        self._turn = asyncio.Lock()  # workers read the run's journal without locks: nobody may write to it then
        self._desk: Any = None

    @property
    def stopping(self) -> bool:
        return self._stopping

    def stop(self) -> None:
        """Admit nothing more; what is in flight ends."""
        self._stopping = True

    async def close(self) -> None:
        import ray

        await asyncio.to_thread(absorb, self._journal.path)
        if self._desk is not None:
            ray.kill(self._desk)
        if self._began:
            await asyncio.to_thread(ray.shutdown)
        for model in {id(m): m for m in self.models.values()}.values():
            await model.close()

    async def once(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """A set-level step between maps, done once in the life of the run, in the driver (see Scope.once)."""
        async with self._turn:
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
    ) -> Spool[T]:
        """``await function(item, scope, *args)`` for every item; the accepted results in the order of the items.

        Function, items, arguments and results travel pickled. Raises RecipeBug for an exception that is no outcome,
        InputError if the cluster fails.
        """
        base = stage or str(getattr(function, "__name__", "map"))
        want = self._wanted.setdefault(base, Want(self._targets)) if self._targets else None
        folder = self._journal.path.parent
        run: _Stage[T] = _Stage(stage or self._stage_name(base), want, Spool(folder), Spool(folder))
        self.progress.stage_began(run.name, len(items) if isinstance(items, Sized) else None)
        source = numbered(items)
        async with self._turn:
            await asyncio.to_thread(absorb, self._journal.path)
            errand = self._pickled(replace(self._errand, function=function, args=args, stage=run.name))
            try:
                while not self._stopping and (window := self._window(source, want)):
                    run.ids = {number: item_id for number, item_id, _ in window}
                    await self._work(run, errand, window)
            finally:
                for item_id, ended in run.ended:
                    self._journal.put_outcome(run.name, item_id, ended.status, ended.reason, ended.evidence)
                await asyncio.to_thread(absorb, self._journal.path)
        for _, ended in run.ended:
            self._drop(ended.rows)
        if want is not None:
            self._drop(want.settle(run.results, run.name))
        return run.results

    def _window(self, source: Iterator[tuple[int, str, Any]], want: Want | None) -> list[tuple[int, str, Any]]:
        """The next items to be worked on, as far as they are wanted."""
        window: list[tuple[int, str, Any]] = []
        while len(window) < WINDOW and self._left != 0 and (want is None or want.admits(len(window))):
            found = next(source, None)
            if found is None:
                break
            if self._left is not None:
                self._left -= 1
            window.append(found)
        return window

    async def _work(self, run: _Stage[T], errand: bytes, window: Sequence[tuple[int, str, Any]]) -> None:
        """Takes the outcomes of one window; raises the error that ended the run."""
        import ray

        self._order = RUN
        loop = asyncio.get_running_loop()
        if self._desk is None:
            self._desk = ray.remote(num_cpus=0, max_concurrency=100_000)(Desk).remote(self._budget)

        def give(rows: list[tuple[int, Any]]) -> None:
            loop.call_soon_threadsafe(self._take, run, rows)

        stream = asyncio.ensure_future(asyncio.to_thread(self._stream, errand, window, give))
        listener = asyncio.create_task(self._listen())
        try:
            await asyncio.shield(stream)
        except asyncio.CancelledError:
            self._order = HALT
            await stream
            raise
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
            await self._exchange()
        if run.endings:
            first = run.endings[0]
            raise first.error() from (RuntimeError(first.trace) if first.trace else None)

    def _take(self, run: _Stage[T], rows: list[tuple[int, Any]]) -> None:
        for number, found in rows:
            if isinstance(found, Ending):
                error = found.error()
                if isinstance(error, BudgetSpent):
                    self.unfinished = error
                    self.stop()
                else:
                    run.endings.append(found)
                    self._order = END
            elif isinstance(found, Outcome):
                if found.status == "accepted":
                    run.results.put(number, found.result)
                    self.accepted += 1
                    if run.want is not None:
                        run.want.accepted(found.result)
                if self._left is not None:
                    self.measured.append(found.spent)
                run.ended.put(number, (run.ids[number], replace(found, result=None)))
                for reason in found.discarded:
                    self.progress.discarded(run.name, reason)
                self.progress.item_ended(run.name, found.status, found.reason, found.kinds)

    def _stream(
        self, errand: bytes, window: Sequence[tuple[int, str, Any]], give: Callable[[list[tuple[int, Any]]], object]
    ) -> None:
        """In a thread: the items through Ray Data, outcomes as they come."""
        import ray
        import ray.data
        import ray.exceptions

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        pool = ray.data.ActorPoolStrategy(size=self.workers, max_concurrent_calls_per_actor=BLOCKS)
        # Where there are more workers than CPUs they share them; a tenth is left to Ray Data itself.
        cpus = round(min(1.0, 0.9 * _cpus() / self.workers), 3)
        try:
            dataset = ray.data.from_arrow(list(self._blocks(window))).map_batches(
                RayWorker,
                batch_size=None,
                batch_format="pyarrow",
                compute=pool,
                num_cpus=cpus,
                fn_constructor_args=(errand, self._desk),
            )
            for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                outcomes = (ray.cloudpickle.loads(blob) for blob in table["outcome"].to_pylist())
                give(list(zip(table["number"].to_pylist(), outcomes)))
        except ray.exceptions.RayError as error:
            told = str(error).strip().splitlines()[-1]
            raise InputError(
                f"the Ray cluster failed: {told}; what was answered is kept: run the same command again to go on"
            ) from error

    def _blocks(self, window: Sequence[tuple[int, str, Any]]) -> Iterator[Any]:
        import pyarrow
        import ray

        size = max(1, min(max(BLOCK, self._share() // 4), math.ceil(len(window) / self.workers / 4)))
        for at in range(0, len(window), size):
            part = window[at : at + size]
            yield pyarrow.table(
                {
                    "number": [number for number, _, _ in part],
                    "id": [item_id for _, item_id, _ in part],
                    "item": pyarrow.array([ray.cloudpickle.dumps(item) for _, _, item in part], pyarrow.binary()),
                }
            )

    def _share(self) -> int:
        """Items in flight in one worker."""
        return math.ceil(self.concurrency / self.workers)

    def _pickled(self, errand: Errand) -> bytes:
        import ray

        try:
            pickled: bytes = ray.cloudpickle.dumps(replace(errand, concurrency=self._share()))
        except Exception as error:
            raise UsageError(
                f"stage {errand.stage!r} cannot be sent to the workers: {error}; give map a function of a module, with "
                "arguments that pickle can take"
            ) from None
        return pickled

    async def _listen(self) -> None:
        while True:
            await self._exchange()
            await asyncio.sleep(BEAT)

    async def _exchange(self) -> None:
        try:
            told: list[Told] = await self._desk.ask.remote(max(self._order, STOP if self._stopping else RUN))
        except Exception:  # the desk is gone with its machine: only the display suffers
            return
        for call in told:
            if isinstance(call, str):
                self.progress.call_began(call)
            else:
                role, reply = call
                if reply is not None:
                    self._budget.spent.setdefault(role, Spent()).add(reply.usage)
                self.progress.call_ended(role, reply)

    def _drop(self, rows: Iterable[dict[str, JSON]]) -> None:
        for row in rows:
            self.dropped.append(row)

    def _stage_name(self, name: str) -> str:
        self._stages[name] += 1
        return name if self._stages[name] == 1 else f"{name}-{self._stages[name]}"


@dataclass
class _Stage(Generic[T]):
    """One map under way; ``ids`` are those of its window, ``endings`` what ended the run."""

    name: str
    want: Want | None
    results: Spool[T]
    ended: Spool[tuple[str, Outcome]]
    ids: dict[int, str] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)


def _connect(address: str | None) -> bool:
    """Whether a connection was made that is ours to end. Nothing is reported to anybody."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # else its warnings stand between ours
    try:
        import ray
        import ray.data
    except ImportError:
        raise UsageError(f"--engine ray needs Ray; install it with: {INSTALL}") from None
    if ray.is_initialized():
        return False
    local: dict[str, Any] = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **local)
    except (ConnectionError, ValueError, RuntimeError) as error:
        told = str(error).strip().splitlines()[0]
        raise UsageError(
            f"no Ray cluster answers at {address or 'this machine'}: {told}; give --ray-address HOST:6379 (and export "
            "RAY_AUTH_TOKEN where it wants one), or leave it out to start one here"
        ) from None
    return True


def _cpus() -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))
