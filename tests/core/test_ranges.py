from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from cultivar.core.ranges import within


@dataclass(frozen=True)
class Config:
    reply_tokens: float | None = 1
    share: float = 0.5

    def __post_init__(self) -> None:
        within(self, {"reply_tokens": 1, "share": (0, 1)})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"reply_tokens": 0}, "--reply-tokens 0: give at least 1"),
        ({"reply_tokens": math.inf}, "--reply-tokens inf: give at least 1"),
        ({"reply_tokens": math.nan}, "--reply-tokens nan: give at least 1"),
        ({"share": 1.1}, "--share 1.1: give 0 to 1"),
        ({"share": -0.1}, "--share -0.1: give 0 to 1"),
    ],
)
def test_outside(given: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        Config(**given)


def test_within() -> None:
    assert Config(reply_tokens=None, share=0).share == 0
    assert Config(reply_tokens=1, share=1).share == 1
