from __future__ import annotations

from itertools import islice

from cultivar.core.records import Document
from cultivar.sources.rounds import rounds

PASSAGES = [Document(text=str(n)) for n in range(5)]


def told(size: int, count: int, passages: list[Document] = PASSAGES) -> list[str]:
    return ["".join(d.text for d in batch) for batch in islice(rounds(passages, size), count)]


def test_rounds_go_on_where_the_last_ended() -> None:
    assert told(2, 5) == ["01", "23", "40", "12", "34"]


def test_no_passage_twice_in_a_round() -> None:
    assert told(8, 2) == ["01234", "01234"]
    assert told(3, 2, [PASSAGES[0], PASSAGES[0], PASSAGES[1]]) == ["0", "01"]


def test_nothing() -> None:
    assert told(3, 2, []) == []


def test_it_is_lazy() -> None:
    def endless() -> object:
        n = 0
        while True:
            yield Document(text=str(n))
            n += 1

    assert len(next(rounds(endless(), 4))) == 4  # type: ignore[arg-type]
