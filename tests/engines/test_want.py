from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.core.errors import UsageError
from cultivar.core.journal import Journal
from cultivar.core.records import Instruction
from cultivar.core.scope import Scope
from cultivar.engines.local import LocalEngine
from cultivar.engines.want import Target, Want, read_targets
from cultivar.testing import FunctionModel


async def keep(item: Instruction, scope: Scope) -> Instruction:
    """Accepts what the model says yes to, after a time that has nothing to do with the order of the items."""
    answer = await scope.ask("judge", item.prompt)
    await asyncio.sleep(scope.rng("wait").random() * 0.002)
    if answer.text != "yes":
        scope.drop("no")
    return item


def source(kinds: Sequence[str]) -> list[Instruction]:
    return [Instruction(prompt=f"{kind} {n}", meta={"difficulty": kind}) for n, kind in enumerate(kinds)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def model() -> FunctionModel:
    return FunctionModel(lambda request: "no" if "hard" in str(request.messages) else "yes")


def test_targets_are_read() -> None:
    assert read_targets(["500", "difficulty=hard:100", "difficulty.bucket=9+:20"]) == (
        Target(500),
        Target(100, "difficulty", "hard"),
        Target(20, "difficulty.bucket", "9+"),
    )


@pytest.mark.parametrize("text", ["many", "0", "-1", "difficulty:5", "=hard:5", "difficulty=:5", "difficulty=hard"])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UsageError, match="write --want N"):
        read_targets([text])


async def test_no_item_is_begun_that_is_not_needed(journal: Journal) -> None:
    asked = model()
    items = source(["easy", "hard"] * 100)
    engine = LocalEngine(journal, {"*": asked}, concurrency=16, want=[Target(20)])
    made = await engine.map(keep, items)
    assert made == [item for item in items if item.meta["difficulty"] == "easy"][:20]
    assert len(asked.requests) == 39  # up to the twentieth that is accepted, and not one more


async def test_quotas_are_filled_in_the_order_of_the_items(journal: Journal) -> None:
    items = source(["easy", "easy", "easy", "rare"] * 50)
    want = [Target(10, "difficulty", "easy"), Target(10, "difficulty", "rare")]
    engine = LocalEngine(journal, {"*": model()}, concurrency=16, want=want)
    made = await engine.map(keep, items)
    kinds = [item.meta["difficulty"] for item in items]
    easy = [item for item, kind in zip(items, kinds, strict=True) if kind == "easy"][:10]
    rare = [item for item, kind in zip(items, kinds, strict=True) if kind == "rare"][:10]
    assert made == sorted([*easy, *rare], key=lambda item: int(item.prompt.split()[1]))
    assert [row["reason"] for row in engine.dropped] == ["not-wanted"] * (40 - 20)


async def test_a_replay_asks_nothing_and_more_may_be_wanted(journal: Journal) -> None:
    items = source(["easy", "hard", "easy"] * 60)
    first = await LocalEngine(journal, {"*": model()}, want=[Target(30)]).map(keep, items)
    again = model()
    for concurrency in (1, 5, 64):
        engine = LocalEngine(journal, {"*": again}, concurrency=concurrency, want=[Target(30)])
        assert await engine.map(keep, items) == first
    assert again.requests == []
    more = await LocalEngine(journal, {"*": again}, want=[Target(40)]).map(keep, items)
    assert more[:30] == first
    assert len(more) == 40
    assert len(again.requests) == 15


async def test_a_source_that_is_too_small_gives_what_it_has(journal: Journal) -> None:
    engine = LocalEngine(journal, {"*": model()}, want=[Target(30)])
    assert len(await engine.map(keep, source(["easy", "hard"] * 10))) == 10


async def test_generations_of_one_stage_count_together(journal: Journal) -> None:
    engine = LocalEngine(journal, {"*": model()}, want=[Target(30)])
    made = [len(await engine.map(keep, source(["easy"] * 20), stage="round")) for _ in range(3)]
    assert made == [20, 10, 0]


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(["easy", "hard", "rare"]), max_size=60),
    st.dictionaries(st.sampled_from(["", "easy", "rare"]), st.integers(1, 8), min_size=1),
    st.integers(1, 9),
)
def test_the_rows_depend_on_the_items_alone(kinds: list[str], wanted: dict[str, int], pool: int) -> None:
    """Whatever the pool, the rows are those that going through the items one by one would keep."""
    targets = [Target(number, "difficulty" if value else "", value) for value, number in wanted.items()]
    items = source(kinds)
    left, expected, looked_at = dict(wanted), [], 0
    for item in items:
        if not any(number > 0 for number in left.values()):
            break
        looked_at += 1
        meets = [value for value in left if value in ("", item.meta["difficulty"])]
        if item.meta["difficulty"] != "hard" and any(left[value] > 0 for value in meets):
            expected.append(item)
            left = {value: number - (value in meets) for value, number in left.items()}

    async def go(folder: Path) -> tuple[list[Instruction], int]:
        asked = model()
        with Journal(folder / "journal.sqlite") as journal:
            made = await LocalEngine(journal, {"*": asked}, concurrency=pool, want=targets).map(keep, items)
        return list(made), len(asked.requests)

    with tempfile.TemporaryDirectory() as folder:
        made, calls = asyncio.run(go(Path(folder)))
    assert made == expected
    assert calls == looked_at


def test_results_without_records_are_not_counted() -> None:
    want = Want([Target(1)])
    want.accepted({"no": "record"})
    assert want.missing == 1
