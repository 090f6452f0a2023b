"""The journal: what was answered and what was done, durable the moment it is known.

One SQLite file in WAL mode, one writer thread. Whatever is put while a commit is under way goes into the next one, so
at a low rate every row is committed by itself and at a high rate many share a commit. A row is readable again after a
SIGKILL once ``put_*`` has been awaited: the caller goes on only when its row is committed, so a kill wastes the calls
in flight and nothing else. A full disk stops the run with a sentence; what was committed stays.

    calls      one row for each answered request: key, item, path, role, model, request, reply, usage, seconds, attempts
    effects    one row for each ``once``: key, item, path, name, result, CPU seconds
    outcomes   one row for each item and stage of the latest run: status, reason, evidence (rewritten by every run)
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson

from cultivar.core.errors import InputError, UsageError
from cultivar.core.protocols import Choice, Reply, Usage
from cultivar.core.records import JSON

SCHEMA_VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY, item TEXT NOT NULL, path TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
    request BLOB NOT NULL, reply BLOB NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    cost REAL, seconds REAL NOT NULL, attempts INTEGER NOT NULL, faults TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effects (
    key BLOB PRIMARY KEY, item TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL, result BLOB NOT NULL,
    seconds REAL NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    stage TEXT NOT NULL, item TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, evidence BLOB NOT NULL,
    PRIMARY KEY (stage, item)
) WITHOUT ROWID;
"""

_INSERT = {
    "calls": "INSERT OR REPLACE INTO calls VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "effects": "INSERT OR REPLACE INTO effects VALUES (?,?,?,?,?,?,?)",
    "outcomes": "INSERT OR REPLACE INTO outcomes VALUES (?,?,?,?,?)",
}


def pack(value: JSON) -> bytes:
    return zlib.compress(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), 1)


def unpack(blob: bytes) -> JSON:
    return orjson.loads(zlib.decompress(blob))


@dataclass(frozen=True, slots=True)
class CallRow:
    """One answered request, as ``cultivar show --calls`` and the reports read it."""

    item: str
    path: str
    role: str
    model: str
    request: JSON
    reply: Reply
    at: float


def reply_to_json(reply: Reply) -> JSON:
    return {
        "model": reply.model,
        "choices": [
            {
                "text": c.text,
                "finish": c.finish,
                "reasoning": c.reasoning,
                "tool_calls": list(c.tool_calls),
                "logprobs": c.logprobs,
            }
            for c in reply.choices
        ],
    }


def reply_from_json(data: JSON, usage: Usage, seconds: float, attempts: int) -> Reply:
    choices = tuple(Choice(**{**c, "tool_calls": tuple(c["tool_calls"])}) for c in data["choices"])
    return Reply(choices, usage, data["model"], seconds, attempts)


class Journal:
    """Open with ``Journal(path)``, close with ``close()`` or ``with``. One process may write to a file at a time."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._failure: Exception | None = None
        self._queue: list[tuple[str, tuple[Any, ...], asyncio.Future[None] | None]] = []
        self._wake = threading.Condition()
        self._closing = False
        self._lock: IO[bytes] | None = None
        self._writer: threading.Thread | None = None
        if read_only and not path.exists():
            raise InputError(f"there is no journal at {path}; give the folder of a run that was started")
        if not read_only:
            self._lock = _lock(path.with_suffix(".lock"))
        try:
            self._reader = self._connect()
            self._prepare(read_only)
        except sqlite3.DatabaseError as error:
            self._unlock()
            raise InputError(
                f"{path} cannot be used as a journal: {error}; move it away or give another --out"
            ) from None
        except BaseException:
            self._unlock()
            raise
        if not read_only:
            self._writer = threading.Thread(target=self._write_forever, name="journal", daemon=True)
            self._writer.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=30.0)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def _prepare(self, read_only: bool) -> None:
        (version,) = self._reader.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise InputError(
                f"{self.path} was written by a newer cultivar (schema {version}, this one reads {SCHEMA_VERSION}); "
                "upgrade with: pip install -U cultivar"
            )
        if version == 0 and not read_only:
            self._reader.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")

    # reading

    def call(self, key: bytes) -> Reply | None:
        """The reply to a request that was answered before, by its key."""
        row = self._reader.execute(
            "SELECT reply, prompt_tokens, completion_tokens, cost, seconds, attempts FROM calls WHERE key=?", (key,)
        ).fetchone()
        return None if row is None else reply_from_json(unpack(row[0]), Usage(*row[1:4]), row[4], row[5])

    def effect(self, key: bytes) -> tuple[JSON] | None:
        """The result of a ``once`` that was done before, in a tuple of one (the result itself may be None)."""
        row = self._reader.execute("SELECT result FROM effects WHERE key=?", (key,)).fetchone()
        return None if row is None else (unpack(row[0]),)

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return {t: self._reader.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("calls", "effects")}

    def calls(self, item: str | None = None) -> Iterator[CallRow]:
        """Every answered request in the order of arrival, or those of one item."""
        where, args = ("WHERE item=?", (item,)) if item is not None else ("", ())
        query = (
            "SELECT item, path, role, model, request, reply, prompt_tokens, completion_tokens, cost, seconds, attempts,"
            f" at FROM calls {where} ORDER BY at, key"
        )
        for row in self._reader.execute(query, args):
            reply = reply_from_json(unpack(row[5]), Usage(*row[6:9]), row[9], row[10])
            named, path, role, model = row[:4]
            yield CallRow(named, path, role, model, unpack(row[4]), reply, row[11])

    def spending(self) -> list[dict[str, JSON]]:
        """Calls, tokens, dollars and seconds by role and model, in the order of the roles' names."""
        rows = self._reader.execute(
            "SELECT role, model, count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost), sum(seconds),"
            " sum(attempts - 1) FROM calls GROUP BY role, model ORDER BY role, model"
        )
        names = ("role", "model", "calls", "prompt_tokens", "completion_tokens", "cost", "seconds", "retries")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def effort(self) -> list[tuple[str, int, float]]:
        """(name, times done, CPU seconds) of what was done once, by name."""
        query = "SELECT name, count(*), sum(seconds) FROM effects GROUP BY name ORDER BY name"
        return [(str(name), int(count), float(seconds)) for name, count, seconds in self._reader.execute(query)]

    # writing

    async def put_call(
        self, key: bytes, item: str, path: str, role: str, model: str, request: JSON, reply: Reply
    ) -> None:
        """Returns when the reply is on disk."""
        u = reply.usage
        row = (
            *(key, item, path, role, model, pack(request), pack(reply_to_json(reply))),
            *(u.prompt_tokens, u.completion_tokens, u.cost, reply.seconds, reply.attempts),
            *(",".join(reply.faults), time.time()),
        )
        await self._put("calls", row)

    async def put_effect(self, key: bytes, item: str, path: str, name: str, result: JSON, seconds: float) -> None:
        """Returns when the result is on disk."""
        await self._put("effects", (key, item, path, name, pack(result), seconds, time.time()))

    def put_outcome(self, stage: str, item: str, status: str, reason: str, evidence: JSON) -> None:
        """Does not wait: outcomes can be made again from calls and effects."""
        self._enqueue("outcomes", (stage, item, status, reason, pack(evidence)), None)

    async def _put(self, table: str, row: tuple[Any, ...]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(table, row, done)
        await done

    def _enqueue(self, table: str, row: tuple[Any, ...], done: asyncio.Future[None] | None) -> None:
        if self._failure is not None:
            raise self._failure
        if self._writer is None:
            raise UsageError(f"{self.path} was opened to be read only")
        with self._wake:
            self._queue.append((table, row, done))
            self._wake.notify()

    def _write_forever(self) -> None:
        connection = self._connect()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._closing)
                batch, self._queue = self._queue, []
                if not batch:
                    break
            try:
                connection.execute("BEGIN IMMEDIATE")
                for table, row, _ in batch:
                    connection.execute(_INSERT[table], row)
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._failure = InputError(
                    f"the journal {self.path} cannot be written: {error}; what was committed is kept: "
                    "make room (or mend the folder's permissions) and run the same command again"
                )
            _settle([done for *_, done in batch if done is not None], self._failure)
            if self._failure is not None:
                break
        connection.close()  # rolls back what was not committed

    def close(self) -> None:
        """Waits for what was put, and lets go of the file; raises what the writer met last."""
        if self._writer is not None:
            with self._wake:
                self._closing = True
                self._wake.notify()
            self._writer.join()
            self._writer = None
        self._reader.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _settle(futures: list[asyncio.Future[None]], failure: Exception | None) -> None:
    """Wakes the coroutines that wait for this batch, on the loop that each of them runs on."""

    def settle(waiting: list[asyncio.Future[None]]) -> None:
        for done in waiting:
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)

    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for done in futures:
        by_loop.setdefault(done.get_loop(), []).append(done)
    for loop, waiting in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, waiting)


def _lock(path: Path) -> IO[bytes]:
    """An advisory lock that the kernel drops when the process ends, however it ends."""
    try:
        handle = path.open("ab")
    except OSError as error:
        raise InputError(f"{path.parent} cannot be written to: {error.strerror}; give another --out") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise UsageError(
            f"another cultivar is writing to {path.parent}; wait for it to end, or give another --out"
        ) from None
    os.set_inheritable(handle.fileno(), False)
    return handle
