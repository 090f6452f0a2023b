from __future__ import annotations

import pytest

from cultivar.core.dataset import Dataset
from cultivar.core.errors import Unparsable
from cultivar.core.protocols import Engine, Request
from cultivar.core.records import Document, Ranking
from cultivar.core.scope import Scope
from cultivar.testing import FunctionModel, try_recipe
from cultivar.verify.ranking import Ranked, rank, read_ranking

TEXTS = ["poor", "good", "best", "middling"]
WORTH = {"poor": 0, "middling": 1, "good": 2, "best": 3}


def listed(request: Request) -> list[str]:
    """The texts in the order in which the judge was shown them."""
    prompt = str(request.messages[0]["content"])
    return [part.split("\n>>>")[0] for part in prompt.split(":\n<<<\n")[1:]]


def ranked_by(judge: object, texts: list[str] = TEXTS) -> Ranked:
    found: list[Ranked] = []

    async def one(item: Document, scope: Scope) -> Ranking:
        found.append(await rank(scope, "judge", "Write a word.", texts, criteria="worth.", temperature=0.0))
        return Ranking(prompt="p", ranked=tuple(texts))

    async def run(engine: Engine, items: list[Document]) -> Dataset:
        return Dataset(await engine.map(one, items))

    model = FunctionModel(judge)  # type: ignore[arg-type]
    try_recipe(run, [Document(text="x")], model=model)
    assert len(model.requests) == 2
    assert listed(model.requests[0]) == listed(model.requests[1])[::-1]
    return found[0]


def letters(order: list[int]) -> str:
    return '{"ranking": [' + ", ".join(f'"{"ABCDEFGH"[at]}"' for at in order) + "]}"


def test_a_judge_that_reads_ranks_by_worth() -> None:
    def judge(request: Request) -> str:
        shown = listed(request)
        return letters(sorted(range(4), key=lambda at: -WORTH[shown[at]]))

    assert ranked_by(judge) == Ranked((2, 1, 3, 0), (2, 1, 3, 0))


def test_a_judge_that_takes_what_stands_first_tells_nothing_apart() -> None:
    assert len(ranked_by(lambda request: letters([0, 1, 2, 3])).apart) == 1


def test_only_what_is_tied_is_not_told_apart() -> None:
    def judge(request: Request) -> str:
        shown = listed(request)
        rest = [at for at in range(4) if shown[at] != "best"]
        return letters([shown.index("best"), *rest])

    found = ranked_by(judge)
    assert found.order[0] == 2
    assert len(found.apart) == 2
    assert found.apart[0] == 2


@pytest.mark.parametrize(
    "reply",
    ['{"ranking": ["B", "A", "C"]}', '```json\n["b", " a", "c"]\n```', 'I think:\n{"ranking": ["B","A","C",]} ok'],
)
def test_rankings_are_read(reply: str) -> None:
    assert read_ranking(reply, 3) == (1, 0, 2)


@pytest.mark.parametrize(
    "reply", ['{"ranking": ["A", "B"]}', '["A","A","B"]', '{"ranking": "ABC"}', "B > A", "[1,2,3]", "{}"]
)
def test_half_rankings_are_refused(reply: str) -> None:
    with pytest.raises(Unparsable):
        read_ranking(reply, 3)
