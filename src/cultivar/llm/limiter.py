"""How many calls an endpoint takes at once, found out by asking.

Additive increase, multiplicative decrease (Chiu and Jain, 1989): every answered call raises the width by 1/width, every
answer that says "too much" (429, 503, a timeout) halves it, at most once in the time that one answer takes, since all
calls that were under way then say the same thing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque


class Limiter:
    """``async with limiter:`` around a call; then ``succeeded(seconds)`` or ``overloaded()``."""

    def __init__(self, most: int, *, start: int = 32) -> None:
        self.most = most
        self.width = float(min(start, most))
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._quiet_until = 0.0
        self._typical = 1.0

    async def __aenter__(self) -> None:
        if self.in_flight < self.width and not self._waiting:
            self.in_flight += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.in_flight < self.width:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)

    def succeeded(self, seconds: float) -> None:
        self._typical += 0.1 * (seconds - self._typical)
        if self.in_flight >= self.width - 1:  # raising what is not used would learn nothing
            self.width = min(float(self.most), self.width + max(1.0 / self.width, 0.05))
        self._admit()

    def overloaded(self) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self.width = max(1.0, self.width / 2)
            self._quiet_until = now + self._typical
