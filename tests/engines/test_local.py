from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cultivar.core.errors import EndpointError, RecipeBug, Unparsable, UsageError
from cultivar.core.journal import Journal
from cultivar.core.records import Document
from cultivar.core.scope import Scope
from cultivar.engines.local import LocalEngine
from cultivar.testing import FunctionModel, ScriptedModel

DOCUMENTS = [Document(text=f"passage {n}") for n in range(20)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


async def upper(document: Document, scope: Scope) -> str:
    number = int(document.text.split()[-1])
    await asyncio.sleep((20 - number) * 0.001)
    return document.text.upper()


async def test_results_are_in_the_order_of_the_items(journal: Journal) -> None:
    assert await LocalEngine(journal).map(upper, DOCUMENTS) == [d.text.upper() for d in DOCUMENTS]


async def test_items_are_taken_lazily(journal: Journal) -> None:
    taken: list[int] = []
    most = 0
    flying = 0

    def source() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    async def work(item: int, scope: Scope) -> int:
        nonlocal most, flying
        flying += 1
        most = max(most, len(taken) - item)
        assert flying <= 7
        await asyncio.sleep(0)
        flying -= 1
        return item

    assert await LocalEngine(journal, concurrency=7).map(work, source()) == list(range(100))
    assert most <= 8


async def test_outcomes(journal: Journal) -> None:
    async def judge(document: Document, scope: Scope) -> Document:
        number = int(document.text.split()[-1])
        if number == 3:
            scope.drop("third", seen=number)
        if number == 4:
            scope.child("part").discard("part", {"n": 4}, why="small")
        if number == 5:
            raise EndpointError("down")
        if number == 6:
            raise Unparsable("gibberish")
        return document

    engine = LocalEngine(journal)
    made = await engine.map(judge, DOCUMENTS[:8], stage="judging")
    assert [d.text for d in made] == [f"passage {n}" for n in (0, 1, 2, 4, 7)]
    assert [(r["reason"], r["stage"]) for r in engine.dropped] == [
        ("third", "judging"),
        ("part", "judging"),
        ("failed-infrastructure", "judging"),
        ("failed-model", "judging"),
    ]
    assert engine.dropped[0]["evidence"] == {"seen": 3}
    assert engine.dropped[0]["subject"]["text"] == "passage 3"


async def test_a_bug_stops_the_run_and_names_its_item(journal: Journal) -> None:
    async def broken(document: Document, scope: Scope) -> str:
        return str(document.text + 1)  # type: ignore[operator]

    with pytest.raises(RecipeBug, match=f"--only {DOCUMENTS[0].id}") as caught:
        await LocalEngine(journal, concurrency=1).map(broken, DOCUMENTS)
    assert isinstance(caught.value.__cause__, TypeError)


async def test_a_bug_names_the_branch_and_the_command_that_replays_its_item(journal: Journal) -> None:
    async def inner(scope: Scope) -> None:
        raise KeyError("title")

    async def broken(document: Document, scope: Scope) -> None:
        await asyncio.gather(inner(scope.child("left").child("leaf")), asyncio.sleep(0))

    command = "cultivar run --config runs/x --out runs/x"
    with pytest.raises(RecipeBug) as caught:
        await LocalEngine(journal, concurrency=1, command=command).map(broken, DOCUMENTS, stage="grow")
    assert caught.value.path == "grow/left/leaf"
    assert "KeyError in 'grow/left/leaf' on item" in str(caught.value)
    assert str(caught.value).endswith(f"{command} --only {DOCUMENTS[0].id}")


async def test_a_user_error_is_no_bug(journal: Journal) -> None:
    async def asks(document: Document, scope: Scope) -> str:
        return (await scope.ask("judge", "?")).text

    with pytest.raises(UsageError, match="role 'judge'"):
        await LocalEngine(journal).map(asks, DOCUMENTS)


async def test_the_same_item_twice_is_two_items(journal: Journal) -> None:
    async def draw(document: Document, scope: Scope) -> float:
        return scope.rng("x").random()

    made = await LocalEngine(journal).map(draw, [DOCUMENTS[0], DOCUMENTS[0]])
    assert made[0] != made[1]


async def test_a_stage_run_again_draws_anew_and_asks_anew(journal: Journal) -> None:
    model = FunctionModel(lambda _: "x")
    engine = LocalEngine(journal, {"*": model})

    async def ask(document: Document, scope: Scope) -> float:
        await scope.ask("any", "p")
        return scope.rng("x").random()

    assert await engine.map(ask, DOCUMENTS[:1]) != await engine.map(ask, DOCUMENTS[:1])
    assert len(model.requests) == 2


async def test_a_stage_that_is_named_goes_on(journal: Journal) -> None:
    model = FunctionModel(lambda _: "x")
    engine = LocalEngine(journal, {"*": model})

    async def ask(document: Document, scope: Scope) -> str:
        await scope.ask("any", "p")
        return scope.path

    for _ in range(2):
        assert list(await engine.map(ask, DOCUMENTS[:1], stage="round-1")) == ["round-1"]
    assert len(model.requests) == 1


async def test_stop_admits_nothing_more_and_keeps_what_is_done(journal: Journal) -> None:
    engine = LocalEngine(journal, concurrency=2)

    async def work(document: Document, scope: Scope) -> str:
        if document.text.endswith(" 5"):
            engine.stop()
        await asyncio.sleep(0)
        return document.text

    made = await engine.map(work, DOCUMENTS)
    assert 5 <= len(made) <= 8
    assert await engine.map(work, DOCUMENTS) == []


async def test_only_one_item_is_asked_for_the_others_are_replayed(journal: Journal) -> None:
    async def chain(document: Document, scope: Scope) -> Document:
        await scope.ask("any", f"p {document.text}")
        return document

    model = FunctionModel(lambda _: "x")
    await LocalEngine(journal, {"*": model}).map(chain, DOCUMENTS[:3])
    model.requests.clear()
    engine = LocalEngine(journal, {"*": model}, only=DOCUMENTS[4].id)
    assert list(await engine.map(chain, DOCUMENTS)) == [*DOCUMENTS[:3], DOCUMENTS[4]]
    assert engine.chosen is not None
    assert (engine.chosen.status, engine.chosen.result) == ("accepted", DOCUMENTS[4])
    assert len(model.requests) == 1
    assert engine.stopping
    unknown = LocalEngine(journal, {"*": model}, only="nobody")
    await unknown.map(chain, DOCUMENTS)
    assert unknown.chosen is None
    assert len(model.requests) == 1


async def test_a_run_that_was_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    async def chain(document: Document, scope: Scope) -> str:
        first = await scope.ask("any", f"first {document.text}")
        second = await scope.ask("any", f"second {first.text}")
        return second.text

    def answer(request: object) -> str:
        return f"answer {hash(str(request)) % 7}"

    whole = FunctionModel(answer)
    with Journal(tmp_path / "a.sqlite") as journal:
        wanted = await LocalEngine(journal, {"*": whole}).map(chain, DOCUMENTS)
    limited = 0

    def failing(request: object) -> str:
        nonlocal limited
        limited += 1
        if limited > 11:
            raise RuntimeError("the process dies here")
        return answer(request)

    with Journal(tmp_path / "b.sqlite") as journal, pytest.raises(RecipeBug):
        await LocalEngine(journal, {"*": FunctionModel(failing)}, concurrency=3).map(chain, DOCUMENTS)
    rest = FunctionModel(answer)
    with Journal(tmp_path / "b.sqlite") as journal:
        assert await LocalEngine(journal, {"*": rest}).map(chain, DOCUMENTS) == wanted
    assert len(rest.requests) == len(whole.requests) - 11


def double(n: int) -> int:
    return 2 * n


def die(n: int) -> int:
    import os

    if n == 2:
        os._exit(9)
    return n


async def test_work_is_done_in_other_processes(journal: Journal) -> None:
    async def work(item: int, scope: Scope) -> int:
        found: int = await scope.once("double", double, item)
        return found

    engine = LocalEngine(journal, workers=2)
    assert await engine.map(work, range(10)) == [2 * n for n in range(10)]
    await engine.close()


async def test_a_worker_that_dies_fails_its_item_and_no_run(journal: Journal) -> None:
    async def work(item: int, scope: Scope) -> int:
        found: int = await scope.once("die", die, item)
        return found

    engine = LocalEngine(journal, workers=2, concurrency=6)
    assert await engine.map(work, range(6)) == [0, 1, 3, 4, 5]
    assert [r["reason"] for r in engine.dropped] == ["failed-infrastructure"]
    await engine.close()


async def test_set_level_steps_are_done_once(journal: Journal) -> None:
    assert await LocalEngine(journal).once("double", double, 4) == 8
    assert await LocalEngine(journal, {"*": ScriptedModel([])}).once("double", double, 4) == 8
    assert journal.counts()["effects"] == 1
