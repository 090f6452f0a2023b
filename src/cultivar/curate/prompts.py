"""Prompts made ready for battles, as Arena Learning does it (arXiv 2407.10627).

distinct       long enough, and no two that begin alike or are alike
unlike         none of those nearest to the prompts of a benchmark
from_clusters  some of each cluster: the diverse half of an arena's prompts, and the candidates for its hard half
split          disjoint parts, drawn at random

What is left out goes to ``engine.discard`` under a reason of ``REASONS``. Needs the ``curate`` extra.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from cultivar.core.protocols import Engine
from cultivar.core.records import Instruction
from cultivar.curate.duplicates import NEAR, near_duplicates, prefix_duplicates
from cultivar.curate.findings import Finding
from cultivar.curate.select import clusters
from cultivar.curate.semantic import semantic_matches

Vector = Sequence[float]

REASONS = {
    "too-short": "a prompt has 10 characters at least",
    "same-prefix": "no two prompts begin with the same 10 words",
    "exact-duplicate": "no two prompts are the same but for case, spacing and punctuation",
    "near-duplicate": "no two prompts have a Jaccard similarity of 0.8 or more",
    "one-word-apart": "no two short prompts differ in one word alone",
    "semantic-match": "a prompt is not among the five nearest to a prompt of the benchmark",
}
CLUSTER_ROWS = 40
"""Prompts that a cluster has on average, at least: with fewer prompts there are fewer clusters."""


def distinct(
    engine: Engine, rows: Sequence[Instruction], *, least: int = 10, prefix: int = 10, near: float = NEAR
) -> list[Instruction]:
    """The rows with ``least`` characters or more, the first of those that share ``prefix`` first words, and of those
    the first of near-duplicates."""
    short = (Finding("too-short", {"least": least}) if len(row.prompt.strip()) < least else None for row in rows)
    kept = _kept(engine, rows, short)
    kept = _kept(engine, kept, prefix_duplicates((row.prompt for row in kept), prefix))
    return _kept(engine, kept, near_duplicates((row.prompt for row in kept), near))


def unlike(
    engine: Engine, placed: Sequence[tuple[Instruction, Vector]], queries: Sequence[Vector], k: int = 5
) -> list[tuple[Instruction, Vector]]:
    """The rows, each with its vector, that are not among the ``k`` nearest of any query, however near these are."""
    matches = semantic_matches([vector for _, vector in placed], queries, k)
    _kept(engine, [row for row, _ in placed], matches)
    return [pair for pair, found in zip(placed, matches, strict=True) if found is None]


def from_clusters(
    engine: Engine, placed: Sequence[tuple[Instruction, Vector]], count: int, diverse: int, rated: int
) -> tuple[list[Instruction], list[Instruction]]:
    """``diverse`` rows of each of ``count`` clusters, and ``rated`` others of each; fewer clusters for few rows."""
    if not placed or not count:
        return [], []
    count = max(1, min(count, len(placed) // CLUSTER_ROWS))
    labels = clusters([vector for _, vector in placed], count, engine.rng("clusters"))
    members: defaultdict[int, list[Instruction]] = defaultdict(list)
    for (row, _), label in zip(placed, labels, strict=True):
        members[label].append(row)
    first, others = [], []
    for label, group in sorted(members.items()):
        engine.rng("cluster", label).shuffle(group)
        first += group[:diverse]
        others += group[diverse : diverse + rated]
    return first, others


def split(rows: Sequence[Instruction], parts: int, rng: random.Random) -> list[list[Instruction]]:
    """Disjoint parts of equal size, or one more, drawn at random; each in the order of the rows."""
    places = list(range(len(rows)))
    rng.shuffle(places)
    return [[rows[at] for at in sorted(places[part::parts])] for part in range(parts)]


def _kept(engine: Engine, rows: Sequence[Instruction], findings: Iterable[Finding | None]) -> list[Instruction]:
    """The rows without a finding. A finding names rows by their place, and its evidence by their ids."""
    kept = []
    for row, found in zip(rows, findings, strict=True):
        if found is None:
            kept.append(row)
            continue
        of = found.evidence.get("of")
        named = {"of": rows[of].id} if isinstance(of, int) else {}
        engine.discard(found.reason, row, **{**found.evidence, **named})
    return kept
