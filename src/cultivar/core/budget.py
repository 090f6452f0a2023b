"""What a run may spend: limits on calls, tokens and dollars, of all roles or of one.

A call that would go beyond a limit is not begun: it raises BudgetSpent, and its item stays unfinished. What a call will
take is not known beforehand, so that the mean of those before stands for each one in flight; when these alone might
reach a limit, the next one waits until one of them has ended. Until the first has ended, few are begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cultivar.core.errors import BudgetSpent, UsageError
from cultivar.core.protocols import Reply, Usage

FEW = 4
"""Calls in flight under a limit of tokens or dollars while nobody knows what one takes."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens of the prompt, and of the reply; ``batch`` is the share of it that a batch costs."""

    prompt: float
    completion: float
    batch: float = 1.0

    def of(self, usage: Usage, model: str = "") -> float:
        """``model`` is its name in the journal, which says whether it is asked in batches."""
        live = (usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6
        return live * self.batch if model.startswith("batch:") else live


@dataclass
class Spent:
    """Calls, tokens and dollars of one role, or of one item."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def add(self, usage: Usage, calls: int = 1) -> None:
        self.calls += calls
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self.cost += usage.cost or 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """``role`` is None for all roles together."""

    what: Literal["calls", "tokens", "cost"]
    most: float
    role: str | None = None

    @property
    def flag(self) -> str:
        return f"--max-{self.what} {f'{self.role}=' if self.role else ''}{self.most:g}"


class Budget:
    """Counts what is spent and says when that is enough. ``prices`` are by role, ``*`` for every other one.

    ``stored`` is ``Journal.spending()``: what the run has spent before counts too.
    """

    def __init__(
        self,
        limits: Sequence[Limit] = (),
        prices: Mapping[str, Price] | None = None,
        stored: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.limits = tuple(limits)
        self.prices = dict(prices or {})
        self.spent: dict[str, Spent] = {}
        self._flying: dict[str, int] = {}
        self._waiting: list[asyncio.Future[None]] = []
        for row in stored:
            usage = Usage(row["prompt_tokens"], row["completion_tokens"], row["cost"])
            if usage.cost is None and (price := self._price(row["role"])) is not None:
                usage = replace(usage, cost=price.of(usage, row.get("model", "")))
            self.spent.setdefault(row["role"], Spent()).add(usage, row["calls"])

    def total(self, role: str | None = None) -> Spent:
        """What one role has spent, or all of them."""
        if role is not None:
            return self.spent.get(role, Spent())
        found = Spent()
        for part in self.spent.values():
            found.add(Usage(part.prompt_tokens, part.completion_tokens, part.cost), part.calls)
        return found

    def priced(self, role: str, reply: Reply, model: str = "") -> Reply:
        """The reply with its cost by the price that was given; the endpoint's own word stands where there is none."""
        price = self._price(role)
        return reply if price is None else replace(reply, usage=replace(reply.usage, cost=price.of(reply.usage, model)))

    async def admit(self, role: str) -> None:
        """Returns when a call of this role may begin, and counts it as begun. Raises BudgetSpent."""
        while not all(self._room(limit) for limit in self.limits if limit.role in (None, role)):
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(ended)
            await ended
        self._flying[role] = self._flying.get(role, 0) + 1

    def ended(self, role: str, usage: Usage | None) -> None:
        """A call that was admitted is over; ``usage`` is None if it was not answered.

        Raises UsageError if dollars are limited and nobody says what the call cost.
        """
        self._flying[role] -= 1
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
        if usage is None:
            return
        self.spent.setdefault(role, Spent()).add(usage)
        if usage.cost is None and any(x.what == "cost" and x.role in (None, role) for x in self.limits):
            raise UsageError(
                f"--max-cost needs to know what a call costs, and the endpoint of {role!r} does not say; "
                f"add --price {role}=IN,OUT (dollars for a million tokens)"
            )

    def _room(self, limit: Limit) -> bool:
        spent = self.total(limit.role)
        used = float(getattr(spent, limit.what))
        flying = sum(self._flying.values()) if limit.role is None else self._flying.get(limit.role, 0)
        if spent.calls == 0 and limit.what != "calls":
            if limit.most <= 0:
                raise BudgetSpent(_told(limit, spent))
            return flying < FEW
        one = used / spent.calls if spent.calls and limit.what != "calls" else 1.0
        if used + one > limit.most and not flying:
            raise BudgetSpent(_told(limit, spent))
        return used + (flying + 1) * one <= limit.most

    def _price(self, role: str) -> Price | None:
        return self.prices.get(role) or self.prices.get("*")


def _told(limit: Limit, spent: Spent) -> str:
    money = f" and {dollars(spent.cost)}" if spent.cost else ""
    return (
        f"the budget {limit.flag} is spent: {spent.calls:,} calls took {spent.tokens:,} tokens{money}; what passed is "
        "written; raise it and run the same command again to go on"
    )


def dollars(amount: float) -> str:
    """$12.30, and $0.0042 where cents would hide it."""
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
