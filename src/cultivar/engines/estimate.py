"""What a whole run will take, told by its first items."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cultivar.core.budget import Spent, dollars

FIRST = 50
"""Items that ``--estimate`` runs."""
_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95% interval by the bootstrap (Efron, 1979; percentiles of resampled means)."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        return Interval(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Means for one item; ``items`` is how many the whole run has (None: not known), ``seen`` how many were run."""

    seen: int
    accepted: int
    items: int | None
    calls: Interval
    tokens: Interval
    cost: Interval

    def told(self) -> str:
        """Three lines, of the whole where its size is known and of 1,000 items otherwise, which is said."""
        whole = self.items if self.items is not None else 1000
        unknown = " of them (how many the whole run takes is not known beforehand)" if self.items is None else ""
        head = f"after {self.seen:,} items ({self.accepted:,} accepted), for {whole:,}{unknown}"
        lines = [f"{head}, with 95% intervals:"]
        for name, found, told in (
            ("calls", self.calls, "{:,.0f}".format),
            ("tokens", self.tokens, "{:,.0f}".format),
            ("money", self.cost, dollars),
        ):
            if found.value:
                value = found.times(whole)
                lines.append(f"  {name:<7}{told(value.value)}  ({told(value.low)} to {told(value.high)})")
        return "\n".join(lines)


def estimate(
    measured: Sequence[Spent], accepted: int, items: int | None, *, later: Spent | None = None, seed: int = 0
) -> Estimate:
    """From what each of the first items took; ``later`` is what the stages after theirs took, an equal share for each.

    A run that wants N accepted rows has N / (share accepted) items.
    """
    more, share = later or Spent(), 1 / max(1, len(measured))
    return Estimate(
        len(measured),
        accepted,
        items,
        interval([s.calls + more.calls * share for s in measured], seed),
        interval([s.tokens + more.tokens * share for s in measured], seed),
        interval([s.cost + more.cost * share for s in measured], seed),
    )


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """The mean of ``values`` and where it lies; of none, zero."""
    if not values:
        return Interval(0.0, 0.0, 0.0)
    draw = random.Random(seed)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(_DRAWS))
    return Interval(statistics.fmean(values), means[int(0.025 * _DRAWS)], means[int(0.975 * _DRAWS) - 1])
