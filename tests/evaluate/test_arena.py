from __future__ import annotations

import math
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="ratings need numpy (the extra 'curate')")

from benchmarks.arena import STRENGTHS, covered, simulated

from cultivar.evaluate.arena import (
    Battle,
    agreement,
    bradley_terry,
    elo,
    leaderboard,
    spearman,
    win_matrix,
)

TRUTH = tuple(f"player {k}" for k in range(len(STRENGTHS)))


def wins(a: str, b: str, won: int, lost: int, tied: int = 0) -> list[Battle]:
    outcomes = [1.0] * won + [0.0] * lost + [0.5] * tied
    return [Battle(a, b, outcome, f"{a} {b} {n}") for n, outcome in enumerate(outcomes)]


def textbook(battles: list[Battle], rounds: int = 5000) -> dict[str, float]:
    """Hunter's minorise-maximise iteration (Annals of Statistics 32, 2004), the mean of the ratings at 1000."""
    won: defaultdict[str, float] = defaultdict(float)
    met: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for battle in battles:
        won[battle.a] += battle.weight * battle.outcome
        won[battle.b] += battle.weight * (1 - battle.outcome)
        met[battle.a][battle.b] += battle.weight
        met[battle.b][battle.a] += battle.weight
    worth = dict.fromkeys(met, 1.0)
    for _ in range(rounds):
        worth = {p: won[p] / sum(n / (worth[p] + worth[q]) for q, n in met[p].items()) for p in met}
    points = {p: 400 * math.log10(w) for p, w in worth.items()}
    middle = statistics.fmean(points.values())
    return {p: 1000 + rating - middle for p, rating in points.items()}


def test_two_players_have_the_rating_that_their_share_of_wins_says() -> None:
    found = bradley_terry(wins("a", "b", 30, 10), anchor="b", at=1100)
    assert found == pytest.approx({"a": 1100 + 400 * math.log10(3), "b": 1100})


def test_a_tie_is_half_a_win_of_each() -> None:
    assert bradley_terry(wins("a", "b", 5, 1, tied=2)) == pytest.approx(bradley_terry(wins("a", "b", 6, 2)))


def test_the_mean_stands_where_it_is_put_and_the_best_comes_first() -> None:
    found = bradley_terry([*wins("c", "a", 7, 3), *wins("a", "b", 7, 3), *wins("b", "c", 4, 6)], at=500)
    assert statistics.fmean(found.values()) == pytest.approx(500)
    assert list(found) == sorted(found, key=lambda player: -found[player])


def test_the_textbook_iteration_gives_the_same_ratings() -> None:
    battles = simulated(random.Random(1), STRENGTHS, 60, 6, ties=50)
    assert bradley_terry(battles) == pytest.approx(textbook(battles), abs=1e-6)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0, 0.25]), st.floats(0.01, 50)),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_was_battled_there_are_finite_ratings_at_the_maximum(
    rows: list[tuple[int, int, float, float]],
) -> None:
    battles = [Battle(str(a), str(b), outcome, weight=weight) for a, b, outcome, weight in rows if a != b]
    if not battles:
        return
    found = bradley_terry(battles)
    assert all(math.isfinite(rating) for rating in found.values())
    backwards = [Battle(x.b, x.a, 1 - x.outcome, weight=x.weight) for x in reversed(battles)]
    assert bradley_terry(backwards) == pytest.approx(found, abs=1e-5)
    if not leaderboard(battles, rounds=1, resample="battles").regularised:
        excess: defaultdict[str, float] = defaultdict(float)
        for x in battles:  # at the maximum everybody won as much as expected
            won = x.weight * (x.outcome - 1 / (1 + 10 ** ((found[x.b] - found[x.a]) / 400)))
            excess[x.a] += won
            excess[x.b] -= won
        assert max(map(abs, excess.values())) < 1e-5


def test_who_always_won_gets_a_rating_and_it_is_said() -> None:
    board = leaderboard([*wins("a", "b", 20, 0), *wins("b", "c", 12, 8)], rounds=50)
    assert board.regularised
    assert board.regularised_rounds == 50
    assert board.order == ("a", "b", "c")
    assert all(math.isfinite(row.high) for row in board.ratings)
    assert not leaderboard([*wins("a", "b", 12, 8), *wins("b", "c", 12, 8)], rounds=5).regularised


def test_groups_that_never_met_are_placed_around_one_middle() -> None:
    found = bradley_terry([*wins("a", "b", 12, 8), *wins("c", "d", 12, 8)])
    assert found["a"] == pytest.approx(found["c"])
    assert found["a"] > found["b"]


def test_online_ratings_depend_on_the_order_of_the_battles_and_these_do_not() -> None:
    battles = [*wins("a", "b", 10, 0), *wins("b", "c", 10, 0), *wins("c", "a", 10, 1)]
    assert elo(battles) != pytest.approx(elo(battles[::-1]), abs=1)
    assert bradley_terry(battles) == pytest.approx(bradley_terry(battles[::-1]))
    assert sum(elo(battles).values()) == pytest.approx(3000)


def test_online_ratings_move_by_how_far_a_battle_was_from_what_was_expected() -> None:
    """With k 400 the first win takes equals to 1200 and 800; then the stronger is expected to take 10 of 11."""
    won, lost = Battle("a", "b", 1), Battle("a", "b", 0)
    assert elo([won], k=400) == pytest.approx({"a": 1200, "b": 800})
    assert elo([won, won], k=400) == pytest.approx({"a": 1200 + 400 / 11, "b": 800 - 400 / 11})
    assert elo([won, lost], k=400) == pytest.approx({"a": 1200 - 4000 / 11, "b": 800 + 4000 / 11})
    once = Battle("a", "b", 1, weight=0.5)
    assert elo([once], k=400) == pytest.approx({"a": 1100, "b": 900})


def test_all_battles_of_a_pair_on_one_prompt_count() -> None:
    """Two prompts, and on each of them three wins of a and one of b: 3 to 1, whichever prompts are drawn."""
    battles = [Battle("a", "b", outcome, prompt) for prompt in "pq" for outcome in (1, 1, 0, 1)]
    board = leaderboard(battles, anchor="b", at=1100, rounds=20)
    best = board.ratings[0]
    assert (best.player, best.battles) == ("a", 8)
    assert (best.rating, best.low, best.high) == pytest.approx((1100 + 400 * math.log10(3),) * 3)


def test_the_true_order_is_recovered_and_intervals_have_their_level() -> None:
    """Short form; ``python -m benchmarks.arena`` has the repetitions to say it to a percent."""
    shares = []
    for repetition in range(30):
        battles = simulated(random.Random(repetition), STRENGTHS, 120, 14)
        board = leaderboard(battles, rounds=200, seed=repetition)
        shares.append(covered(board, STRENGTHS, None))
        assert spearman({row.player: row.rating for row in board.ratings}, TRUTH) > 0.95
    assert 0.90 <= statistics.fmean(shares) <= 0.985


def test_intervals_are_of_the_difference_to_the_anchor() -> None:
    battles = simulated(random.Random(3), STRENGTHS, 100, 14)
    board = leaderboard(battles, anchor="player 3", at=1100, rounds=100)
    anchor = next(row for row in board.ratings if row.player == "player 3")
    assert (anchor.rating, anchor.low, anchor.high) == (1100, 1100, 1100)
    assert all(row.low < row.rating < row.high and row.low <= row.median <= row.high for row in board.ratings[:3])


def test_battles_of_one_prompt_are_drawn_together() -> None:
    """Every pair battles on every prompt: drawn one by one the intervals are too narrow."""
    battles = simulated(random.Random(4), STRENGTHS, 100, 28)
    widths = [
        statistics.fmean(row.high - row.low for row in leaderboard(battles, rounds=200, resample=how).ratings)
        for how in ("prompts", "battles")
    ]
    assert widths[0] > 1.3 * widths[1]


def test_the_same_seed_gives_the_same_table() -> None:
    battles = simulated(random.Random(5), STRENGTHS, 50, 10)
    assert leaderboard(battles, rounds=50, seed=1) == leaderboard(battles, rounds=50, seed=1)
    assert leaderboard(battles, rounds=50, seed=1) != leaderboard(battles, rounds=50, seed=2)


def test_a_hundred_thousand_battles_and_a_thousand_rounds() -> None:
    battles = simulated(random.Random(6), STRENGTHS, 3572, 28)
    start = time.process_time()
    bradley_terry(battles)
    once = time.process_time() - start
    start = time.process_time()
    board = leaderboard(battles, rounds=1000)
    spent = time.process_time() - start
    assert len(battles) >= 100_000
    assert board.order == TRUTH
    assert spent < 25 * once  # a thousand rounds for a few times the price of one fit


def test_separability_is_the_share_of_pairs_that_do_not_overlap() -> None:
    clear = leaderboard([*wins("a", "b", 90, 10), *wins("b", "c", 90, 10)], rounds=100)
    assert clear.separability == 1
    assert leaderboard(wins("a", "b", 5, 5), rounds=100).separability == 0


def test_the_matrix_of_wins() -> None:
    found = win_matrix([*wins("a", "b", 3, 1), *wins("b", "a", 0, 0, tied=1), *wins("c", "b", 1, 0)], players=("b",))
    assert found.players == ("b", "a", "c")
    assert found.shares == ((None, 0.3, 0.0), (0.7, None, None), (1.0, None, None))
    assert found.battles == ((0, 5, 1), (5, 0, 0), (1, 0, 0))


def test_agreement_is_counted_on_the_prompts_and_pairs_that_both_judged() -> None:
    one = [Battle("a", "b", 1, "p"), Battle("a", "b", 0, "q"), Battle("a", "c", 0.5, "q"), Battle("a", "b", 1, "r")]
    other = [Battle("b", "a", 0, "p"), Battle("a", "b", 1, "q"), Battle("c", "a", 0.5, "q"), Battle("a", "b", 1, "s")]
    assert agreement(one, other) == (2, 3)
    assert agreement([*one, Battle("b", "a", 1, "p")], other) == (1, 3)  # won and lost on p: a tie


def test_rank_correlation_with_a_given_order() -> None:
    ratings = {"a": 1200.0, "b": 1100.0, "c": 1000.0, "d": 900.0}
    assert spearman(ratings, ("a", "b", "c", "d")) == pytest.approx(1)
    assert spearman(ratings, ("d", "c", "b", "a", "x")) == pytest.approx(-1)
    assert spearman(ratings, ("b", "a", "c", "d")) == pytest.approx(0.8)
    assert spearman({"a": 1, "b": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}) == pytest.approx(math.sqrt(0.75))
    assert math.isnan(spearman({"a": 1.0}, ("a",)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Battle("a", "a", 1), "a cannot battle itself"),
        (lambda: Battle("a", "b", 2), "give 1, 0 or 0.5"),
        (lambda: Battle("a", "b", math.nan), "give 1, 0 or 0.5"),
        (lambda: Battle("a", "b", 1, weight=0), "give more than 0"),
        (lambda: bradley_terry([]), "there are no battles to rate"),
        (lambda: bradley_terry(wins("a", "b", 1, 1), anchor="c"), "the anchor 'c' is in no battle; players are a, b"),
        (lambda: leaderboard([Battle("a", "b", 1)]), "names no prompt"),
    ],
)
def test_mistakes_are_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
