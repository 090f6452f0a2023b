"""Canonical labelling of small coloured relational structures.

A structure is a set of vertices with kinds and a set of labelled tuples over them (a directed hypergraph). Two
structures are isomorphic if a bijection of their vertices keeps kinds and tuples. ``certificate`` gives isomorphic
structures the same text and, where it is exact, only those.

Method: colour refinement; vertices that a transposition of two leaves the structure unchanged (twins) are told apart
in any order, because every order is equivalent; what is left is individualised and refined in a search tree pruned by
refinement traces and by the automorphisms that equal leaves reveal.
Source: McKay and Piperno, Practical graph isomorphism II, 2014, sections 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

EFFORT = 240_000
"""Tuples looked at before the search is given up; about 0.1 CPU seconds."""

Tuple: TypeAlias = tuple[str, tuple[int, ...]]
Trace: TypeAlias = list[tuple[int, Any]]
Cells: TypeAlias = dict[int, list[int]]


@dataclass(slots=True)
class Structure:
    """``kinds[v]`` is the kind of vertex ``v``; a tuple is a label and the vertices it relates, in order."""

    kinds: list[str] = field(default_factory=list)
    tuples: set[Tuple] = field(default_factory=set)

    def vertex(self, kind: str) -> int:
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def relate(self, label: str, *vertices: int) -> None:
        self.tuples.add((label, vertices))


class _Exhausted(Exception):
    """The effort is spent."""


class _Search:
    """A colour is the index at which its cell starts, so a split leaves the colours of all other cells alone."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.effort = 0
        self.tuples = sorted(structure.tuples)
        labels = {label: i for i, label in enumerate(sorted({label for label, _ in self.tuples}))}
        size = len(structure.kinds)
        self.coded = [(labels[label], vertices) for label, vertices in self.tuples]
        self.codes = set(self.coded)
        self.incident: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in range(size)]
        self.neighbours: list[set[int]] = [set() for _ in range(size)]
        for label, vertices in self.coded:
            for position, vertex in enumerate(vertices):
                self.incident[vertex].append((label * 64 + position, vertices))
                self.neighbours[vertex].update(vertices)
        self.best: list[Trace] = []
        self.leaf: tuple[list[tuple[int, tuple[int, ...]]], list[int], list[int]] | None = None
        self.automorphisms: list[list[int]] = []

    def start(self) -> tuple[list[int], Cells]:
        """The coarsest equitable colouring, twins told apart."""
        kinds = self.structure.kinds
        order = sorted(range(len(kinds)), key=kinds.__getitem__)
        colour, cells = [0] * len(kinds), dict[int, list[int]]()
        for i, vertex in enumerate(order):
            same = i > 0 and kinds[order[i - 1]] == kinds[vertex]
            colour[vertex] = colour[order[i - 1]] if same else i
            cells.setdefault(colour[vertex], []).append(vertex)
        self.refine(colour, cells, set(range(len(kinds))))
        return colour, cells

    def part_twins(self, colour: list[int], cells: Cells) -> None:
        moved: set[int] = set()
        for start, members in list(cells.items()):
            if len(members) > 1:
                ranks = self._twin_ranks(members)
                for rank_start, part in ranks:
                    cells[start + rank_start] = part
                    if rank_start:
                        moved.update(part)
                        for vertex in part:
                            colour[vertex] = start + rank_start
        self.refine(colour, cells, {n for v in moved for n in self.neighbours[v]})

    def _twin_ranks(self, members: list[int]) -> list[tuple[int, list[int]]]:
        """The members by their rank among their twins: (offset in the cell, those of that rank)."""
        inside = set(members)
        buckets: dict[Any, list[list[int]]] = {}
        for vertex in members:
            key = tuple(
                sorted(
                    (label, tuple(-1 if u == vertex else -2 if u in inside else u for u in vertices))
                    for label, vertices in self.incident[vertex]
                )
            )
            self._spend(len(key))
            classes = buckets.setdefault(key, [])
            for twins in classes:
                if self._twins(twins[0], vertex):
                    twins.append(vertex)
                    break
            else:
                classes.append([vertex])
        ranks: dict[int, list[int]] = {}
        for classes in buckets.values():
            for twins in classes:
                for rank, vertex in enumerate(twins):
                    ranks.setdefault(rank, []).append(vertex)
        found, offset = [], 0
        for rank in sorted(ranks):
            found.append((offset, ranks[rank]))
            offset += len(ranks[rank])
        return found

    def _twins(self, one: int, other: int) -> bool:
        swap = {one: other, other: one}
        for a in (one, other):
            for code, vertices in self.incident[a]:
                self._spend(1)
                if (code // 64, tuple(swap.get(u, u) for u in vertices)) not in self.codes:
                    return False
        return True

    def _spend(self, amount: int) -> None:
        self.effort -= amount
        if self.effort < 0:
            raise _Exhausted

    def refine(self, colour: list[int], cells: Cells, touched: set[int]) -> Trace:
        """Splits cells in place until members of a cell have equal neighbourhoods; says what was split, and how."""
        trace: Trace = []
        get = colour.__getitem__
        while touched:
            splits = []
            for start in sorted({colour[v] for v in touched}):
                members = cells[start]
                if len(members) == 1:
                    continue
                by_signature: dict[Any, list[int]] = {}
                for v in members:
                    incident = self.incident[v]
                    self.effort -= len(incident)
                    signature = tuple(sorted([(code, *map(get, vertices)) for code, vertices in incident]))
                    by_signature.setdefault(signature, []).append(v)
                if len(by_signature) > 1:
                    splits.append((start, sorted(by_signature.items())))
            touched = set()
            for start, parts in splits:
                trace.append((start, [(signature, len(part)) for signature, part in parts]))
                at = start
                for _, part in parts:
                    cells[at] = part
                    if at != start:
                        for v in part:
                            colour[v] = at
                            touched |= self.neighbours[v]
                    at += len(part)
        return trace

    def explore(self, colour: list[int], cells: Cells, path: list[int]) -> int:
        """Searches below one node; gives the depth to go back to, which is this one or, after an automorphism, less."""
        depth = len(path)
        open_cells = [(len(members), start) for start, members in cells.items() if len(members) > 1]
        if not open_cells:
            return self._leaf(colour, path)
        size, start = min(open_cells)
        explored: list[int] = []
        for vertex in cells[start]:
            if explored and self._equivalent(vertex, explored, path):
                continue
            explored.append(vertex)
            self._spend(len(colour))
            child, parts = list(colour), dict(cells)
            parts[start] = [v for v in cells[start] if v != vertex]
            parts[start + size - 1] = [vertex]
            child[vertex] = start + size - 1
            trace = self.refine(child, parts, set(self.neighbours[vertex]))
            if len(self.best) > depth and trace != self.best[depth]:
                if trace > self.best[depth]:
                    continue
                del self.best[depth:]
                self.leaf = None
            if len(self.best) == depth:
                self.best.append(trace)
            back = self.explore(child, parts, [*path, vertex])
            if back < depth:
                return back
        return depth

    def _leaf(self, colour: list[int], path: list[int]) -> int:
        self._spend(len(self.coded))
        form = sorted((label, tuple(colour[v] for v in vertices)) for label, vertices in self.coded)
        if self.leaf is None or form < self.leaf[0]:
            self.leaf = (form, list(colour), path)
        elif form == self.leaf[0]:
            _, other, other_path = self.leaf
            place = {c: v for v, c in enumerate(colour)}
            self.automorphisms.append([place[c] for c in other])
            common = 0
            while common < len(path) and path[common] == other_path[common]:
                common += 1
            return common
        return len(path)

    def _equivalent(self, vertex: int, explored: list[int], path: list[int]) -> bool:
        """Whether known automorphisms that fix the path carry an explored vertex to this one."""
        usable = [a for a in self.automorphisms if all(a[v] == v for v in path)]
        orbit, todo = set(explored), list(explored)
        while todo:
            v = todo.pop()
            for a in usable:
                if a[v] not in orbit:
                    orbit.add(a[v])
                    todo.append(a[v])
        return vertex in orbit


def certificate(structure: Structure, effort: int = EFFORT) -> tuple[str, bool]:
    """(text, whether it is exact). An exact text is shared by isomorphic structures and by no others.

    Where ``effort`` does not suffice the text tells only what colour refinement tells: isomorphic structures still
    share it as long as all of them exhaust the effort, but so may others.
    """
    search = _Search(structure)
    colour, cells = search.start()
    search.effort = effort  # a large structure that refinement alone settles is exact, whatever that took
    exact = True
    coarse = list(colour)
    try:
        if len(cells) < len(colour):
            search.part_twins(colour, cells)
            search.explore(colour, cells, [])
            assert search.leaf is not None
            colour = search.leaf[1]
    except (_Exhausted, RecursionError):
        exact, colour = False, coarse
    kinds = [kind for _, kind in sorted(zip(colour, structure.kinds))]
    form = sorted((label, tuple(colour[v] for v in vertices)) for label, vertices in search.tuples)
    return repr((kinds, form)), exact
