"""``(define (KIND NAME) section ...)``: the frame that domains and problems share, and the requirements."""

from __future__ import annotations

from dataclasses import dataclass, field

from cultivar.environments.pddl.parsing.check_names import Declared, check_name
from cultivar.environments.pddl.parsing.diagnostics import Report, quote
from cultivar.environments.pddl.parsing.syntax import Group, Node, Word, show

SECTIONS = (":requirements", ":types", ":constants", ":predicates", ":functions", ":action", ":derived")
PROBLEM_SECTIONS = (":domain", ":requirements", ":objects", ":init", ":goal", ":metric", ":length")
UNSUPPORTED = {
    ":durative-action": ":durative-actions",
    ":constraints": ":constraints (trajectory constraints)",
    ":process": ":time (processes and events)",
    ":event": ":time (processes and events)",
    ":method": ":hierarchy (methods and tasks)",
    ":task": ":hierarchy (methods and tasks)",
    ":tasks": ":hierarchy (methods and tasks)",
    ":htn": ":hierarchy (methods and tasks)",
    ":axiom": ":axiom (write (:derived (PREDICATE ...) CONDITION))",
    ":timeless": ":timeless",
    ":situation": ":situation",
    ":observe": ":partial-observability",
}

_ADL = (":typing", ":negative-preconditions", ":disjunctive-preconditions", ":equality", ":conditional-effects")
_QUANTIFIED = (":existential-preconditions", ":universal-preconditions")
_INCLUDES = {
    ":adl": (*_ADL, *_QUANTIFIED),
    ":quantified-preconditions": _QUANTIFIED,
    ":fluents": (":action-costs",),
    ":numeric-fluents": (":action-costs",),
    ":domain-axioms": (":derived-predicates",),
    ":ucpop": (*_ADL, *_QUANTIFIED),
}
_KNOWN = {":strips", ":action-costs", ":derived-predicates", *_ADL, *_QUANTIFIED, *_INCLUDES}
_UNREAD = frozenset(
    [
        ":durative-actions",
        ":duration-inequalities",
        ":continuous-effects",
        ":timed-initial-literals",
        ":preferences",
        ":constraints",
        ":object-fluents",
        ":goal-utilities",
        ":time",
        ":hierarchy",
        ":method-preconditions",
        ":non-deterministic",
        ":probabilistic-effects",
        ":rewards",
        ":mdp",
        ":partial-observability",
        ":multi-agent",
        ":unfactored-privacy",
        ":factored-privacy",
    ]
)


@dataclass(slots=True)
class Sections:
    """What stands inside ``(define (KIND NAME) ...)``: its groups by keyword, in the order of the text."""

    name: str
    start: int
    groups: dict[str, list[Group]] = field(default_factory=dict)

    def merged(self, keyword: str, report: Report) -> Group | None:
        """The one section of that keyword; a second one is reported, and read as if it were part of the first."""
        groups = self.groups.get(keyword, [])
        if len(groups) < 2:
            return groups[0] if groups else None
        line = report.line_of(groups[0].start)
        merged = Group(groups[0].start)
        merged.items = list(groups[0].items)
        for other in groups[1:]:
            message = f"a second '({keyword} ...)' section; put its content into the one of line {line}"
            report.error("duplicate-section", message, other.start)
            merged.items += other.items[1:]
        return merged


def open_define(report: Report, nodes: list[Node], kind: str, known: tuple[str, ...]) -> Sections | None:
    """The sections of the one ``(define (kind NAME) ...)`` of a text; everything else in it is reported."""
    define = next((n for n in nodes if isinstance(n, Group) and n.head == "define"), None)
    if define is None:
        found = f", found {show(nodes[0])}" if nodes else "" if report.failed else ", but the text is empty"
        at = nodes[0].start if nodes else 0
        if nodes or not report.failed:
            report.error("missing-define", f"expected '(define ({kind} NAME) ...)'{found}", at)
        return None
    place = nodes.index(define)
    if place:
        message = f"expected '(define ({kind} NAME)' at the start, found {show(nodes[0])}: give nothing but PDDL"
        report.error("text-before", message, nodes[0].start)
    if place + 1 < len(nodes):
        after = nodes[place + 1]
        message = (
            f"the definition ends before this, but there is more: {show(after)}; give one (define ...) and nothing else"
        )
        report.error("text-after-end", message, after.start)
    sections = Sections("", define.start)
    rest = define.items[1:]
    first = rest[0] if rest else None
    if not isinstance(first, Group) or first.head not in ("domain", "problem"):
        at = first.start if first is not None else define.start
        report.error("missing-name", f"after 'define' there must be ({kind} NAME)", at)
    else:
        rest = rest[1:]
        if first.head != kind:
            message = f"this defines a {first.head}, but a {kind} is expected: (define ({kind} NAME) ...)"
            report.error(f"not-a-{kind}", message, first.start)
            return None
        sections.name = _define_name(report, first, kind)
    for node in rest:
        _sort_in(report, sections, node, kind, known)
    return sections


def _define_name(report: Report, group: Group, kind: str) -> str:
    if len(group.items) != 2:
        report.error("missing-name", f"expected ({kind} NAME) with one name, found {len(group.items) - 1}", group.start)
        return ""
    return check_name(report, group.items[1], f"a {kind}") or ""


def _sort_in(report: Report, sections: Sections, node: Node, kind: str, known: tuple[str, ...]) -> None:
    if isinstance(node, Word):
        message = f"expected a section such as '({known[0]} ...)', found {quote(node.text)}"
        report.error("unexpected-word", message, node.start, once="section-word")
        return
    head = node.head
    other = SECTIONS if kind == "problem" else PROBLEM_SECTIONS
    if head in known:
        sections.groups.setdefault(head, []).append(node)
    elif head in UNSUPPORTED:
        report.unsupported(UNSUPPORTED[head], node.start)
    elif head in other:
        belongs = "domain" if kind == "problem" else "problem"
        message = f"'({head} ...)' belongs in the {belongs} file, not in the {kind}"
        report.error("misplaced-section", message, node.start)
    elif f":{head}" in known:
        report.error("unknown-section", f"expected '(:{head} ...)', found {show(node)}: the ':' is missing", node.start)
        sections.groups.setdefault(f":{head}", []).append(node)
    else:
        message = f"unknown section {show(node)} of a {kind}"
        hint = report.suggest(head, known)
        report.error("unknown-section", f"{message}{hint or '; its sections are ' + ', '.join(known)}", node.start)


def read_requirements(report: Report, sections: Sections) -> tuple[str, ...]:
    section = sections.merged(":requirements", report)
    found: dict[str, None] = {}
    for node in section.items[1:] if section is not None else ():
        text = node.text if isinstance(node, Word) else ""
        if text in _KNOWN:
            found[text] = None
        elif text in _UNREAD:
            message = f"the requirement {quote(text)} is not supported; what it allows is refused where it is used"
            report.warning("unsupported-requirement", message, node.start)
            found[text] = None
        else:
            hint = report.suggest(text if text.startswith(":") else f":{text}", _KNOWN)
            report.error("unknown-requirement", f"unknown requirement {show(node)}{hint}", node.start)
    return tuple(found)


def warn_requirements(declared: Declared, requirements: tuple[str, ...]) -> None:
    given = {":strips", *requirements}
    for requirement in requirements:
        given.update(_INCLUDES.get(requirement, ()))
    for need, at in declared.needs.items():
        if need not in given:
            message = f"this needs the requirement '{need}', which (:requirements ...) does not name"
            declared.report.warning("undeclared-requirement", message, at)
