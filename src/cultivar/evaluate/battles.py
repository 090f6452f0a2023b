"""What a flywheel of battles looks like: ratings on the arena's prompts, who won, how the judge behaved, what was kept.

Bout      one judged battle of two answers to a prompt
Stage     the battles of one stage of the flywheel, and how many rows became of them
describe  the figures of all
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from cultivar.core.dataset import Dataset
from cultivar.core.figures import Bars, Example, Section, Table, Tile, turns_of
from cultivar.core.records import JSON, Record, Sample
from cultivar.core.text import Cell
from cultivar.evaluate.arena import Battle, Leaderboard, Rating, elo, leaderboard, win_matrix

THRESHOLDS = (0, 1, 2, 3, 4, 5)
"""The paper's sweep (arXiv 2407.10627)."""
LIMITS = (
    "The judge decides: what it likes wins, right or not. Its taste (length, style) goes into the rows.",
    "An answer can try to talk the judge round; answers are delimited, and no delimiter makes a weak judge deaf.",
    "Ratings hold for these players, these prompts and this judge; intervals are for the choice of prompts alone.",
    "The winner's answer is an opponent's: its license is that of the opponent's outputs.",
)
SHOWN = 1000
"""Characters of an answer in an example."""


@dataclass(frozen=True)
class Bout:
    """``outcome`` is the share of ``a`` (1, 0 or 0.5). ``games`` holds (score of a, score of b) in both orders: ``a``
    shown first, then ``b``. ``prompt`` is the id of the row, ``answers`` those of a and b."""

    prompt: str
    a: str
    b: str
    answers: tuple[str, str]
    games: tuple[tuple[float, float], ...]
    outcome: float
    agreed: bool

    @property
    def margin(self) -> float:
        """By how much ``a`` is better, the mean over both orders (negative: worse)."""
        return fmean(a - b for a, b in self.games)

    def told(self) -> dict[str, JSON]:
        """What a row keeps of it: names, scores, outcome; not the texts."""
        return {"a": self.a, "b": self.b, "games": [list(game) for game in self.games], "outcome": self.outcome}


@dataclass(frozen=True)
class Stage:
    """``bouts`` has a list for each prompt that was battled on; ``kept`` rows became of them above ``threshold``."""

    name: str
    prompts: int
    bouts: Sequence[Sequence[Bout]]
    threshold: float
    kept: int


def describe(
    records: Sequence[Record],
    corpus: Mapping[str, int],
    arenas: Mapping[str, Sequence[Sequence[Bout]]],
    stages: Sequence[Stage],
    *,
    anchor: str = "",
    at: float = 1000.0,
    seed: int = 0,
) -> Dataset:
    """``corpus`` counts rows by what became of them; ``arenas`` are the battles on the arena's prompts of each student,
    by its name, the last one last."""
    named = [_renamed(bout, name) for name, found in arenas.items() for bouts in found for bout in bouts]
    every = [*named, *(bout for stage in stages for bouts in stage.bouts for bout in bouts)]
    samples = sum(isinstance(record, Sample) for record in records)
    tiles = [Tile("rows to learn from", samples, "the winner's answer where the student lost")]
    tiles.append(Tile("preference pairs", len(records) - samples))
    sections = [Section("Corpus", (Table("Rows of the input", ("rows", "number"), tuple(corpus.items())),))]
    if every:
        agreed = fmean(bout.agreed for bout in every)
        tiles.append(Tile("orders that do not contradict", f"{100 * agreed:.1f} %", f"of {len(every):,} battles"))
        sections.append(_judge(every))
    if stages:
        sections.append(_flywheel(stages, records))
    if named:
        tile, section = _arena(named, list(arenas), anchor, at, seed)
        tiles, sections = [tile, *tiles], [section, *sections]
    return Dataset(records, tiles=tiles, sections=sections, examples=_examples(records))


def _renamed(bout: Bout, student: str) -> Bout:
    return replace(bout, a=student) if bout.a == "student" else bout


def _arena(bouts: Sequence[Bout], students: list[str], anchor: str, at: float, seed: int) -> tuple[Tile, Section]:
    battles = [Battle(bout.a, bout.b, bout.outcome, bout.prompt) for bout in bouts]
    if anchor not in {name for battle in battles for name in (battle.a, battle.b)}:
        anchor, at = "", 1000.0
    board = leaderboard(battles, anchor=anchor or None, at=at, seed=seed)
    online = elo(battles)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (row.player, round(row.median), *_interval(board, row), round(online[row.player]), row.battles)
        for row in board.ratings
    )
    relative = f"{anchor} stands at {at:g}" if anchor else "the mean of all players stands at 1,000"
    notes = [f"Relative: {relative}."]
    mended = "each player got one tie against an imaginary middling one, and ratings at the ends are as far apart as"
    if board.regularised:
        notes.append(f"No interval: somebody always won, or never. So {mended} that allows.")
    else:
        notes.append(f"Intervals: {board.rounds:,} bootstrap rounds over prompts, 2.5 to 97.5 percentile.")
    if board.regularised_rounds and not board.regularised:
        notes.append(
            f"In {board.regularised_rounds:,} of them somebody always won, or never: there {mended} that allows."
        )
    matrix = win_matrix(battles, board.order)
    percent = [[None if share is None else round(100 * share, 1) for share in row] for row in matrix.shares]
    cells: list[tuple[Cell, ...]] = [(name, *shares) for name, shares in zip(matrix.players, percent, strict=True)]
    columns = ("player", "rating", "low", "high", "online Elo", "battles")
    figures = (
        Table("Bradley-Terry ratings (median of the bootstrap)", columns, rows, " ".join(notes)),
        Table("Won by the row against the column, %; ties are half", ("", *matrix.players), tuple(cells)),
    )
    last = next(row for row in board.ratings if row.player == students[-1]) if _played(bouts, students[-1]) else None
    shown = last or board.ratings[0]
    within = f"{shown.low:.0f} to {shown.high:.0f}" if not board.regularised else "no interval: somebody always won"
    tile = Tile(f"rating of {shown.player}", round(shown.median), within)
    text = "Online Elo goes through the battles once, in the order of the prompts, and depends on it: it is there for "
    text += "comparison."
    if not board.regularised:
        text += f" {100 * board.separability:.0f} % of the pairs of players have intervals that do not overlap."
    return tile, Section("Arena", figures, text)


def _interval(board: Leaderboard, row: Rating) -> tuple[Cell, Cell]:
    """None where all draws of the prompts say the same because somebody always won: that is no certainty."""
    return (None, None) if board.regularised else (round(row.low), round(row.high))


def _played(bouts: Sequence[Bout], name: str) -> bool:
    return any(bout.a == name for bout in bouts)


def _judge(bouts: Sequence[Bout]) -> Section:
    """How the two orders went together, by opponent."""
    counts: dict[str, Counter[str]] = {}
    for bout in bouts:
        found = counts.setdefault(bout.b, Counter())
        found["battles"] += 1
        if not bout.agreed:
            (first_a, first_b), _ = bout.games
            found["shown first"] += first_a > first_b
            found["shown last"] += first_a < first_b
        of_a, of_b = map(len, bout.answers)
        if bout.outcome != 0.5 and of_a != of_b:
            found["won, of two lengths"] += 1
            found["longer won"] += (of_a > of_b) == (bout.outcome == 1)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            name,
            c["battles"],
            *(round(100 * c[side] / c["battles"], 1) for side in ("shown first", "shown last")),
            round(100 * c["longer won"] / c["won, of two lengths"], 1) if c["won, of two lengths"] else None,
        )
        for name, c in counts.items()
    )
    columns = (
        "against",
        "battles",
        "both times the one shown first won, %",
        "both times the one shown last, %",
        "where one won, the longer answer, %",
    )
    text = (
        "Each battle is judged in both orders. Scores are averaged; orders that name different winners are a tie. A "
        "longer answer may be the better one; where it nearly always wins, look whether the judge pays for length."
    )
    return Section("The judge", (Table("Orders that contradict each other, and length", columns, rows),), text)


def _flywheel(stages: Sequence[Stage], records: Sequence[Record]) -> Section:
    rows = []
    for stage in stages:
        bouts = [bout for found in stage.bouts for bout in found]
        outcomes = Counter(bout.outcome for bout in bouts)
        sides = (outcomes[1.0], outcomes[0.5], outcomes[0.0])
        rows.append((stage.name, stage.prompts, len(bouts), *sides, stage.threshold, stage.kept))
    columns = ("stage", "prompts", "battles", "student won", "tied", "lost", "threshold", "rows")
    figures: list[Table | Bars] = [Table("Stages", columns, tuple(rows)), _whose(records)]
    for stage in stages:
        lost = [max((-b.margin for b in found if b.outcome == 0), default=0.0) for found in stage.bouts]
        most = [max((abs(b.margin) for b in found if b.outcome != 0.5), default=0.0) for found in stage.bouts]
        gaps = lost if stage.name.startswith("sft") else most
        counts = tuple(float(sum(gap > k for gap in gaps)) for k in THRESHOLDS)
        labels = tuple(f"more than {k}" for k in THRESHOLDS)
        figures.append(Bars(f"Rows that other thresholds would keep, {stage.name}", labels, {"rows": counts}))
    return Section("Flywheel", tuple(figures), "A prompt gives one row at most: that of its most decided battle.")


def _whose(records: Sequence[Record]) -> Table:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        kind = "learn" if isinstance(record, Sample) else "chosen"
        counts.setdefault(str(record.meta["winner"]), Counter())[kind] += 1
        counts.setdefault(str(record.meta["loser"]), Counter())["rejected"] += kind == "chosen"
    rows = tuple((name, c["learn"], c["chosen"], c["rejected"]) for name, c in sorted(counts.items()))
    return Table("Whose answers the rows hold", ("player", "to learn from", "chosen", "rejected"), rows)


def _examples(records: Sequence[Record]) -> tuple[Example, ...]:
    """The first three rows that the student is to learn from, with what it said itself."""
    found = []
    for record in records:
        if isinstance(record, Sample):
            facts: dict[str, Cell] = {"answered by": str(record.meta.get("winner")), "record": record.id}
            found.append(Example("Lost by the student", turns_of(record, SHOWN), facts))
        if len(found) == 3:
            break
    return tuple(found)
