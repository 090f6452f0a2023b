"""Battles of players on prompts -> ratings with intervals, win matrices, agreement.

Bradley-Terry ratings are the maximum of the likelihood P(a beats b) = 1 / (1 + 10^((b - a) / 400)), a tie counted as
half a win of each. They do not depend on the order of the battles. ``elo`` does: it goes through them once and moves
both players a little after each, so that the same battles in another order, and above all a player who meets the strong
ones late, give other numbers. It is here for comparison with tables that were made so; rank by ``leaderboard``.

The maximum exists only if every player is reached from every other by a chain of wins (Ford 1957). Where it is not so,
because somebody always won, or two groups never met, every player gets one tie against an imaginary player of middling
strength, and the result says that it was ``regularised``.

Ratings are relative. They are shifted so that the anchor, or where there is none the mean of the players, stands at a
given number; an interval is that of the difference to the anchor, or to the mean.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cultivar.core.extras import needed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

SCALE = 400 / math.log(10)
"""Points of a rating for each unit of log-odds."""
STEPS = 200
"""Newton steps at most; a dozen are usual."""
AT_ONCE = 4_000_000
"""Cells of the matrices (rounds x players x players) that are held at a time."""


@dataclass(frozen=True, slots=True)
class Battle:
    """``outcome`` is the share of ``a``: 1 if it won, 0 if it lost, 0.5 for a tie. ``prompt`` says on what."""

    a: str
    b: str
    outcome: float
    prompt: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ValueError(f"{self.a} cannot battle itself")
        if not 0 <= self.outcome <= 1:
            raise ValueError(f"the outcome of {self.a} against {self.b} is {self.outcome}; give 1, 0 or 0.5")
        if not 0 < self.weight < math.inf:
            raise ValueError(f"the weight of {self.a} against {self.b} is {self.weight}; give more than 0")


@dataclass(frozen=True, slots=True)
class Rating:
    """``rating`` is the maximum of the likelihood; ``median``, ``low`` and ``high`` are of the bootstrap rounds."""

    player: str
    rating: float
    median: float
    low: float
    high: float
    battles: int


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """``ratings`` best first. ``regularised_rounds`` counts the bootstrap rounds that had no maximum of their own."""

    ratings: tuple[Rating, ...]
    regularised: bool
    regularised_rounds: int
    rounds: int
    resampled: str

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(row.player for row in self.ratings)

    @property
    def separability(self) -> float:
        """The share of pairs of players whose intervals do not overlap."""
        pairs = list(itertools.combinations(self.ratings, 2))
        return sum(one.low > two.high or two.low > one.high for one, two in pairs) / max(1, len(pairs))


@dataclass(frozen=True, slots=True)
class WinMatrix:
    """``shares[i][j]`` is what player i took of its battles with player j (None if there were none)."""

    players: tuple[str, ...]
    shares: tuple[tuple[float | None, ...], ...]
    battles: tuple[tuple[int, ...], ...]


def elo(battles: Iterable[Battle], *, k: float = 4.0, start: float = 1000.0) -> dict[str, float]:
    """Online ratings after these battles in this order (see the module on why not to rank by them)."""
    ratings: defaultdict[str, float] = defaultdict(lambda: start)
    for battle in battles:
        expected = 1 / (1 + 10 ** ((ratings[battle.b] - ratings[battle.a]) / 400))
        moved = k * battle.weight * (battle.outcome - expected)
        ratings[battle.a] += moved
        ratings[battle.b] -= moved
    return dict(ratings)


def bradley_terry(battles: Iterable[Battle], *, anchor: str | None = None, at: float = 1000.0) -> dict[str, float]:
    """The maximum-likelihood ratings, best first; ``anchor`` (or the mean) stands at ``at``."""
    table = _Table(battles, "battles")
    strengths, _ = _fit(table.wins()[None])
    rated = _shifted(strengths, table.index(anchor), at)[0]
    return dict(sorted(zip(table.players, map(float, rated), strict=True), key=lambda item: -item[1]))


def leaderboard(
    battles: Iterable[Battle],
    *,
    anchor: str | None = None,
    at: float = 1000.0,
    resample: Literal["prompts", "battles"] = "prompts",
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Leaderboard:
    """Bradley-Terry ratings with percentile-bootstrap intervals.

    What is drawn again in each round are the prompts with all their battles, because the battles on one prompt depend
    on each other (a player that is good at it wins all of them); ``resample="battles"`` draws battles one by one, for
    battles that are independent. Needs numpy. Raises ValueError if there are no battles, the anchor is in none of them,
    or prompts are to be drawn and a battle names none.
    """
    numpy: Any = needed("numpy", "curate")
    table = _Table(battles, resample)
    place = table.index(anchor)
    strengths, regularised = _fit(table.wins()[None])
    rated = _shifted(strengths, place, at)[0]
    generator = numpy.random.default_rng(seed)
    at_once = max(1, AT_ONCE // len(table.players) ** 2)
    drawn, bare = [], 0
    for start in range(0, rounds, at_once):
        again = numpy.stack([table.drawn(generator) for _ in range(min(at_once, rounds - start))])
        found, mended = _fit(again, strengths[0])
        drawn.append(_shifted(found, place, at))
        bare += int(mended.sum())
    edge = 100 * (1 - level) / 2
    low, median, high = numpy.percentile(numpy.concatenate(drawn), [edge, 50, 100 - edge], axis=0)
    rows = [
        Rating(player, float(rated[i]), float(median[i]), float(low[i]), float(high[i]), table.battles[i])
        for i, player in enumerate(table.players)
    ]
    rows.sort(key=lambda row: (-row.rating, row.player))
    return Leaderboard(tuple(rows), bool(regularised[0]), bare, rounds, resample)


class _Table:
    """Battles as numbers. A *unit* is what a bootstrap round draws; ``cells`` (i * players + j: i beat j) and
    ``amounts`` hold what each unit adds to the wins, ``owners`` whose it is; ``sizes`` units are alike."""

    def __init__(self, battles: Iterable[Battle], resample: str) -> None:
        numpy: Any = needed("numpy", "curate")
        if resample not in ("prompts", "battles"):
            raise ValueError(f"resample={resample!r}: give prompts or battles")
        alike: dict[Battle | str, int] = {}
        units: defaultdict[int, dict[tuple[str, str], float]] = defaultdict(dict)
        sizes: list[int] = []
        counts: defaultdict[str, int] = defaultdict(int)
        for battle in battles:
            if resample == "prompts" and not battle.prompt:
                raise ValueError(f'{battle.a} against {battle.b} names no prompt; give one, or resample="battles"')
            kind = battle.prompt if resample == "prompts" else _without_prompt(battle)
            unit = alike.setdefault(kind, len(alike))
            if unit == len(sizes):
                sizes.append(1)
            elif resample == "battles":
                sizes[unit] += 1
            counts[battle.a] += 1
            counts[battle.b] += 1
            if resample == "prompts" or sizes[unit] == 1:
                won = units[unit]
                for pair, share in (((battle.a, battle.b), battle.outcome), ((battle.b, battle.a), 1 - battle.outcome)):
                    won[pair] = won.get(pair, 0.0) + battle.weight * share
        if not sizes:
            raise ValueError("there are no battles to rate")
        self.players = tuple(sorted(counts))
        self.battles = tuple(counts[player] for player in self.players)
        place = {player: i for i, player in enumerate(self.players)}
        flat = [
            (u, place[a] * len(place) + place[b], won) for u, m in units.items() for (a, b), won in m.items() if won
        ]
        self.owners = numpy.array([row[0] for row in flat])
        self.cells = numpy.array([row[1] for row in flat])
        self.amounts = numpy.array([row[2] for row in flat])
        self.sizes = numpy.array(sizes)

    def index(self, player: str | None) -> int | None:
        if player is not None and player not in self.players:
            raise ValueError(f"the anchor {player!r} is in no battle; players are {', '.join(self.players)}")
        return None if player is None else self.players.index(player)

    def wins(self, times: Any = None) -> Floats:
        """[i, j]: how often i beat j, with each unit taken ``times`` over."""
        numpy: Any = needed("numpy", "curate")
        taken = (self.sizes if times is None else times)[self.owners] * self.amounts
        size = len(self.players)
        found: Floats = numpy.bincount(self.cells, taken, size * size).reshape(size, size)
        return found

    def drawn(self, generator: np.random.Generator) -> Floats:
        """The wins of as many units as there are, drawn with replacement."""
        numpy: Any = needed("numpy", "curate")
        total = int(self.sizes.sum())
        if total == len(self.sizes):  # each unit is one of its kind
            return self.wins(numpy.bincount(generator.integers(total, size=total), minlength=total))
        return self.wins(generator.multinomial(total, self.sizes / total))


def _without_prompt(battle: Battle) -> Battle:
    return battle if not battle.prompt else Battle(battle.a, battle.b, battle.outcome, "", battle.weight)


def _fit(wins: Floats, start: Floats | None = None) -> tuple[Floats, NDArray[np.bool_]]:
    """(strengths in log-odds, whether it was regularised) for each of a stack of matrices of wins, by Newton's method.

    ``wins`` is rounds x players x players. The sum of the strengths of a round is left where it started.
    """
    numpy: Any = needed("numpy", "curate")
    rounds, size, _ = wins.shape
    games = wins + wins.transpose(0, 2, 1)
    lone = ~_strongly_connected(wins)
    tie = lone[:, None].astype(float)  # one tie each against an imaginary player of strength 0
    fixed = numpy.where(lone, 0.0, 1.0)[:, None, None] / size  # takes away the freedom to shift all strengths
    strengths = numpy.zeros((rounds, size)) if start is None else numpy.tile(start, (rounds, 1))
    strengths = numpy.where(lone[:, None], 0.0, strengths)
    diagonal = numpy.arange(size)
    for _ in range(STEPS):
        expected = _logistic(strengths[:, :, None] - strengths[:, None, :])
        alone = _logistic(strengths)
        slope = (wins - games * expected).sum(axis=2) + tie * (0.5 - alone)
        bend = games * expected * (1 - expected)
        curvature = fixed - bend
        curvature[:, diagonal, diagonal] += bend.sum(axis=2) + tie * alone * (1 - alone) + 1e-12
        step = numpy.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        longest = abs(step).max(axis=1, keepdims=True)
        strengths = strengths + step * numpy.minimum(1.0, 1.0 / numpy.maximum(longest, 1e-300))
        if longest.max() < 1e-9:
            break
    return strengths, lone


def _logistic(x: Floats) -> Floats:
    numpy: Any = needed("numpy", "curate")
    found: Floats = 0.5 * (1 + numpy.tanh(0.5 * x))
    return found


def _strongly_connected(wins: Floats) -> NDArray[np.bool_]:
    """Whether in each round every player is reached from every other by a chain of wins."""
    numpy: Any = needed("numpy", "curate")
    size = wins.shape[1]
    reached = ((wins > 0) | numpy.eye(size, dtype=bool)).astype(numpy.float32)
    for _ in range(max(1, math.ceil(math.log2(max(2, size))))):
        reached = numpy.minimum(reached @ reached, 1.0)
    found: NDArray[np.bool_] = (reached > 0).all(axis=(1, 2))
    return found


def _shifted(strengths: Floats, anchor: int | None, at: float) -> Floats:
    base = strengths.mean(axis=1, keepdims=True) if anchor is None else strengths[:, anchor : anchor + 1]
    return at + SCALE * (strengths - base)


def win_matrix(battles: Iterable[Battle], players: Sequence[str] = ()) -> WinMatrix:
    """Who took how much from whom; players in the order given, the others after them by name."""
    shares: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for battle in battles:
        for pair, share in (((battle.a, battle.b), battle.outcome), ((battle.b, battle.a), 1 - battle.outcome)):
            cell = shares[pair]
            cell[0] += battle.weight * share
            cell[1] += battle.weight
            cell[2] += 1
    names = [*players, *sorted({a for a, _ in shares} - set(players))]
    rows = [[shares.get((a, b), [0.0, 0.0, 0.0]) for b in names] for a in names]
    return WinMatrix(
        tuple(names),
        tuple(tuple(won / total if total else None for won, total, _ in row) for row in rows),
        tuple(tuple(int(count) for _, _, count in row) for row in rows),
    )


def agreement(one: Iterable[Battle], other: Iterable[Battle]) -> tuple[int, int]:
    """(agreed, common): on how many of the prompts and pairs that two judges both judged they name the same winner, or
    both name none. Several battles of a pair on a prompt count as one, by their mean."""
    first, second = _verdicts(one), _verdicts(other)
    common = first.keys() & second.keys()
    return sum(first[key] == second[key] for key in common), len(common)


def _verdicts(battles: Iterable[Battle]) -> dict[tuple[str, str, str], int]:
    """(prompt, player, other player), the two by name -> 1 if the first won, -1 if the second, 0 for a tie."""
    margins: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for battle in battles:
        one, two = sorted((battle.a, battle.b))
        margin = battle.weight * (2 * battle.outcome - 1)
        margins[battle.prompt, one, two] += margin if battle.a == one else -margin
    return {key: (margin > 0) - (margin < 0) for key, margin in margins.items()}


def spearman(ratings: Mapping[str, float], reference: Mapping[str, float] | Sequence[str]) -> float:
    """Rank correlation with reference ratings, or with an order (best first), over the players in both.

    Ties share their mean rank. NaN where fewer than two players are common, or all of them are tied.
    """
    if not isinstance(reference, Mapping):
        reference = {player: -float(place) for place, player in enumerate(reference)}
    players = sorted(ratings.keys() & reference.keys())
    ranks = [_ranks([side[player] for player in players]) for side in (ratings, reference)]
    middle = (len(players) - 1) / 2
    together = sum((a - middle) * (b - middle) for a, b in zip(*ranks, strict=True))
    spread = math.sqrt(math.prod(sum((rank - middle) ** 2 for rank in side) for side in ranks))
    return together / spread if spread else math.nan


def _ranks(values: Sequence[float]) -> list[float]:
    places: defaultdict[float, list[int]] = defaultdict(list)
    for rank, value in enumerate(sorted(values)):
        places[value].append(rank)
    return [sum(places[value]) / len(places[value]) for value in values]
