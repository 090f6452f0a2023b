"""Certificates of graphs whose isomorphism classes are known."""

from __future__ import annotations

import itertools
import random
import time

import pytest

from cultivar.environments.pddl.auditing.labelling import Structure, certificate


def relabelled(structure: Structure, order: list[int]) -> Structure:
    kinds = [""] * len(order)
    for vertex, kind in enumerate(structure.kinds):
        kinds[order[vertex]] = kind
    return Structure(kinds, {(label, tuple(order[v] for v in vertices)) for label, vertices in structure.tuples})


def graph(size: int, edges: list[tuple[int, int]]) -> Structure:
    return Structure(["v"] * size, {("e", pair) for a, b in edges for pair in ((a, b), (b, a))})


def test_certificates_of_all_graphs_on_five_vertices_count_the_isomorphism_classes() -> None:
    pairs = list(itertools.combinations(range(5), 2))
    found = set()
    for bits in range(1 << len(pairs)):
        text, exact = certificate(graph(5, [pair for i, pair in enumerate(pairs) if bits >> i & 1]))
        assert exact
        found.add(text)
    assert len(found) == 34  # OEIS A000088


def test_regular_graphs_that_refinement_cannot_tell_apart() -> None:
    cycle6 = graph(6, [(i, (i + 1) % 6) for i in range(6)])
    triangles = graph(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    assert certificate(cycle6) != certificate(triangles)
    assert certificate(cycle6, 0)[0] == certificate(triangles, 0)[0]
    assert certificate(cycle6, 0)[1] is False


SYMMETRIC = {
    "40 alike": graph(40, []),
    "complete 20": graph(20, list(itertools.combinations(range(20), 2))),
    "12 pairs": graph(24, [(2 * i, 2 * i + 1) for i in range(12)]),
    "6 stacks of 4": graph(24, [(4 * i + j, 4 * i + j + 1) for i in range(6) for j in range(3)]),
    "ring of 16": graph(16, [(i, (i + 1) % 16) for i in range(16)]),
    "grid 5 x 5": graph(25, [(i, i + d) for i in range(25) for d in (1, 5) if i + d < 25 and (d == 5 or i % 5 < 4)]),
    "cube of 16": graph(16, [(i, i ^ (1 << b)) for i in range(16) for b in range(4)]),
    "petersen": graph(10, [e for i in range(5) for e in ((i, (i + 1) % 5), (i, i + 5), (5 + i, 5 + (i + 2) % 5))]),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_structures_are_exact_and_quick(name: str) -> None:
    structure, rng = SYMMETRIC[name], random.Random(1)
    order = list(range(len(structure.kinds)))
    began = time.process_time()
    text, exact = certificate(structure)
    assert exact
    assert time.process_time() - began < 0.5
    for _ in range(3):
        rng.shuffle(order)
        assert certificate(relabelled(structure, order)) == (text, True)


def test_effort_bounds_the_worst_case() -> None:
    # A strongly regular graph (Paley graph on 61 points): refinement alone says nothing at all.
    squares = {i * i % 61 for i in range(1, 61)}
    structure = graph(61, [(i, j) for i, j in itertools.combinations(range(61), 2) if (j - i) % 61 in squares])
    began = time.process_time()
    certificate(structure)
    assert time.process_time() - began < 1.0
