"""How sure a measured number is: intervals for a proportion, a mean, a difference of two systems, a mean over tasks.

All take and give plain floats and need no numpy. A draw is made by the generator that is passed in, so that a replay
gives the same interval.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import NormalDist

Interval = tuple[float, float]


def proportion(successes: int, total: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for ``successes`` of ``total``, within [0, 1]; (0, 1) if nothing was tried.

    Wilson, JASA 22 (1927) 209-212. It has its level also near 0 and 1, where the normal interval collapses.
    Raises ValueError for counts that cannot be, or a level outside (0, 1).
    """
    _check(level)
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total}: give 0 <= successes <= total")
    if total == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, spread = successes / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    low = 0.0 if successes == 0 else max(0.0, centre - half)  # exact at the ends, where rounding would miss them
    return low, 1.0 if successes == total else min(1.0, centre + half)


def bootstrap(values: Sequence[float], rng: random.Random, rounds: int = 1000, level: float = 0.95) -> Interval:
    """Percentile bootstrap interval of the mean (Efron, 1979): the mean of ``rounds`` resamples of ``values``.

    For scores that are no yes or no, or rows that hang together (resample one number for each group of them).
    Raises ValueError if there are no values or no rounds.
    """
    return macro([values], rng, rounds, level)


def paired(
    first: Sequence[float], second: Sequence[float], rng: random.Random, rounds: int = 1000, level: float = 0.95
) -> Interval:
    """Bootstrap interval of mean(first) - mean(second) over the same items in the same order.

    Items are resampled, and both systems' scores with them: what makes an item hard for both cancels out. Raises
    ValueError if the lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} scores and {len(second)}: give both systems' scores of the same items")
    return bootstrap([a - b for a, b in zip(first, second)], rng, rounds, level)


def macro(groups: Sequence[Sequence[float]], rng: random.Random, rounds: int = 1000, level: float = 0.95) -> Interval:
    """Bootstrap interval of the unweighted mean of the groups' means; each group is resampled on its own.

    For a benchmark's mean over tasks. Raises ValueError if there is no group, or an empty one.
    """
    _check(level)
    if rounds < 1:
        raise ValueError(f"{rounds} rounds: give at least 1")
    if not groups or not all(groups):
        raise ValueError("no values: give at least one to each group")
    draws = [_means(values, rng, rounds) for values in groups]
    means = sorted(math.fsum(draw[k] for draw in draws) / len(draws) for k in range(rounds))
    return _quantile(means, (1 - level) / 2), _quantile(means, (1 + level) / 2)


def _means(values: Sequence[float], rng: random.Random, rounds: int) -> list[float]:
    size = len(values)
    if size == 1 or min(values) == max(values):
        return [float(values[0])] * rounds
    total: Callable[[Sequence[float]], float] = sum if all(float(v).is_integer() for v in values) else math.fsum
    return [total(rng.choices(values, k=size)) / size for _ in range(rounds)]


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest of the ordered values."""
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level {level}: give a number between 0 and 1, such as 0.95")
