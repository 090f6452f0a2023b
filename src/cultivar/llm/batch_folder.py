"""The folder of one model's batches: what was sent and what came back, as files that outlive the run.

    000001.requests.jsonl    written whole before anything is sent
    000001.batch.json        what is known of it at the provider: its ids, and how it ended (never a key)
    000001.results.jsonl     what came back; for ``batch:files@DIR``, written by the engine that is not ours
    000001.done              for ``batch:files@DIR``, made by hand: no more results will come

The journal knows answered calls only. A call that is at the provider when the run is killed is known by these files:
its row's ``custom_id`` is the journal's key of the call, so that the same call in the next run is the same row.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from cultivar.core.errors import InputError, UsageError
from cultivar.core.files import Draft, write_whole
from cultivar.llm.batch_rows import request_ids

MOST_ROWS = 50_000
MOST_BYTES = 200_000_000
"""What one batch may hold (OpenAI API reference, Create batch: 50,000 requests, 200 MB)."""


@dataclass(frozen=True)
class Batch:
    """The files of one batch."""

    folder: Path
    number: int

    def _path(self, end: str) -> Path:
        return self.folder / f"{self.number:06d}.{end}"

    @property
    def requests(self) -> Path:
        return self._path("requests.jsonl")

    @property
    def results(self) -> Path:
        return self._path("results.jsonl")

    @property
    def done(self) -> Path:
        return self._path("done")

    @property
    def state_path(self) -> Path:
        return self._path("batch.json")

    def state(self) -> dict[str, Any]:
        """What was noted; empty if nothing was sent. Raises InputError for a file that was spoilt."""
        try:
            found: dict[str, Any] = orjson.loads(self.state_path.read_bytes())
        except FileNotFoundError:
            return {}
        except (orjson.JSONDecodeError, OSError) as error:
            raise InputError(
                f"{self.state_path} cannot be read ({error}); remove {self.folder / f'{self.number:06d}'}.* "
                "to send these requests again"
            ) from None
        return found

    def note(self, state: dict[str, Any]) -> None:
        """Durable when it returns."""
        write_whole(self.state_path, orjson.dumps(state, option=orjson.OPT_INDENT_2).decode())


class Folder:
    """The batches of one folder, in the order of their numbers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    def open(self) -> list[Batch]:
        """The batches that were written. Raises UsageError if another run writes here: it would take our numbers."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / ".lock").open("ab")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise UsageError(f"another run keeps its batches in {self.path}; give each run its own folder") from None
        except OSError as error:
            raise InputError(f"{self.path} cannot hold batches: {error.strerror}; give another folder") from None
        for cut_off in self.path.glob(".draft-*"):  # of a run that was killed while it wrote
            cut_off.unlink(missing_ok=True)
        return self._batches()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _batches(self) -> list[Batch]:
        found = (re.fullmatch(r"(\d{6,})\.requests\.jsonl", p.name) for p in self.path.glob("*.requests.jsonl"))
        return [Batch(self.path, number) for number in sorted(int(m[1]) for m in found if m)]

    def write(self, lines: Iterable[tuple[str, bytes]], most_rows: int) -> Iterator[tuple[Batch, list[str]]]:
        """Batches of (custom_id, line), each with its ids, as full as they may be. A line must fit into a batch."""
        taken = self._batches()
        number = taken[-1].number if taken else 0
        draft: Draft | None = None
        ids: list[str] = []
        size = 0
        try:
            for row, line in lines:
                if draft is not None and (len(ids) >= most_rows or size + len(line) > MOST_BYTES):
                    draft.finish()
                    draft = None
                    yield Batch(self.path, number), ids
                if draft is None:
                    number += 1
                    draft, ids, size = Draft(Batch(self.path, number).requests), [], 0
                draft.write(line)
                ids.append(row)
                size += len(line)
            if draft is not None:
                draft.finish()
                draft = None
                yield Batch(self.path, number), ids
        finally:
            if draft is not None:
                draft.discard()

    def ids(self, batch: Batch) -> list[str]:
        """The rows of a batch; raises InputError if the file was spoilt."""
        try:
            return list(request_ids(batch.requests))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{batch.requests} is no file of requests ({error}); move it away") from None
