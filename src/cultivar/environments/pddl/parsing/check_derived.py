"""Derived predicates must be stratified: none may depend, through any chain of rules, on its own negation.

Source: Edelkamp and Hoffmann, PDDL 2.2, 2004, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator

from cultivar.environments.pddl.model import And, Atom, Derived, Effect, Exists, Forall, Formula, Imply, Not, Or
from cultivar.environments.pddl.parsing.check_names import Declared
from cultivar.environments.pddl.parsing.diagnostics import quote
from cultivar.environments.pddl.parsing.syntax import Group


def check_layers(declared: Declared, rules: tuple[Derived, ...], groups: list[Group]) -> None:
    """Reports the first rule of every group of predicates that depend on their own negation."""
    positive: dict[str, set[str]] = {}
    negative: dict[str, set[str]] = {}
    for rule in rules:
        for name, sign in _mentioned(rule.condition):
            if name in declared.derived:
                (positive if sign else negative).setdefault(rule.head.name, set()).add(name)
    if not negative:
        return
    part = _components({n: positive.get(n, set()) | negative.get(n, set()) for n in declared.derived})
    place = {
        g.items[1].head: g.items[1].start
        for g in reversed(groups)
        if len(g.items) == 3 and isinstance(g.items[1], Group)
    }
    for head, others in negative.items():
        if any(part[other] == part[head] for other in others):
            message = f"the derived predicate {quote(head)} depends on its own negation; such rules have no meaning"
            declared.report.error("not-stratified", message, place[head], once=("layers", part[head]))


def _mentioned(formula: Formula | Effect) -> Iterator[tuple[str, bool]]:
    """Every predicate of a condition, and whether it stands there positively (False: under an odd number of nots)."""
    todo: list[tuple[Formula | Effect, bool]] = [(formula, True)]
    while todo:
        node, sign = todo.pop()
        match node:
            case Atom(predicate, _):
                yield predicate, sign
            case Not(body):
                todo.append((body, not sign))
            case And(parts) | Or(parts):
                todo.extend((part, sign) for part in parts)
            case Imply(left, right):
                todo += [(left, not sign), (right, sign)]
            case Forall(_, body) | Exists(_, body):
                todo.append((body, sign))
            case _:
                pass


def _components(graph: dict[str, set[str]]) -> dict[str, int]:
    """Node -> number of its strongly connected component (Kosaraju's two passes, iterative)."""
    order: list[str] = []
    seen: set[str] = set()
    for root in graph:
        stack: list[tuple[str, Iterator[str]]] = [] if root in seen else [(root, iter(sorted(graph[root])))]
        seen.add(root)
        while stack:
            node, rest = stack[-1]
            follow = next((n for n in rest if n not in seen), None)
            if follow is None:
                order.append(stack.pop()[0])
            else:
                seen.add(follow)
                stack.append((follow, iter(sorted(graph[follow]))))
    back: dict[str, list[str]] = {node: [] for node in graph}
    for node, others in graph.items():
        for other in others:
            back[other].append(node)
    part: dict[str, int] = {}
    for number, root in enumerate(reversed(order)):
        todo = [root] if root not in part else []
        while todo:
            node = todo.pop()
            if node not in part:
                part[node] = number
                todo.extend(back[node])
    return part
