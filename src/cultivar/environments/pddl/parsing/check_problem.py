"""``(define (problem ...) ...)``: the sections of a problem, each checked against its domain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cultivar.environments.pddl.model import TRUE, Atom, Domain, Formula, Problem, Variable
from cultivar.environments.pddl.parsing.check_domain import declared_by
from cultivar.environments.pddl.parsing.check_formulas import Formulas
from cultivar.environments.pddl.parsing.check_names import Declared, is_number, read_number, read_objects
from cultivar.environments.pddl.parsing.check_sections import PROBLEM_SECTIONS, Sections, open_define, read_requirements
from cultivar.environments.pddl.parsing.check_terms import NUMERIC
from cultivar.environments.pddl.parsing.diagnostics import Report, quote
from cultivar.environments.pddl.parsing.syntax import Group, Node, Word, show


def read_problem(report: Report, nodes: list[Node], domain: Domain) -> Problem | None:
    """The checked problem; meaningless if ``report.failed``."""
    sections = open_define(report, nodes, "problem", PROBLEM_SECTIONS)
    if sections is None:
        return None
    declared = declared_by(domain, report)
    read_requirements(report, sections)
    _check_domain(report, sections, domain)
    _ignore_length(report, sections)
    known = dict(declared.constants)
    objects: tuple[Variable, ...] = ()
    if (section := sections.merged(":objects", report)) is not None:
        objects = read_objects(declared, section, "object", known)
    formulas = Formulas(declared, "the problem", known, objects_are="object")
    init = _Init(declared, formulas)
    if (section := sections.merged(":init", report)) is None:
        report.error("missing-section", "the section '(:init ...)' is missing; it may be empty", sections.start)
    else:
        for node in section.items[1:]:
            init.read(node)
        init.finish()
    goal = _read_goal(report, sections, formulas)
    minimize = _read_metric(report, sections, domain)
    atoms, values = tuple(init.atoms), tuple(init.values.items())
    return Problem(sections.name, domain.name, objects, atoms, goal, values, minimize)


def _check_domain(report: Report, sections: Sections, domain: Domain) -> None:
    section = sections.merged(":domain", report)
    if section is None:
        message = f"the section '(:domain {domain.name})' is missing"
        report.error("missing-section", message, sections.start)
        return
    named = section.items[1] if len(section.items) == 2 else None
    if not isinstance(named, Word):
        report.error("missing-name", f"expected '(:domain {domain.name})'", section.start)
    elif named.text != domain.name:
        message = f"the problem is for the domain {quote(named.text)}, but it is read with {quote(domain.name)}"
        report.error("other-domain", message, named.start)


def _ignore_length(report: Report, sections: Sections) -> None:
    for group in sections.groups.get(":length", []):
        report.warning(
            "ignored-section", "'(:length ...)' is obsolete (PDDL 2.1 dropped it) and is not read", group.start
        )


def _read_goal(report: Report, sections: Sections, formulas: Formulas) -> Formula:
    section = sections.merged(":goal", report)
    if section is None:
        report.error("missing-section", "the section '(:goal ...)' is missing", sections.start)
        return TRUE
    formulas.place = "the goal"
    goal = formulas.conditions(section.items[1:], "the goal", section.start)
    if goal == TRUE and not report.failed:
        report.warning("empty-goal", "the goal is empty: it holds from the start", section.start)
    return goal


def _read_metric(report: Report, sections: Sections, domain: Domain) -> bool:
    section = sections.merged(":metric", report)
    if section is None:
        return False
    words = [item.text if isinstance(item, Word) else "" for item in section.items[1:]]
    target = section.items[2] if len(section.items) == 3 else None
    if (
        words[:1] == ["minimize"]
        and isinstance(target, Group)
        and target.head == "total-cost"
        and len(target.items) == 1
    ):
        if all(f.name != "total-cost" for f in domain.functions):
            message = "the metric minimizes (total-cost), but the domain declares no function 'total-cost'"
            report.error("unknown-function", message, target.start)
        return True
    report.unsupported("a metric other than '(:metric minimize (total-cost))'", section.start)
    return False


@dataclass(slots=True)
class _Init:
    """Reads ``(:init ...)``: ground atoms and the values of functions."""

    declared: Declared
    formulas: Formulas
    atoms: dict[Atom, int] = field(default_factory=dict)
    absent: dict[Atom, int] = field(default_factory=dict)
    values: dict[Atom, int | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.formulas.place = "the initial state"

    def read(self, node: Node) -> None:
        report = self.declared.report
        if isinstance(node, Word) or not node.items:
            hint = f"; write ({node.text})" if isinstance(node, Word) and node.text in self.declared.predicates else ""
            message = f"expected a ground atom such as (PREDICATE OBJECT), found {show(node)}{hint}"
            report.error("expected-formula", message, node.start)
            return
        match node.head:
            case "and":
                message = "the initial state is a plain list of atoms: remove this 'and' and its parentheses"
                report.error("formula-in-init", message, node.start)
                for part in _flat(node):
                    self.read(part)
            case "not":
                self._absent(node)
            case "=":
                self._value(node)
            case "or" | "imply" | "forall" | "exists" | "when":
                message = f"the initial state has ground atoms only, found {show(node)}: list the atoms that hold"
                report.error("formula-in-init", message, node.start)
            case "oneof" | "unknown" as head if head not in self.declared.predicates:
                report.unsupported(f":non-deterministic ({head})", node.start)
            case "at" if len(node.items) == 3 and is_number(node.items[1]) and isinstance(node.items[2], Group):
                report.unsupported(":timed-initial-literals", node.start)
            case _:
                self._atom(node)

    def _atom(self, group: Group) -> None:
        report = self.declared.report
        variables = [i for i in group.items if isinstance(i, Word) and i.text[0] == "?"]
        if variables:
            message = f"the initial state has ground atoms only, found the variable {quote(variables[0].text)}"
            report.error("variable-in-init", message, variables[0].start)
            return
        if not group.head:
            message = f"expected a ground atom, found {show(group)}: remove one pair of parentheses"
            report.error("extra-group", message, group.start)
            for part in _flat(group):
                self.read(part)
            return
        atom = self.formulas.atom(group)
        if atom is None:
            return
        if atom.predicate in self.declared.derived:
            message = f"{quote(atom.predicate)} is derived by rules and cannot be stated in the initial state"
            report.error("derived-in-init", message, group.start)
        elif atom in self.atoms:
            report.warning("duplicate-atom", lambda: f"{quote(str(atom))} is stated twice", group.start)
        else:
            self.atoms[atom] = group.start

    def _absent(self, group: Group) -> None:
        report = self.declared.report
        inner = group.items[1] if len(group.items) == 2 else None
        if not isinstance(inner, Group) or inner.head in ("and", "or", "not", "="):
            report.error("wrong-form", "in the initial state 'not' takes one ground atom: (not ATOM)", group.start)
            return
        atom = self.formulas.atom(inner)
        if atom is None:
            return
        self.absent[atom] = group.start
        message = "'not' is superfluous here: what is not stated in the initial state is false"
        report.warning("negative-init", message, group.start, once="negative-init")

    def _value(self, group: Group) -> None:
        """``(= (function object ...) number)``."""
        report = self.declared.report
        items = group.items
        if len(items) == 3 and all(isinstance(i, Word) for i in items) and not is_number(items[2]):
            message = "(= OBJECT OBJECT) cannot be stated: different names are different objects"
            report.error("formula-in-init", message, group.start)
            return
        target = items[1] if len(items) == 3 else None
        if not isinstance(target, Group) or not target.items or not is_number(items[2]):
            if len(items) == 3 and isinstance(target, Group) and isinstance(items[2], Word):
                report.unsupported(":object-fluents (a value that is not a number)", group.start)
            else:
                report.error("wrong-form", "a value is written (= (FUNCTION OBJECT ...) NUMBER)", group.start)
            return
        atom = self.formulas.function(target)
        assert isinstance(items[2], Word)
        number = read_number(report, items[2])
        if atom is None or number is None:
            return
        if atom.predicate == "total-cost":
            if number != 0:
                report.unsupported(f"{NUMERIC} (a total-cost that starts above 0)", group.start)
        elif atom not in self.values:
            self.values[atom] = number
        elif self.values[atom] == number:
            report.warning("duplicate-atom", lambda: f"the value of {quote(str(atom))} is stated twice", group.start)
        else:
            report.error("contradiction", lambda: f"{quote(str(atom))} is given two values", group.start)

    def finish(self) -> None:
        """An atom cannot be stated and denied."""
        for atom, at in self.absent.items():
            if atom in self.atoms:
                message = f"{quote(str(atom))} is stated here as false, but elsewhere as true"
                self.declared.report.error("contradiction", message, at)


def _flat(group: Group) -> Iterator[Node]:
    """The parts of ``(and ...)``, or of a group without a head."""
    yield from group.items[1:] if group.head else group.items
