from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cultivar.core.budget import Budget, Limit, Price
from cultivar.core.errors import RecipeBug, UsageError
from cultivar.core.journal import Journal
from cultivar.core.protocols import Choice, Reply, Request, Usage
from cultivar.core.records import Instruction
from cultivar.core.scope import Scope
from cultivar.engines.estimate import estimate, interval
from cultivar.engines.local import LocalEngine
from cultivar.testing import FunctionModel

ITEMS = [Instruction(prompt=f"prompt {n}") for n in range(40)]


class Slow(FunctionModel):
    """Answers after a while, so that many calls are in flight."""

    async def complete(self, request: Request) -> Reply:
        self.begun = getattr(self, "begun", 0) + 1
        await asyncio.sleep(0.005)
        return await super().complete(request)


def model() -> Slow:
    return Slow(lambda request: Reply((Choice("yes"),), Usage(100, 50)))


async def twice(item: Instruction, scope: Scope) -> Instruction:
    await scope.ask("first", item.prompt)
    await scope.ask("second", item.prompt)
    return item


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


async def test_calls_in_a_batch_are_budgeted_at_their_share_of_the_price(journal: Journal) -> None:
    live, batch = model(), model()
    batch.name = "batch:m@http://h/v1"
    budget = Budget(prices={"*": Price(1000, 0, 0.5)})
    engine = LocalEngine(journal, {"first": live, "second": batch}, budget=budget)
    await engine.map(twice, ITEMS[:10])
    assert [budget.total(role).cost for role in ("first", "second")] == pytest.approx([1.0, 0.5])
    assert [row["cost"] for row in journal.spending()] == pytest.approx([1.0, 0.5])


async def test_a_spent_budget_ends_the_run_with_what_passed(journal: Journal) -> None:
    asked = model()
    engine = LocalEngine(journal, {"*": asked}, concurrency=8, budget=Budget([Limit("calls", 25)]))
    made = await engine.map(twice, ITEMS)
    await engine.close()
    assert asked.begun == journal.counts()["calls"] == 25
    assert engine.unfinished is not None
    assert engine.stopping
    assert 8 <= len(made) <= 12
    assert engine.dropped == []


async def test_a_raised_budget_goes_on_where_the_run_was(journal: Journal) -> None:
    whole = 2 * len(ITEMS)
    for most in (25, 50, whole):
        budget = Budget([Limit("calls", most)], stored=journal.spending())
        engine = LocalEngine(journal, {"*": model()}, concurrency=8, budget=budget)
        made = await engine.map(twice, ITEMS)
        assert journal.counts()["calls"] == most
    assert made == ITEMS
    assert engine.unfinished is None


async def test_a_budget_of_dollars_and_of_one_role(journal: Journal) -> None:
    budget = Budget([Limit("cost", 0.001, "second")], {"second": Price(1.0, 2.0)})
    engine = LocalEngine(journal, {"*": model()}, concurrency=4, budget=budget)
    assert len(await engine.map(twice, ITEMS)) == 5  # 200 millionths each
    assert budget.total("second").cost == pytest.approx(0.001)
    assert [row["cost"] for row in journal.spending()] == [None, pytest.approx(0.001)]


async def test_dollars_that_nobody_tells_stop_the_run(journal: Journal) -> None:
    engine = LocalEngine(journal, {"*": model()}, budget=Budget([Limit("cost", 1.0)]))
    with pytest.raises(UsageError, match="--price"):
        await engine.map(twice, ITEMS)


async def test_a_recipe_that_swallows_the_refusal_leaves_its_item_unfinished(journal: Journal) -> None:
    async def greedy(item: Instruction, scope: Scope) -> Instruction:
        await asyncio.gather(twice(item, scope.child("a")), twice(item, scope.child("b")), return_exceptions=True)
        return item

    engine = LocalEngine(journal, {"*": model()}, concurrency=2, budget=Budget([Limit("calls", 10)]))
    assert len(await engine.map(greedy, ITEMS)) == 2
    assert engine.dropped == []


async def test_calls_in_flight_are_kept_when_another_item_has_a_bug(journal: Journal) -> None:
    asked = model()

    async def work(item: Instruction, scope: Scope) -> Instruction:
        if item is ITEMS[3]:
            await asyncio.sleep(0.001)
            raise TypeError("wrong")
        return await twice(item, scope)

    engine = LocalEngine(journal, {"*": asked}, concurrency=8)
    with pytest.raises(RecipeBug, match="wrong"):
        await engine.map(work, ITEMS)
    await engine.close()
    assert asked.begun == journal.counts()["calls"] == 7


async def test_the_estimate_of_the_first_items(journal: Journal) -> None:
    async def work(item: Instruction, scope: Scope) -> Instruction:
        await scope.ask("first", item.prompt)
        if item.prompt.endswith("0"):
            scope.drop("round")
        return await twice(item, scope)

    async def after(item: Instruction, scope: Scope) -> Instruction:
        await scope.ask("last", item.prompt)
        return item

    for _ in range(2):  # a replay tells the same
        engine = LocalEngine(journal, {"*": model()}, budget=Budget(prices={"*": Price(1, 1)}), first=20)
        await engine.map(after, await engine.map(work, ITEMS))
        found = estimate(engine.measured, 18, 1000, later=engine.later)
        assert found.seen == 20
        assert found.calls.value == pytest.approx((18 * 3 + 2 + 18) / 20)
        assert found.calls.low < found.calls.value < found.calls.high
        assert found.tokens.value == pytest.approx(150 * found.calls.value)
        assert found.cost.value == pytest.approx(found.tokens.value / 1e6)
        assert journal.counts()["calls"] == 74
        assert f"calls  {found.calls.value * 1000:,.0f}" in found.told()
        unknown = replace(found, items=None).told()
        assert "for 1,000 of them (how many the whole run takes is not known beforehand), with" in unknown


async def test_the_estimate_of_calls_that_were_made_before_anybody_told_a_price(journal: Journal) -> None:
    await LocalEngine(journal, {"*": model()}).map(twice, ITEMS)
    engine = LocalEngine(journal, {"*": model()}, budget=Budget(prices={"*": Price(1, 1)}), first=10)
    await engine.map(twice, ITEMS)
    assert estimate(engine.measured, 10, None).cost.value == pytest.approx(300e-6)


def test_an_interval_of_equal_values_has_no_width() -> None:
    assert interval([3.0] * 10).low == interval([3.0] * 10).high == 3.0
    assert interval([]).value == 0.0
