"""The curve of difficulty: how many tasks lie in each bucket of plan length, and where to go on."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES, bucket

Direction = Literal["easier", "harder", "sideways"]


def curve(lengths: Iterable[int]) -> dict[str, int]:
    """Tasks per bucket of plan length, every bucket named; lengths below the first bucket are left out."""
    counts = dict.fromkeys(BUCKET_NAMES, 0)
    for length in lengths:
        name = bucket(length)
        if name is not None:
            counts[name] += 1
    return counts


def entropy(counts: Mapping[str, int]) -> float:
    """Shannon entropy of a curve in bits: 0 if all tasks are in one bucket, log2(6) = 2.58 if it is flat."""
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values() if n) if total else 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """Make a task for ``bucket`` out of ``seeds[seed]``, which lies in this ``direction``."""

    bucket: str
    direction: Direction
    seed: int


def steer(
    counts: Mapping[str, int], seeds: Sequence[int], rng: random.Random, *, failed: Mapping[str, int] | None = None
) -> Order | None:
    """What to evolve next. ``seeds`` are plan lengths; ``failed`` counts orders per bucket that gave nothing.

    The bucket with the fewest tasks is next; two failures count as one task, so that a bucket that a domain cannot
    fill does not hold up the others. The seed is drawn from the three whose buckets are nearest. None without seeds.
    """
    if not seeds:
        return None
    failures = failed or {}
    names = list(BUCKET_NAMES)
    rng.shuffle(names)
    wanted = min(names, key=lambda name: counts.get(name, 0) + failures.get(name, 0) / 2)
    goal = BUCKET_NAMES.index(wanted)
    places = [_place(length) for length in seeds]
    order = list(range(len(seeds)))
    rng.shuffle(order)
    seed = rng.choice(sorted(order, key=lambda i: abs(places[i] - goal))[:3])
    direction: Direction = "sideways" if places[seed] == goal else "harder" if places[seed] < goal else "easier"
    return Order(wanted, direction, seed)


def _place(length: int) -> int:
    name = bucket(length)
    return -1 if name is None else BUCKET_NAMES.index(name)
