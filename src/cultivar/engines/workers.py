"""Other processes for the work that a scope does once: planners, proofs, parsers.

Started when first needed, and never forked: this process has threads. They are its own children, so that their CPU time
is counted as its own. A piece of work that kills its worker twice fails as a failure of the infrastructure; the others
go on in a new pool. Workers end when their parent does, even if it was killed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from cultivar.core.errors import ItemFailed


class Workers:
    """``size`` processes; 0 runs everything here, one piece after the other."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool: ProcessPoolExecutor | None = None
        self._alone = asyncio.Lock()

    async def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, float]:
        """``function(*args)``, and the CPU seconds it took. All must be picklable; its own exceptions come through.

        A process that dies breaks the whole pool. Every piece that was in it is done once more in a process of its own,
        one after the other, so that only the piece that kills that one too fails.
        """
        if self.size == 0:
            return timed(function, args)
        if self._pool is None:
            self._pool = _processes(self.size)
        pool = self._pool
        try:
            return await asyncio.wrap_future(pool.submit(timed, function, args))
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
        async with self._alone:
            with _processes(1) as single:
                try:
                    return await asyncio.wrap_future(single.submit(timed, function, args))
                except BrokenProcessPool:
                    told = f"{function.__module__}.{function.__qualname__}"
                    why = f"{told} killed its process twice (out of memory?)"
                    raise ItemFailed("infrastructure", why) from None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def timed(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, float]:
    """The result, and the CPU seconds of this process that it took."""
    began = time.process_time()
    result = function(*args)
    return result, time.process_time() - began


def _begin() -> None:
    """In a worker: Ctrl-C is the parent's to handle, and nothing outlives the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
