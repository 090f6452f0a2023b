"""Texts to be embedded, gathered: what is asked for at the same moment goes out in one request.

A recipe embeds one text an item, so that each is journalled by itself; an endpoint takes hundreds at once for the price
of one round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from cultivar.core.errors import EndpointError
from cultivar.core.protocols import Reply, Request, Usage
from cultivar.core.records import JSON, content_hash

MOST = 128
"""Texts in a request; common servers refuse more than 256 or 2,048."""
MOST_CHARACTERS = 200_000
"""Characters in a request of more than one text: providers bound the tokens of all texts together."""
PATIENCE = 0.005
"""Seconds that a text waits for others."""

Send = Callable[[list[str], Mapping[str, JSON]], Awaitable[Reply]]
"""Texts and options -> one reply with a choice for each text."""


class Gathered:
    """``reply`` to a Request with an ``input``; raises whatever sending the texts raised, to each that was in it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: dict[str, list[tuple[Request, asyncio.Future[Reply]]]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def reply(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Reply] = loop.create_future()
        alike = content_hash(dict(request.sampling))
        waiting = self._waiting.setdefault(alike, [])
        waiting.append((request, done))
        if len(waiting) == 1:
            loop.call_later(PATIENCE, self._go, alike)
        elif len(waiting) >= MOST or sum(len(r.input or "") for r, _ in waiting) >= MOST_CHARACTERS:
            self._go(alike)
        return await done

    def _go(self, alike: str) -> None:
        if waiting := self._waiting.pop(alike, []):
            task = asyncio.get_running_loop().create_task(self._through(waiting))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _through(self, waiting: list[tuple[Request, asyncio.Future[Reply]]]) -> None:
        try:
            reply = await self._send([request.input or "" for request, _ in waiting], waiting[0][0].sampling)
            shares = divided(reply, len(waiting))
        except Exception as error:
            if isinstance(error, EndpointError) and error.kind == "refused" and len(waiting) > 1:
                half = len(waiting) // 2  # one text may be what is refused: the others shall not suffer for it
                await asyncio.gather(self._through(waiting[:half]), self._through(waiting[half:]))
                return
            for _, done in waiting:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), share in zip(waiting, shares, strict=True):
            if not done.done():
                done.set_result(share)


def divided(reply: Reply, count: int) -> list[Reply]:
    """One reply for each choice; tokens and costs are divided evenly, and add up; faults are the first one's."""
    tokens, rest = divmod(reply.usage.prompt_tokens, count)
    cost = None if reply.usage.cost is None else reply.usage.cost / count
    found = []
    for number, choice in enumerate(reply.choices):
        usage = Usage(tokens + (number < rest), 0, cost)
        found.append(replace(reply, choices=(choice,), usage=usage))
        if number == 0:
            reply = replace(reply, attempts=1, faults=())
    return found
