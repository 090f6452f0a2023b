"""Any recipe over batches: calls wait until nothing new comes, then go together; each reply wakes its caller.

A chain of k dependent calls takes k waves. A wave is one batch, or several where it is larger than a batch may be. What
a batch did not answer (expired, cancelled, failed, rows that are missing or have passing faults) goes into the next
wave, and nothing else does. Who carries the batches is a *carrier*: a provider's Files and Batches endpoints
(``batch_provider``), or somebody who reads and writes the files of a folder (``batch_files``).

Killed at any instant, a run finds its batches again by their files (see ``batch_folder``): a row that was sent is never
sent a second time unless it is known to have no answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cultivar.core.errors import CultivarError, EndpointError, UsageError
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import content_hash
from cultivar.llm.batch_folder import MOST_BYTES, MOST_ROWS, Batch, Folder
from cultivar.llm.batch_rows import Fault, request_line, result_rows
from cultivar.llm.dialect import Dialect

log = logging.getLogger("cultivar.batch")


MISSING = Fault("missing", "the results have no line for it")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch ended. ``fault`` is what became of the rows without a result.

    ``failed``: the batch as a whole, so that the next attempt should not follow at once; ``overfull``: since more is
    queued at the provider than it takes.
    """

    fault: Fault = MISSING
    failed: bool = False
    overfull: bool = False


class Carrier(Protocol):
    """Brings requests to where they are answered. ``model`` is the name in the requests, perhaps empty."""

    name: str
    model: str

    def was_sent(self, batch: Batch) -> bool:
        """Whether the requests of a batch that is there may have been seen by somebody."""
        ...

    async def fetch(self, batch: Batch) -> Ending:
        """Sends the batch unless it was sent, waits for its end, and leaves its results in ``batch.results``.

        Raises EndpointError if that cannot be done; what was sent stays noted.
        """
        ...

    async def close(self) -> None: ...


@dataclass(eq=False, slots=True)
class _Call:
    """A request on its way. ``waiters`` are the callers that still want its reply; ``faults`` one for each attempt."""

    row: str
    request: Request
    done: asyncio.Future[Reply]
    waiters: int = 0
    faults: list[str] = field(default_factory=list)
    sent: float = 0.0
    version: int = 0
    "Of the dialect in which it was sent."


class BatchModel:
    """A Model whose calls go in batches. ``counts`` says what came back besides replies.

    ``quiet``: seconds without a new call after which those that wait are sent. ``attempts``: batches in which a row is
    sent before it is given up. ``pause``: seconds before a batch that failed as a whole is tried again, doubled each
    time.
    """

    def __init__(
        self,
        carrier: Carrier,
        folder: Folder,
        *,
        quiet: float = 5.0,
        attempts: int = 5,
        pause: float = 30.0,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self.name = carrier.name
        self.counts: Counter[str] = Counter()
        self._carrier, self._folder = carrier, folder
        self._quiet, self._attempts, self._pause, self._most = quiet, attempts, pause, most_rows
        self._most_ever = most_rows
        self._known: dict[str, Batch | None] | None = None
        self._stale: set[int] = set()
        self._calls: dict[str, _Call] = {}
        self._waiting: list[_Call] = []
        self._held: list[_Call] = []
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._fetches: dict[int, asyncio.Task[Ending]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: Counter[str] = Counter()
        self._dialect = Dialect()

    async def complete(self, request: Request) -> Reply:
        """The reply, when a batch brings it. Raises EndpointError when none of ``attempts`` batches does."""
        if request.input is not None:
            raise UsageError(f"{self.name}: batches hold no embeddings; write --role embedder=openai:NAME@URL")
        row = request.key or self._row(request)
        call = self._calls.get(row)
        if call is None:
            call = _Call(row, request, asyncio.get_running_loop().create_future())
            self._calls[row] = call
            self._wait(call)
        call.waiters += 1
        try:
            return await asyncio.shield(call.done)
        finally:
            call.waiters -= 1
            if not call.waiters and not call.done.done():
                self._calls.pop(row, None)

    async def close(self) -> None:
        """Lets go of everything; batches at the provider go on and are found again by the next run."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        going = [*self._tasks, *self._fetches.values()]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        await self._carrier.close()
        self._folder.close()

    def _row(self, request: Request) -> str:
        """For calls that come without a scope: the content, and how many times it was asked before."""
        base = content_hash(request.to_json())
        self._seen[base] += 1
        return f"{base}-{self._seen[base]}"

    # waiting for a wave

    def _wait(self, *calls: _Call) -> None:
        self._waiting += calls
        self._last = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._quiet, self._look)

    def _look(self) -> None:
        left = self._last + self._quiet - time.monotonic()
        if left > 0 and len(self._waiting) < self._most:
            self._timer = asyncio.get_running_loop().call_later(left, self._look)
            return
        self._timer = None
        calls, self._waiting = [c for c in self._waiting if c.waiters], []
        self._start(self._send(calls), calls)

    def _start(self, work: Coroutine[Any, Any, None], calls: Iterable[_Call]) -> None:
        """Runs it beside the callers; whatever goes wrong in it reaches them."""

        async def run() -> None:
            try:
                await work
            except Exception as error:
                for call in calls:
                    self._fail(call, error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, calls: list[_Call]) -> None:
        """Calls whose row is in a batch already go there; the others make new ones."""
        known = self._open()
        old: dict[Batch, list[_Call]] = {}
        new: dict[str, _Call] = {}
        for call in calls:
            if (batch := known.get(call.row)) is not None:
                old.setdefault(batch, []).append(call)
            else:
                new[call.row] = call
        for batch, group in old.items():
            self._start(self._drive(batch, group), group)
        for batch, rows in self._folder.write(self._lines(new.values()), self._most):
            group = [new[row] for row in rows]
            known.update(dict.fromkeys(rows, batch))
            self.counts["batches"] += 1
            self._start(self._drive(batch, group), group)
            await asyncio.sleep(0)

    def _open(self) -> dict[str, Batch | None]:
        """Row -> the latest batch that it is in, None if that has no answer.

        What was written and never sent is thrown away. Results that are there from an earlier run are *stale*: what
        they refuse was told to the user then, and is now asked again.
        """
        if self._known is None:
            known: dict[str, Batch | None] = {}
            for batch in self._folder.open():
                if self._carrier.was_sent(batch):
                    known.update(dict.fromkeys(self._folder.ids(batch), batch))
                    if batch.results.exists():
                        self._stale.add(batch.number)
                else:
                    batch.requests.unlink()
            self._known = known
        return self._known

    def _lines(self, calls: Iterable[_Call]) -> Iterator[tuple[str, bytes]]:
        for call in calls:
            line = request_line(call.row, self._carrier.model, call.request, self._dialect)
            call.version = self._dialect.version
            if len(line) > MOST_BYTES:
                told = f"a request of {len(line) / 1e6:,.0f} MB does not fit into a batch of {MOST_BYTES / 1e6:,.0f} MB"
                self._fail(call, EndpointError(f"{self.name}: {told}; shorten it", kind="refused"))
                continue
            call.sent = time.monotonic()
            yield call.row, line

    # a batch and its results

    async def _drive(self, batch: Batch, calls: list[_Call]) -> None:
        """From a batch that is written to replies, or to calls that wait for another wave."""
        fetch = self._fetches.get(batch.number)
        if fetch is None:
            fetch = self._fetches[batch.number] = asyncio.create_task(self._carrier.fetch(batch))
        try:
            ending = await asyncio.shield(fetch)
        except Exception:
            self._fetches.pop(batch.number, None)  # the next who asks may try again
            self._release()
            raise
        if not ending.failed:
            self._most = min(self._most_ever, self._most * 2)
            self._release()
        left = await self._deliver(batch, {call.row: call for call in calls})
        if left and ending.overfull:
            left = await self._spread(left)
        if left and ending.failed and batch.number not in self._stale:
            await asyncio.sleep(self._pause * 2 ** len(left[0].faults))
        for call in left:
            self._again(call, ending.fault)

    async def _deliver(self, batch: Batch, left: dict[str, _Call]) -> list[_Call]:
        """Wakes the callers of the rows that are there; the calls without a row."""
        known, seen, odd = self._open(), set(), Counter[str]()
        for number, row in enumerate(result_rows(batch.results)):
            if number % 256 == 255:
                await asyncio.sleep(0)  # so that replies are journalled while the next ones are read
            if row is None:
                odd["unreadable"] += 1
            elif row.custom_id not in known:
                odd["unknown"] += 1
            elif row.custom_id in seen:
                odd["duplicate"] += 1
            else:
                seen.add(row.custom_id)
                call = left.pop(row.custom_id, None)
                if call is not None:
                    self._settle(call, row.found, stale=batch.number in self._stale)
        self.counts.update(odd)
        if odd:
            told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(odd.items()))
            log.warning("%s: ignored rows in %s: %s", self.name, batch.results, told)
        return list(left.values())

    def _settle(self, call: _Call, found: Reply | Fault, *, stale: bool) -> None:
        if isinstance(found, Reply):
            self._calls.pop(call.row, None)
            seconds = time.monotonic() - call.sent if call.sent else 0.0
            faults = (*call.faults, *found.faults)
            if not call.done.done():
                call.done.set_result(
                    replace(found, seconds=seconds, attempts=len(call.faults) + 1, faults=faults),
                )
        elif found.passing or stale or self._learned(call, found):
            self._again(call, found)
        else:
            told = f"{self.name} refused request {call.row}: {found.told}"
            self._forget(call)
            self._fail(call, EndpointError(told, status=found.status, kind="refused"))

    def _learned(self, call: _Call, refusal: Fault) -> bool:
        """Whether the next attempt is another, since the refusal showed a dialect (see dialect.py)."""
        dialect = self._dialect
        if refusal.status is None or (dialect.single and call.request.n > 1):
            return False
        if call.version < dialect.version:
            return True
        lesson = dialect.learn(refusal.status, refusal.told, dialect.body(self._carrier.model, call.request))
        if lesson is None or (dialect.single and call.request.n > 1):
            return False
        log.warning("%s %s", self.name, lesson[1])
        return True

    def _again(self, call: _Call, fault: Fault) -> None:
        """Into the next wave, unless it was in enough of them."""
        call.faults.append(fault.kind)
        self._forget(call)
        if len(call.faults) >= self._attempts:
            told = f"{self.name} gave no reply to request {call.row} in {len(call.faults)} batches; the last one: "
            self._fail(call, EndpointError(told + fault.told, status=fault.status, kind=fault.kind))
        elif call.waiters:
            self.counts["sent again"] += 1
            self._wait(call)

    async def _spread(self, left: list[_Call]) -> list[_Call]:
        """What a full queue refused waits for another batch of ours to end, or goes in halves; what is too small."""
        for call in left:
            self._forget(call)
        if any(not fetch.done() for fetch in self._fetches.values()):
            self._held += left
            return []
        if len(left) == 1:
            self._release()
            return left
        self._most = min(self._most, (len(left) + 1) // 2)
        await asyncio.sleep(self._pause)
        self._wait(*left)
        self._release()
        return []

    def _release(self) -> None:
        held, self._held = self._held, []
        if held:
            self._wait(*held)

    def _forget(self, call: _Call) -> None:
        """The row's batch is known to have no answer."""
        self._open()[call.row] = None

    def _fail(self, call: _Call, error: Exception) -> None:
        self._calls.pop(call.row, None)
        if call.done.done():
            return
        if not call.waiters:
            call.done.cancel()
        elif isinstance(error, EndpointError):  # each caller its own: a traceback grows with everyone who raises it
            call.done.set_exception(EndpointError(str(error), status=error.status, kind=error.kind))
        elif isinstance(error, CultivarError):
            call.done.set_exception(type(error)(str(error)))
        else:
            call.done.set_exception(error)
