"""Batches as files for an engine that is not ours: requests out, results in.

``batch:files@DIR`` writes ``DIR/000001.requests.jsonl`` and waits for ``DIR/000001.results.jsonl``, as in

    vllm run-batch -i DIR/000001.requests.jsonl -o DIR/000001.results.jsonl --model NAME

The results are whole when every request has a line, or when there is a file ``DIR/000001.done``; what then has no line
is sent again in the next file. ``batch:files/NAME@DIR`` puts NAME into the requests; without it an engine uses the one
model that it serves.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from cultivar.llm.batch import BatchModel, Ending
from cultivar.llm.batch_folder import Batch, Folder
from cultivar.llm.batch_rows import read_row, request_ids

log = logging.getLogger("cultivar.batch")


class FilesCarrier:
    """Waits for files. ``poll``: seconds between two looks."""

    def __init__(self, folder: Path, model: str = "", *, poll: float = 2.0) -> None:
        self.model = model
        self.name = f"batch:files/{model}@{folder}" if model else f"batch:files@{folder}"
        self._poll = poll

    def was_sent(self, batch: Batch) -> bool:
        """Always: a file that lies there may be in work."""
        return True

    async def fetch(self, batch: Batch) -> Ending:
        if not batch.results.exists() and not batch.done.exists():
            log.warning("waiting for %s, the results of %s", batch.results, batch.requests.name)
        ids = set(request_ids(batch.requests))
        size = -1
        while not batch.done.exists():
            if batch.results.exists() and batch.results.stat().st_size != size:
                size = batch.results.stat().st_size
                if await asyncio.to_thread(_is_whole, batch.results, ids):
                    break
            await asyncio.sleep(self._poll)
        return Ending()

    async def close(self) -> None:
        return None


def _is_whole(results: Path, ids: set[str]) -> bool:
    """Whether every request has a line: an engine that writes as it goes is not read half-way."""
    with results.open("rb") as raw:
        newlines = sum(chunk.count(b"\n") for chunk in iter(lambda: raw.read(1 << 20), b""))
    if newlines + 1 < len(ids):  # nothing need be parsed while a large file grows
        return False
    answered: set[str] = set()
    unreadable = 0
    with results.open("rb") as lines:
        for line in lines:
            row = read_row(line)
            if row is not None and row.custom_id in ids:
                answered.add(row.custom_id)
            elif row is None and line.strip() and line.endswith(b"\n"):  # the last line may still grow
                unreadable += 1
    return len(answered) + unreadable >= len(ids)


def files_model(folder: Path, model: str = "") -> BatchModel:
    """The model of ``batch:files@DIR``."""
    return BatchModel(FilesCarrier(folder, model), Folder(folder))
