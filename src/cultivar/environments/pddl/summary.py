"""What a set of planning environments, tasks and trajectories looks like: the figures of its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cultivar.core.dataset import Dataset
from cultivar.core.figures import Bars, Example, Histogram, Section, Table, Tile
from cultivar.core.records import EnvironmentSpec, Record, Task, Trajectory
from cultivar.environments.pddl.assess import read_domain
from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES
from cultivar.environments.pddl.auditing.diversity import domain_shape, lexical_similarity, structural_diversity
from cultivar.environments.pddl.auditing.gates import GATES
from cultivar.environments.pddl.evolution.curve import curve, entropy

LIMITS = (
    "Environments are deterministic, discrete and fully specified; the world's noise and cost are not in them.",
    "A plan's length is the best known one; where the planner did not prove it optimal, a shorter plan may exist.",
    "What environments are about comes from the passages; what they demand comes from the proposer.",
)


def describe(records: Sequence[Record], proposed: int) -> Dataset:
    """The dataset of these records; ``proposed`` is the number of environments that were proposed."""
    specs = [r for r in records if isinstance(r, EnvironmentSpec)]
    tasks = [r for r in records if isinstance(r, Task)]
    trajectories = [r for r in records if isinstance(r, Trajectory)]
    posed = [_length(t) for t in tasks if t.meta.get("stage") == "posed"]
    every = [_length(t) for t in tasks]
    turns = sum(1 for t in trajectories for turn in t.turns if turn.role == "assistant")
    tiles = (
        Tile("environments", len(specs), f"of {proposed:,} proposed"),
        Tile("tasks", len(tasks), "each solved, replayed and measured"),
        Tile("trajectories", len(trajectories), f"{turns:,} actions"),
        Tile("entropy of the difficulty curve", round(entropy(curve(every)), 2), "bits; 2.58 is flat"),
        Tile("the same, stage 1 alone", round(entropy(curve(posed)), 2), f"bits, {len(posed):,} tasks"),
    )
    sections = (_difficulty(posed, every, tasks), _diversity(specs), *_mutants(tasks))
    return Dataset(
        records,
        tiles=tiles,
        sections=sections,
        examples=_examples(tasks, trajectories),
        reasons=GATES,
        limits=LIMITS,
        tags=("planning", "agents", "pddl", "synthetic"),
    )


def _length(task: Task) -> int:
    return int(task.meta["difficulty"]["plan_length"])


def _share(lengths: Sequence[int]) -> tuple[float, ...]:
    counts = curve(lengths)
    return tuple(round(100 * counts[name] / max(1, len(lengths)), 1) for name in BUCKET_NAMES)


def _difficulty(posed: Sequence[int], every: Sequence[int], tasks: Sequence[Task]) -> Section:
    evolved = Counter(t.meta["direction"] for t in tasks if t.meta.get("stage") == "evolved")
    measured = [t.meta["difficulty"] for t in tasks]
    means = tuple(
        (label, round(sum(float(d[key] or 0) for d in measured) / max(1, len(measured)), 2))
        for key, label in (
            ("expanded", "states expanded by the search"),
            ("branching", "applicable actions along the plan"),
            ("dead_ends", "share of random walks that end in a dead end"),
            ("random_walk_success", "share of random walks that reach the goal"),
            ("goals", "goal conditions"),
            ("interactions", "goals given up for others along the plan"),
        )
    )
    proved = sum(bool(d["optimal"]) for d in measured)
    return Section(
        "Difficulty",
        (
            Bars(
                "Share of tasks by length of the best plan",
                BUCKET_NAMES,
                {"stage 1 alone": _share(posed), "with Bi-Evol": _share(every)},
                unit="%",
            ),
            Histogram.of(
                "Best plan lengths", every, unit=" steps", note=f"{proved:,} of {len(every):,} proved optimal"
            ),
            Table("Means over all tasks", ("measure", "mean"), means),
            Table("Evolved tasks by direction", ("direction", "tasks"), tuple(sorted(evolved.items()))),
        ),
        "Measured by the planner. Stage 1 poses tasks freely; Bi-Evol goes where the measured curve is empty.",
    )


def _diversity(specs: Sequence[EnvironmentSpec]) -> Section:
    shapes = [domain_shape(read_domain(s.data["domain"])) for s in specs]
    themes = Counter(str(s.meta["theme"]) for s in specs if "theme" in s.meta)
    mechanics = Counter(m for s in specs for m in s.meta.get("mechanics", ()))
    rows = (
        ("structures distinct up to renaming", len({s.meta["key"] for s in specs})),
        ("mean structural distance of two domains (1 = nothing shared)", round(structural_diversity(shapes), 3)),
        (
            "mean TF-IDF cosine of two descriptions (AgentGen reports 0.176)",
            round(lexical_similarity([s.description for s in specs]), 3),
        ),
        ("actions in a domain, mean", _mean([len(read_domain(s.data["domain"]).actions) for s in specs])),
        ("predicates in a domain, mean", _mean([len(read_domain(s.data["domain"]).predicates) for s in specs])),
    )
    figures: list[Bars | Table] = [Table("Environments", ("measure", "value"), rows)]
    for title, counts in (("Environments by theme", themes), ("Environments by mechanic", mechanics)):
        if counts:
            top = counts.most_common(24)
            figures.append(Bars(title, tuple(n for n, _ in top), {"environments": tuple(float(c) for _, c in top)}))
    return Section(
        "Diversity of the environments", tuple(figures), "How unlike each other they are, in form and words."
    )


def _mutants(tasks: Sequence[Task]) -> list[Section]:
    """``meta["mutants"]`` counts "KIND rejected" and "KIND still solves"."""
    counts: Counter[str] = Counter()
    for task in tasks:
        counts.update(task.meta.get("mutants", {}))
    rows = []
    for kind in ("dropped", "swapped", "replaced"):
        rejected, solves = counts[f"{kind} rejected"], counts[f"{kind} still solves"]
        if rejected + solves:
            rows.append((kind, rejected + solves, f"{100 * rejected / (rejected + solves):.1f} %", solves))
    if not rows:
        return []
    note = "What still solves is another solution, by an independent execution too; nothing wrong was accepted."
    columns = ("a step is", "plans tried", "rejected", "still solve")
    return [Section("Does the checker notice?", (Table("Plans with one step changed", columns, tuple(rows), note),))]


def _mean(values: Sequence[int]) -> float:
    return round(sum(values) / max(1, len(values)), 1)


def _examples(tasks: Sequence[Task], trajectories: Sequence[Trajectory]) -> tuple[Example, ...]:
    """A short, a middling and a long one, of different environments where there are."""
    found: list[Example] = []
    seen: set[str] = set()
    pairs = sorted(zip(tasks, trajectories, strict=True), key=lambda pair: (_length(pair[0]), pair[0].id))
    for title, low, high in (("A short task", 0, 4), ("A middling task", 7, 9), ("A long task", 14, 10**9)):
        for task, trajectory in pairs:
            if low <= _length(task) <= high and task.environment not in seen:
                seen.add(task.environment)
                d = task.meta["difficulty"]
                facts = {"plan": f"{d['plan_length']} steps", "branching": d["branching"], "goals": d["goals"]}
                found.append(Example.of(trajectory, title, facts))
                break
    return tuple(found)
