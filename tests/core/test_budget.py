from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.budget import FEW, Budget, Limit, Price
from cultivar.core.errors import BudgetSpent, UsageError
from cultivar.core.protocols import Choice, Reply, Usage


def test_a_price_is_in_dollars_for_a_million_tokens() -> None:
    assert Price(3.0, 15.0).of(Usage(1_000_000, 200_000)) == 6.0


def test_the_price_that_was_given_goes_before_the_word_of_the_endpoint() -> None:
    reply = Reply((Choice("x"),), Usage(1_000_000, 0, 7.0))
    assert Budget().priced("judge", reply) is reply
    assert Budget(prices={"*": Price(1, 1)}).priced("judge", reply).usage.cost == 1.0
    assert Budget(prices={"*": Price(1, 1), "judge": Price(2, 2)}).priced("judge", reply).usage.cost == 2.0


def test_a_batch_costs_its_share_of_the_price_now_and_before() -> None:
    reply = Reply((Choice("x"),), Usage(1_000_000, 0))
    stored = [
        {"role": "a", "model": model, "calls": 1, "prompt_tokens": 1_000_000, "completion_tokens": 0, "cost": None}
        for model in ("batch:m@http://h/v1", "openai:m@http://h/v1")
    ]
    budget = Budget(prices={"*": Price(4, 0, 0.5), "live": Price(4, 0)}, stored=stored)
    assert budget.priced("a", reply, "batch:m@http://h/v1").usage.cost == 2.0
    assert budget.priced("a", reply, "openai:m@http://h/v1").usage.cost == 4.0
    assert budget.priced("live", reply, "batch:m@http://h/v1").usage.cost == 4.0
    assert budget.total().cost == 6.0


async def test_no_call_goes_beyond_the_limit_and_those_in_flight_count() -> None:
    budget = Budget([Limit("calls", 2)])
    await budget.admit("a")
    await budget.admit("b")
    third = asyncio.create_task(budget.admit("a"))
    await asyncio.sleep(0)
    assert not third.done()  # one in flight may fail, and then there is room
    budget.ended("a", None)
    await third
    budget.ended("a", Usage())
    budget.ended("b", Usage())
    with pytest.raises(BudgetSpent, match="--max-calls 2 is spent: 2 calls") as error:
        await budget.admit("a")
    assert error.value.exit_code == 3


async def test_a_limit_of_one_role_leaves_the_others() -> None:
    budget = Budget([Limit("calls", 1, "judge")])
    await budget.admit("judge")
    budget.ended("judge", Usage())
    await budget.admit("author")
    with pytest.raises(BudgetSpent, match="--max-calls judge=1"):
        await budget.admit("judge")


async def test_what_was_spent_before_counts() -> None:
    stored = [{"role": "a", "calls": 9, "prompt_tokens": 900_000, "completion_tokens": 0, "cost": None}]
    budget = Budget([Limit("cost", 1.0)], {"*": Price(1, 1)}, stored)
    assert budget.total().cost == pytest.approx(0.9)
    await budget.admit("a")
    budget.ended("a", Usage(100_000, 0, 0.1))
    with pytest.raises(BudgetSpent):
        await budget.admit("a")


async def test_dollars_that_nobody_tells() -> None:
    budget = Budget([Limit("cost", 1.0)])
    await budget.admit("judge")
    with pytest.raises(UsageError, match="--price judge=IN,OUT"):
        budget.ended("judge", Usage(3, 4))


@given(st.lists(st.integers(50, 150), min_size=30, max_size=60), st.integers(400, 5_000), st.integers(1, 40))
def test_tokens_stay_near_the_limit_whatever_calls_take(sizes: list[int], most: int, pool: int) -> None:
    async def run() -> tuple[int, int]:
        budget = Budget([Limit("tokens", most)])
        flying, width = 0, 0

        async def worker() -> None:
            nonlocal flying, width
            while sizes_left:
                size = sizes_left.pop()
                try:
                    await budget.admit("a")
                except BudgetSpent:
                    return
                if budget.total().calls == 0:
                    flying += 1
                    width = max(width, flying)
                await asyncio.sleep(0)
                flying = max(0, flying - 1)
                budget.ended("a", Usage(0, size))

        sizes_left = list(sizes)
        await asyncio.gather(*(worker() for _ in range(pool)))
        return budget.total().tokens, width

    tokens, width = asyncio.run(run())
    assert tokens <= most + 150 + pool * 100  # calls take more than the mean of those before
    assert width <= FEW
