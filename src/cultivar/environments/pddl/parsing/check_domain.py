"""``(define (domain ...) ...)``: the sections of a domain, each checked against what the others declare."""

from __future__ import annotations

from collections.abc import Iterator

from cultivar.environments.pddl.model import (
    OBJECT,
    TRUE,
    Action,
    Derived,
    Domain,
    Effect,
    Formula,
    Predicate,
    Variable,
)
from cultivar.environments.pddl.parsing.check_derived import check_layers
from cultivar.environments.pddl.parsing.check_formulas import Formulas
from cultivar.environments.pddl.parsing.check_names import (
    Declared,
    check_name,
    read_objects,
    read_types,
    read_variables,
)
from cultivar.environments.pddl.parsing.check_sections import (
    SECTIONS,
    Sections,
    open_define,
    read_requirements,
    warn_requirements,
)
from cultivar.environments.pddl.parsing.check_terms import CONNECTIVES, describe
from cultivar.environments.pddl.parsing.diagnostics import Report, quote
from cultivar.environments.pddl.parsing.syntax import Group, Node, Word, show

_PARTS = {
    ":precondition": ":precondition",
    ":parameters": ":parameters",
    ":effect": ":effect",
    ":preconditions": ":precondition",
    ":pre": ":precondition",
    ":condition": ":precondition",
    ":effects": ":effect",
    ":post": ":effect",
    ":postcondition": ":effect",
    ":params": ":parameters",
    ":parameter": ":parameters",
    ":args": ":parameters",
}


def read_domain(report: Report, nodes: list[Node]) -> Domain | None:
    """The checked domain; meaningless if ``report.failed``."""
    sections = open_define(report, nodes, "domain", SECTIONS)
    if sections is None:
        return None
    declared = Declared(report)
    requirements = read_requirements(report, sections)
    if (types := sections.merged(":types", report)) is not None:
        before = report.errors
        read_types(declared, types)
        declared.broken_types = report.errors > before
    constants: tuple[Variable, ...] = ()
    if (section := sections.merged(":constants", report)) is not None:
        constants = read_objects(declared, section, "constant", declared.constants)
    functions = sections.merged(":functions", report)
    if functions is not None:
        _read_functions(declared, functions)
    _read_predicates(declared, sections)
    derived = _read_derived(declared, sections)
    actions = tuple(_read_actions(declared, sections))
    check_layers(declared, derived, sections.groups.get(":derived", []))
    _warn_unused(declared, sections)
    warn_requirements(declared, requirements)
    return Domain(
        sections.name,
        requirements,
        tuple(declared.parents.items()),
        constants,
        tuple(declared.predicates.values()),
        tuple(declared.functions.values()),
        derived,
        actions,
    )


def declared_by(domain: Domain, report: Report) -> Declared:
    """What a checked domain declares, for reading a problem against it."""
    return Declared(
        report,
        dict(domain.types),
        {c.name: c.types for c in domain.constants},
        dict(domain.predicate),
        {f.name: f for f in domain.functions},
        {d.head.name for d in domain.derived},
        has_types=bool(domain.types),
    )


def _read_predicates(declared: Declared, sections: Sections) -> None:
    report = declared.report
    section = sections.merged(":predicates", report)
    if section is None:
        message = "the section '(:predicates ...)' is missing; declare every predicate there"
        report.error("missing-section", message, sections.start)
        declared.has_predicates = False
        return
    for node in section.items[1:]:
        predicate = _schema(declared, node, "a predicate")
        if predicate is None:
            continue
        if predicate.name in declared.predicates:
            before = declared.predicates[predicate.name]
            message = f"the predicate {quote(predicate.name)} is declared twice; it is {describe(before)} already"
            report.error("duplicate-predicate", message, node.start)
            declared.ambiguous.add(predicate.name)
        else:
            declared.predicates[predicate.name] = predicate


def _schema(declared: Declared, node: Node, what: str) -> Predicate | None:
    """``(name ?x - type ...)``, or None with a diagnostic."""
    if isinstance(node, Word) or not node.items:
        message = f"expected {what} such as (NAME ?x - TYPE), found {show(node)}"
        declared.report.error("expected-schema", message, node.start)
        return Predicate(node.text) if isinstance(node, Word) and node.text[0] not in ":?-" else None
    name = check_name(declared.report, node.items[0], what)
    if name in CONNECTIVES:
        declared.report.error(
            "invalid-name", f"{quote(name)} is a word of PDDL and cannot be the name of {what}", node.start
        )
        return None
    parameters = read_variables(
        declared, node.items[1:], f"{what.partition(' ')[2]} {quote(name or node.head)}", node.start, schema=True
    )
    return None if name is None else Predicate(name, parameters)


def _read_functions(declared: Declared, section: Group) -> None:
    """``(total-cost) - number (road-length ?a ?b - place) - number``; the type may be left out."""
    report, items = declared.report, section.items[1:]
    declared.need(":action-costs", section.start)
    place = 0
    while place < len(items):
        node = items[place]
        place += 1
        if isinstance(node, Word) and node.text == "-" and place < len(items):
            kind = items[place]
            place += 1
            if not (isinstance(kind, Word) and kind.text == "number"):
                report.unsupported(f":object-fluents (a function of type {show(kind)})", kind.start, "write '- number'")
            continue
        function = _schema(declared, node, "a function")
        if function is None:
            continue
        if function.name in declared.functions:
            report.error("duplicate-function", f"the function {quote(function.name)} is declared twice", node.start)
            declared.ambiguous.add(function.name)
        elif function.name == "total-cost" and function.arity:
            report.error("wrong-arity", "'total-cost' has no parameters: (total-cost) - number", node.start)
        else:
            declared.functions[function.name] = function


def _read_derived(declared: Declared, sections: Sections) -> tuple[Derived, ...]:
    """All rules: the heads first, so that a rule may use a predicate whose rule comes later."""
    report = declared.report
    heads: list[tuple[Group, Predicate]] = []
    for group in sections.groups.get(":derived", []):
        declared.need(":derived-predicates", group.start)
        head = _schema(declared, group.items[1], "a derived predicate") if len(group.items) == 3 else None
        if len(group.items) != 3:
            message = (
                f"expected (:derived (PREDICATE ?x ...) CONDITION), but {len(group.items) - 1} parts follow ':derived'"
            )
            report.error("wrong-form", message, group.start)
        if head is None:
            continue
        known = declared.predicates.get(head.name)
        if known is None and declared.has_predicates:
            message = f"unknown predicate {quote(head.name)}: a derived predicate is declared in (:predicates ...) too"
            hint = report.suggest(head.name, declared.predicates)
            report.error("unknown-predicate", message + hint, group.items[1].start)
        elif known is not None and known.arity != head.arity:
            message = f"{quote(head.name)} is declared as {describe(known)}, but derived as {describe(head)}"
            report.error("wrong-arity", message, group.items[1].start)
        elif known is not None:
            declared.derived.add(head.name)
            heads.append((group, _typed_like(head, known)))
    found: list[Derived] = []
    for group, head in heads:
        formulas = Formulas(declared, f"the rule of {quote(head.name)}", declared.constants, head.parameters)
        found.append(Derived(head, formulas.conditions(group.items[2:], "the condition of ':derived'", group.start)))
    return tuple(found)


def _typed_like(head: Predicate, known: Predicate) -> Predicate:
    """The head of a rule, its untyped parameters typed as the predicate is declared."""
    pairs = zip(head.parameters, known.parameters, strict=True)
    return Predicate(head.name, tuple(Variable(h.name, k.types if h.types == (OBJECT,) else h.types) for h, k in pairs))


def _read_actions(declared: Declared, sections: Sections) -> Iterator[Action]:
    report = declared.report
    groups = sections.groups.get(":action", [])
    if not groups:
        report.error("missing-section", "there is no '(:action ...)': a domain needs at least one", sections.start)
    seen: dict[str, Group] = {}
    for group in groups:
        action = _read_action(declared, group)
        if action.name in seen:
            first = seen[action.name]

            def message(name: str = action.name, first: Group = first) -> str:
                return f"the action {quote(name)} is declared twice; the first is at line {report.line_of(first.start)}"

            report.error("duplicate-action", message, group.start)
        elif action.name:
            seen[action.name] = group
        yield action


def _read_action(declared: Declared, group: Group) -> Action:
    report = declared.report
    before = report.errors
    named = len(group.items) > 1 and not (isinstance(group.items[1], Word) and group.items[1].text.startswith(":"))
    name = check_name(report, group.items[1], "an action") or "" if named else ""
    if not named:
        report.error("missing-name", "this action has no name: write (:action NAME ...)", group.start)
    place = f"action {quote(name)}" if name else "this action"
    parts, starts = _action_parts(report, group.items[2 if named else 1 :], place)
    parameters = _read_parameters(declared, parts, starts, place, group)
    formulas = Formulas(declared, place, declared.constants, parameters)
    condition: Formula = TRUE
    effect: Effect = TRUE
    if (nodes := parts.get(":precondition")) is not None:
        condition = formulas.conditions(nodes, f"the precondition of {place}", starts[":precondition"])
    if (nodes := parts.get(":effect")) is not None:
        effect = formulas.effects(nodes, f"the effect of {place}", starts[":effect"])
        if effect == TRUE and not report.failed:
            report.warning("empty-effect", f"{place} has no effect", starts[":effect"])
    else:
        report.error("missing-effect", f"{place} has no ':effect'", group.start)
    for parameter in parameters if report.errors == before else ():
        if parameter.name not in formulas.seen:
            message = f"the parameter {quote(parameter.name)} of {place} is never used"
            report.warning("unused-parameter", message, starts.get(":parameters", group.start))
    return Action(name, parameters, condition, effect)


def _action_parts(report: Report, items: list[Node], place: str) -> tuple[dict[str, list[Node]], dict[str, int]]:
    """What follows each keyword of an action, and where the keyword stands."""
    parts: dict[str, list[Node]] = {}
    starts: dict[str, int] = {}
    current: list[Node] | None = None
    for node in items:
        if not (isinstance(node, Word) and node.text.startswith(":")):
            if current is None:
                message = f"expected ':parameters', ':precondition' or ':effect' of {place}, found {show(node)}"
                report.error("unexpected-word", message, node.start, once=("part", place))
            else:
                current.append(node)
            continue
        keyword, current = _PARTS.get(node.text), []
        if keyword is None:
            _unknown_part(report, node, place)
        elif keyword in parts:
            report.error("duplicate-part", f"{place} has '{keyword}' twice", node.start)
        else:
            if keyword != node.text:
                message = f"{quote(node.text)} is no part of an action; did you mean '{keyword}'?"
                report.error("unknown-keyword", message, node.start)
            parts[keyword], starts[keyword] = current, node.start
    return parts, starts


def _unknown_part(report: Report, word: Word, place: str) -> None:
    if word.text == ":duration":
        report.unsupported(":durative-actions", word.start)
    elif word.text == ":vars":
        report.unsupported(":vars", word.start, "give all variables in ':parameters'")
    else:
        known = (":parameters", ":precondition", ":effect")
        hint = report.suggest(word.text, known) or f"; its parts are {', '.join(known)}"
        report.error("unknown-keyword", f"unknown keyword {quote(word.text)} in {place}{hint}", word.start)


def _read_parameters(
    declared: Declared, parts: dict[str, list[Node]], starts: dict[str, int], place: str, group: Group
) -> tuple[Variable, ...]:
    report = declared.report
    nodes = parts.get(":parameters")
    if nodes is None:
        message = f"{place} has no ':parameters'; it is read as ':parameters ()'"
        report.warning("missing-parameters", message, group.start)
        return ()
    start = starts[":parameters"]
    if len(nodes) == 1 and isinstance(nodes[0], Group):
        return read_variables(declared, nodes[0].items, place, start)
    message = f"the parameters of {place} are one list: write ':parameters (?x - TYPE ...)'"
    report.error("unexpected-word", message, nodes[0].start if nodes else start)
    flat: list[Node] = []
    for node in nodes:
        flat += node.items if isinstance(node, Group) else [node]
    return read_variables(declared, flat, place, start)


def _warn_unused(declared: Declared, sections: Sections) -> None:
    section = sections.groups.get(":predicates")
    if not section or declared.report.failed:
        return
    for node in section[0].items[1:]:
        if isinstance(node, Group) and node.head not in declared.used:
            message = f"the predicate {quote(node.head)} is used by no action"
            declared.report.warning("unused-predicate", message, node.start)
