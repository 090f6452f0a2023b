from __future__ import annotations

import asyncio

import pytest

from cultivar.llm.limiter import Limiter


async def test_no_more_than_the_width_at_once() -> None:
    limiter, flying, most = Limiter(5), 0, 0

    async def call() -> None:
        nonlocal flying, most
        async with limiter:
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0.001)
            flying -= 1

    await asyncio.gather(*(call() for _ in range(40)))
    assert most == 5
    assert limiter.in_flight == 0


async def test_the_width_grows_while_it_is_used_and_halves_under_overload() -> None:
    limiter = Limiter(100, start=4)

    async def call() -> None:
        async with limiter:
            await asyncio.sleep(0)
            limiter.succeeded(0.001)

    await asyncio.gather(*(call() for _ in range(400)))
    grown = limiter.width
    assert grown > 8
    limiter.overloaded()
    limiter.overloaded()
    assert limiter.width == pytest.approx(grown / 2)


async def test_who_gives_up_waiting_leaves_no_hole() -> None:
    limiter = Limiter(1)
    async with limiter:
        waiting = asyncio.create_task(limiter.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    async with limiter:
        assert limiter.in_flight == 1
    assert limiter.in_flight == 0
