"""Ratings of simulated players: order recovered, coverage of the intervals, CPU seconds for 100,000 battles.

    python -m benchmarks.arena [--repetitions 1000] [--rounds 400] [--quick]

Players have known strengths, and on each prompt each of them performs at its strength plus Gumbel noise; the better
performance wins. So the battles of a pair follow Bradley-Terry exactly, and the battles on one prompt depend on each
other. Truth is relative to what intervals are relative to: the mean of the players, or the anchor.
Coverage is the share of repetitions in which the 95% interval of a player holds its truth, over all players; its error
is that of the mean over repetitions (two standard errors), because the players of one repetition are not independent.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Sequence
from itertools import combinations

from cultivar.evaluate.arena import SCALE, Battle, Leaderboard, bradley_terry, elo, leaderboard, spearman

STRENGTHS = (1220.0, 1140.0, 1090.0, 1000.0, 960.0, 880.0, 810.0, 700.0)


def simulated(
    generator: random.Random, strengths: Sequence[float], prompts: int, pairs: int, ties: float = 0.0
) -> list[Battle]:
    """``pairs`` battles on each prompt; those closer than ``ties`` points are ties (truth is then only in order)."""
    names = [f"player {k}" for k in range(len(strengths))]
    every = list(combinations(range(len(strengths)), 2))
    battles = []
    for prompt in range(prompts):
        shown = [s - SCALE * math.log(-math.log(generator.random())) for s in strengths]
        for a, b in generator.sample(every, pairs):
            margin = shown[a] - shown[b]
            outcome = 0.5 if abs(margin) < ties else float(margin > 0)
            battles.append(Battle(names[a], names[b], outcome, str(prompt)))
    return battles


def covered(board: Leaderboard, strengths: Sequence[float], anchor: int | None) -> float:
    """The share of the players whose interval holds the truth; the anchor itself is left out."""
    base = statistics.fmean(strengths) if anchor is None else strengths[anchor]
    truths = {f"player {k}": 1000 + s - base for k, s in enumerate(strengths) if k != anchor}
    rows = [row for row in board.ratings if row.player in truths]
    return statistics.fmean(row.low <= truths[row.player] <= row.high for row in rows)


def coverage(repetitions: int, rounds: int, prompts: int, pairs: int, resample: str, anchor: int | None) -> None:
    shares, ordered, rank = [], 0, 0.0
    truth = [f"player {k}" for k in range(len(STRENGTHS))]
    for repetition in range(repetitions):
        battles = simulated(random.Random(f"arena {repetition}"), STRENGTHS, prompts, pairs)
        name = None if anchor is None else f"player {anchor}"
        how = "prompts" if resample == "prompts" else "battles"
        board = leaderboard(battles, anchor=name, rounds=rounds, resample=how, seed=repetition)  # type: ignore[arg-type]
        shares.append(covered(board, STRENGTHS, anchor))
        ordered += list(board.order) == truth
        rank += spearman({row.player: row.rating for row in board.ratings}, truth)
    mean, error = statistics.fmean(shares), 2 * statistics.stdev(shares) / math.sqrt(repetitions)
    told = "the mean" if anchor is None else f"player {anchor}"
    print(
        f"{prompts} prompts x {pairs} pairs, {resample} drawn, relative to {told}: coverage {100 * mean:.1f}% "
        f"± {100 * error:.1f}; order exact in {100 * ordered / repetitions:.0f}%, Spearman {rank / repetitions:.3f}"
    )


def speed(resample: str, players: int) -> None:
    generator = random.Random("speed")
    strengths = [1000 + 40 * (k - players / 2) for k in range(players)]
    battles = simulated(generator, strengths, 5_000, 20, ties=20)
    start = time.process_time()
    bradley_terry(battles)
    once = time.process_time() - start
    start = time.process_time()
    how = "prompts" if resample == "prompts" else "battles"
    leaderboard(battles, rounds=1000, resample=how)  # type: ignore[arg-type]
    spent = time.process_time() - start
    start = time.process_time()
    elo(battles)
    online = time.process_time() - start
    print(
        f"{len(battles):,} battles of {players} players, 1,000 rounds, {resample} drawn: {spent:.2f} CPU s "
        f"(one fit {once:.2f}; {spent / once:.1f} fits; one pass of online Elo {online:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    args = parser.parse_args()
    repetitions = args.repetitions // 10 if args.quick else args.repetitions
    for resample in ("battles", "prompts"):
        for players in (10, 30):
            speed(resample, players)
    coverage(repetitions, args.rounds, 2_000, 1, "battles", None)
    coverage(repetitions, args.rounds, 2_000, 1, "battles", 3)
    coverage(repetitions, args.rounds, 400, 28, "prompts", None)
    coverage(repetitions, args.rounds, 400, 28, "prompts", 3)
    print("not to be done (the battles of one prompt are not independent):")
    coverage(repetitions, args.rounds, 400, 28, "battles", None)


if __name__ == "__main__":
    main()
