"""Flags of ``run`` that bound it: rows wanted, budgets, prices, the estimate."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from cultivar.cli.arguments import Parser
from cultivar.core.budget import Budget, Limit, Price
from cultivar.core.errors import UsageError, did_you_mean
from cultivar.engines.estimate import FIRST, Estimate, estimate
from cultivar.engines.local import LocalEngine
from cultivar.engines.want import Target, read_targets

KINDS: tuple[Literal["calls", "tokens", "cost"], ...] = ("calls", "tokens", "cost")


def add_limit_flags(parser: Parser) -> None:
    group = parser.add_argument_group("limits (what an earlier run in the same folder spent counts too)")
    text = "end with N accepted rows, or with N whose meta has this value; may be given several times"
    group.add_argument("--want", metavar="[FIELD=VALUE:]N", action="append", default=[], help=text)
    for kind, unit in (("cost", "dollars"), ("tokens", "tokens"), ("calls", "calls")):
        text = f"spend at most so many {unit}, in all or in one role; exit code 3 when they are spent"
        group.add_argument(f"--max-{kind}", metavar="[ROLE=]N", action="append", default=[], help=text)
    text = "dollars for a million tokens of prompts and of replies (default: what the endpoint says), and the share of "
    text += "it that a call in a batch costs, as 0.5 (default: 1)"
    group.add_argument("--price", metavar="[ROLE=]IN,OUT[,BATCH]", action="append", default=[], help=text)
    group.add_argument(
        "--estimate", action="store_true", help=f"run the first {FIRST} items, say what the whole would take, and stop"
    )


class Limits:
    """What the flags say; raises UsageError for what cannot be read."""

    def __init__(self, given: argparse.Namespace, roles: Sequence[str]) -> None:
        self.want: tuple[Target, ...] = read_targets(given.want)
        self.limits: list[Limit] = []
        for kind in KINDS:
            for text in getattr(given, f"max_{kind}"):
                role, value = _of_role(f"--max-{kind}", text, roles)
                self.limits.append(Limit(kind, _number(f"--max-{kind}", text, value), role))
        self.prices: dict[str, Price] = {}
        for text in given.price:
            role, value = _of_role("--price", text, roles)
            parts = value.split(",")
            if len(parts) not in (2, 3):
                told = "write --price IN,OUT or --price ROLE=IN,OUT, in dollars; with ,0.5 where a batch costs half"
                raise UsageError(f"--price {text}: {told}")
            self.prices[role or "*"] = Price(*(_number("--price", text, part) for part in parts))
        self.first = FIRST if given.estimate else None

    def budget(self, stored: Iterable[Mapping[str, Any]]) -> Budget:
        return Budget(self.limits, self.prices, stored)

    @property
    def rows(self) -> int | None:
        """Rows that meet all targets at best; None where none are wanted."""
        fields = {target.field for target in self.want}
        return max((sum(t.number for t in self.want if t.field == field) for field in fields), default=None)

    def estimate(self, engine: LocalEngine, records: int, items: int | None, seed: int) -> Estimate:
        """Of the whole run: all items of the source, or as many as the wanted rows take."""
        seen = len(engine.measured)
        if self.rows is not None and records:
            needed = math.ceil(self.rows * seen / records)
            items = needed if items is None else min(items, needed)
        return estimate(engine.measured, records, items, later=engine.later, seed=seed)


class Counted:
    """Items that are read anew by each loop, and are counted when somebody asks how many they are."""

    def __init__(self, items: Callable[[], Iterator[Any]]) -> None:
        self._items = items
        self._count: int | None = None

    def __iter__(self) -> Iterator[Any]:
        return self._items()

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self._items())
        return self._count


def _of_role(flag: str, text: str, roles: Sequence[str]) -> tuple[str | None, str]:
    role, equals, value = text.partition("=")
    if not equals:
        return None, text
    if not any(fnmatchcase(role, known) for known in roles):
        raise UsageError(f"{flag} {text}: this recipe has no role {role!r}{did_you_mean(role, roles)}")
    return role, value


def _number(flag: str, text: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found < math.inf:
        raise UsageError(f"{flag} {text}: {value!r} is no amount; give a number of at least 0")
    return found
