"""Domains and problems as PDDL text, laid out as a careful person would.

``parse_domain(write_domain(d)).value == d`` for every checked domain, and likewise for problems. A line is kept within
`WIDTH` columns where the text allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby

from cultivar.environments.pddl.model import (
    OBJECT,
    TRUE,
    Action,
    And,
    Atom,
    Domain,
    Effect,
    Equals,
    Exists,
    Forall,
    Formula,
    Imply,
    Increase,
    Not,
    Or,
    Predicate,
    Problem,
    Variable,
    When,
)

WIDTH = 100


def write_domain(domain: Domain) -> str:
    """The text of a domain, ending with a line break."""
    sections: list[str] = []
    if domain.requirements:
        sections.append(_wrapped("  (:requirements", domain.requirements) + ")")
    if domain.types:
        sections.append(
            _section(":types", _typed_lines([Variable(name, up or (OBJECT,)) for name, up in domain.types]))
        )
    if domain.constants:
        sections.append(_section(":constants", _typed_lines(domain.constants)))
    sections.append(_section(":predicates", [_schema(p) for p in domain.predicates]))
    if domain.functions:
        sections.append(_section(":functions", [f"{_schema(f)} - number" for f in domain.functions]))
    sections += [f"  (:derived {_schema(rule.head)}\n{_layout(rule.condition, 4)})" for rule in domain.derived]
    sections += [_action(action) for action in domain.actions]
    return f"(define (domain {domain.name})\n" + "\n\n".join(sections) + ")\n"


def write_problem(problem: Problem) -> str:
    """The text of a problem, ending with a line break."""
    sections = [f"  (:domain {problem.domain})"]
    if problem.objects:
        sections.append(_section(":objects", _typed_lines(problem.objects)))
    init = [str(atom) for atom in problem.init]
    if problem.minimize_cost:
        init.append("(= (total-cost) 0)")
    init += [f"(= {atom} {_number(value)})" for atom, value in problem.values]
    sections.append(_section(":init", init))
    sections.append(f"  (:goal\n{_layout(problem.goal, 4)})")
    if problem.minimize_cost:
        sections.append("  (:metric minimize (total-cost))")
    return f"(define (problem {problem.name})\n" + "\n\n".join(sections) + ")\n"


def write_formula(formula: Formula | Effect) -> str:
    """A formula or an effect on one line."""
    match formula:
        case Atom():
            return str(formula)
        case Not(body):
            return f"(not {write_formula(body)})"
        case And(parts):
            return _joined("and", parts)
        case Or(parts):
            return _joined("or", parts)
        case Imply(left, right):
            return f"(imply {write_formula(left)} {write_formula(right)})"
        case Equals(left, right):
            return f"(= {left} {right})"
        case Forall(variables, body):
            return f"(forall ({_typed(variables)}) {write_formula(body)})"
        case Exists(variables, body):
            return f"(exists ({_typed(variables)}) {write_formula(body)})"
        case When(condition, effect):
            return f"(when {write_formula(condition)} {write_formula(effect)})"
        case Increase(amount):
            return f"(increase (total-cost) {amount if isinstance(amount, Atom) else _number(amount)})"


def _joined(head: str, parts: Iterable[Formula | Effect]) -> str:
    return f"({' '.join([head, *map(write_formula, parts)])})"


def _action(action: Action) -> str:
    lines = [
        f"  (:action {action.name}",
        _wrapped("    :parameters (", _typed_groups(action.parameters), glue="") + ")",
    ]
    if action.precondition != TRUE:
        lines.append(_layout(action.precondition, 4, "    :precondition "))
    lines.append(_layout(action.effect, 4, "    :effect "))
    return "\n".join(lines) + ")"


def _layout(formula: Formula | Effect, indent: int, start: str | None = None) -> str:
    """The formula after ``start`` (default: ``indent`` blanks): on one line if it is short, else one part a line."""
    start = " " * indent if start is None else start
    line = start + write_formula(formula)
    simple = not isinstance(formula, And | Or) or len(formula.parts) < 3
    if len(line) <= (WIDTH if simple else 72):
        return line
    inner = indent + 2
    match formula:
        case And(parts) | Or(parts):
            head = "(and" if isinstance(formula, And) else "(or"
            return "\n".join([start + head, *(_layout(part, inner) for part in parts)]) + ")"
        case Imply(left, right):
            return f"{start}(imply\n{_layout(left, inner)}\n{_layout(right, inner)})"
        case When(condition, effect):
            return f"{start}(when\n{_layout(condition, inner)}\n{_layout(effect, inner)})"
        case Forall(variables, body):
            return f"{start}(forall ({_typed(variables)})\n{_layout(body, inner)})"
        case Exists(variables, body):
            return f"{start}(exists ({_typed(variables)})\n{_layout(body, inner)})"
        case Not(body):
            return _layout(body, indent, f"{start}(not ") + ")"
        case _:
            return line


def _section(keyword: str, lines: Sequence[str]) -> str:
    return "\n".join([f"  ({keyword}", *(f"    {line}" for line in lines)]) + ")"


def _schema(predicate: Predicate) -> str:
    return f"({' '.join([predicate.name, *_typed_groups(predicate.parameters)])})"


def _typed(variables: Sequence[Variable]) -> str:
    return " ".join(_typed_groups(variables))


def _typed_groups(variables: Sequence[Variable]) -> list[str]:
    """``["?a ?b - place", "?c"]``: neighbours of one type share it; ``- object`` is left out where it may be."""
    groups = [(types, [v.name for v in group]) for types, group in groupby(variables, key=lambda v: v.types)]
    return [
        " ".join(names) if types == (OBJECT,) and place == len(groups) - 1 else f"{' '.join(names)} - {_types(types)}"
        for place, (types, names) in enumerate(groups)
    ]


def _types(types: tuple[str, ...]) -> str:
    return types[0] if len(types) == 1 else f"(either {' '.join(types)})"


def _typed_lines(variables: Sequence[Variable]) -> list[str]:
    """A typed list, a type a line, long ones wrapped."""
    return [_wrapped("", group.split(" "), indent=4) for group in _typed_groups(variables)]


def _wrapped(start: str, words: Sequence[str], *, indent: int | None = None, glue: str = " ") -> str:
    """``start`` and the words, broken where a line would pass `WIDTH`; later lines are indented like ``start`` + 2."""
    indent = len(start) - len(start.lstrip()) + 4 if indent is None else indent
    lines, line = [], start
    for place, word in enumerate(words):
        joined = f"{line}{glue if place == 0 and start else ' ' if line else ''}{word}"
        if len(joined) > WIDTH and line.strip():
            lines.append(line)
            joined = " " * indent + word
        line = joined
    return "\n".join([*lines, line])


def _number(value: int | float) -> str:
    """Plain decimal digits: PDDL has no exponents."""
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(repr(value)), "f")
    return text if "." in text else f"{text}.0"
