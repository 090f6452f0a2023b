"""Atoms and terms: what a formula is made of, checked against what is declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cultivar.environments.pddl.model import OBJECT, Atom, Predicate, Variable
from cultivar.environments.pddl.parsing.check_names import UNKNOWN, Declared, Types
from cultivar.environments.pddl.parsing.diagnostics import Report, listed, quote
from cultivar.environments.pddl.parsing.syntax import Group, Node, Word, show

NUMERIC = ":numeric-fluents"
_COMPARISONS = frozenset(("<", ">", "<=", ">="))
CONNECTIVES = frozenset(("and", "or", "not", "imply", "forall", "exists", "when", "=", "increase"))
_FEATURES = {
    "preference": ":preferences",
    "always": ":constraints (trajectory constraints)",
    "sometime": ":constraints (trajectory constraints)",
    "within": ":constraints (trajectory constraints)",
    "at-most-once": ":constraints (trajectory constraints)",
    "sometime-after": ":constraints (trajectory constraints)",
    "sometime-before": ":constraints (trajectory constraints)",
    "always-within": ":constraints (trajectory constraints)",
    "hold-during": ":constraints (trajectory constraints)",
    "hold-after": ":constraints (trajectory constraints)",
    "oneof": ":non-deterministic (oneof)",
    "unknown": ":non-deterministic (unknown)",
    "probabilistic": ":probabilistic-effects",
    "observe": ":partial-observability",
}
MEANT = {
    "implies": "imply",
    "=>": "imply",
    "->": "imply",
    "if": "when",
    "for-all": "forall",
    "foreach": "forall",
    "for": "forall",
    "all": "forall",
    "exist": "exists",
    "some": "exists",
    "==": "=",
    "equals": "=",
    "equal": "=",
    "eq": "=",
    "!": "not",
    "!=": "=",
    "neq": "=",
    "&": "and",
    "&&": "and",
    "|": "or",
    "||": "or",
}


def describe(predicate: Predicate) -> str:
    """A predicate as it is declared: ``(on ?x - block ?y - block)``."""
    parts = [predicate.name]
    parts += [
        p.name if p.types in ((OBJECT,), UNKNOWN) else f"{p.name} - {_type(p.types)}" for p in predicate.parameters
    ]
    return f"({' '.join(parts)})"


def _is_timed(group: Group) -> bool:
    """``(at start (...))`` and the like, whatever ``at`` is declared as."""
    when, what = group.items[1:] if len(group.items) == 3 else (None, None)
    return isinstance(when, Word) and when.text in ("start", "end", "all") and isinstance(what, Group)


def _arity(predicate: Predicate, kind: str, found: int) -> str:
    wants = f"{predicate.arity} argument{'' if predicate.arity == 1 else 's'}"
    here = f"here {'is' if found == 1 else 'are'} {found}"
    return f"the {kind} {quote(predicate.name)} takes {wants}, {describe(predicate)}, but {here}"


def _type(types: Types) -> str:
    return types[0] if len(types) == 1 else f"(either {' '.join(types[:10])})"


@dataclass(slots=True)
class Terms:
    """Reads the atoms of one place (an action, a derived predicate, a problem).

    ``place`` is how messages call it; ``objects`` are the names that may stand as terms; ``parameters`` the variables.
    """

    declared: Declared
    place: str
    objects: Mapping[str, Types]
    parameters: Sequence[Variable] = ()
    objects_are: str = "constant"
    variables: dict[str, Types] = field(init=False)
    seen: set[str] = field(init=False, default_factory=set)
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = self.declared.report
        self.variables = {p.name: p.types for p in self.parameters}

    def formula_group(self, node: Node, what: str) -> Group | None:
        """The node, if it is a group that begins with a word."""
        if isinstance(node, Word):
            nullary = node.text in self.declared.predicates
            hint = f"write ({node.text})" if nullary else "parentheses may be missing around it"
            message = f"expected {what} in parentheses, found {quote(node.text)}; {hint}"
            self.report.error("expected-formula", message, node.start)
        elif not node.items:
            self.report.error("empty-formula", f"expected {what}, found '()'", node.start)
        elif not node.head:
            message = f"expected {what}, which begins with a predicate or 'and', 'not', ..., found '(('"
            self.report.error("extra-group", f"{message}: remove one pair of parentheses", node.start)
            if len(node.items) == 1:
                return self.formula_group(node.items[0], what)
        else:
            return node
        return None

    def atom_or_feature(self, group: Group) -> Atom | None:
        head = group.head
        if head in ("at", "over") and _is_timed(group):
            self.report.unsupported(":durative-actions ('at start', 'over all', 'at end')", group.start)
            return None
        if head in self.declared.predicates:
            pass
        elif head in _COMPARISONS:
            self.report.unsupported(f"{NUMERIC} (comparing numbers)", group.start)
            return None
        elif head in _FEATURES:
            self.report.unsupported(_FEATURES[head], group.start)
            return None
        return self.atom(group)

    def meant(self, group: Group) -> str:
        """The head of a formula; of ``(implies ...)`` and the like it is reported and the right one returned."""
        head = group.head
        if head in MEANT and head not in self.declared.predicates:
            self._unknown_predicate(group)
            return MEANT[head]
        return head

    def atom(self, group: Group) -> Atom | None:
        """``(predicate term ...)`` of a declared predicate, or None."""
        head = group.head
        predicate = self.declared.predicates.get(head)
        if predicate is None:
            self._unknown_predicate(group)
            for node in group.items[1:]:
                self.term(node)
            return None
        self.declared.used.add(head)
        return self._applied(group, predicate, "predicate")

    def function(self, group: Group) -> Atom | None:
        """``(function term ...)`` of a declared numeric function, or None."""
        function = self.declared.functions.get(group.head)
        if function is not None:
            return self._applied(group, function, "function")
        head = group.head or show(group)

        def message() -> str:
            hint = self.report.suggest(head, self.declared.functions)
            return f"unknown function {quote(head)}{hint or '; it is not declared in (:functions ...)'}"

        self.report.error("unknown-function", message, group.start, once=("function", head))
        return None

    def _applied(self, group: Group, predicate: Predicate, kind: str) -> Atom | None:
        nodes = group.items[1:]
        terms = [self.term(node) for node in nodes]
        if predicate.name in self.declared.ambiguous:
            return None
        if len(terms) != predicate.arity:
            self.report.error("wrong-arity", lambda: _arity(predicate, kind, len(terms)), group.start)
            return None
        good = True
        for place, (node, term, parameter) in enumerate(zip(nodes, terms, predicate.parameters, strict=True), 1):
            if term is None:
                good = False
            elif not self.declared.fits(term[1], parameter.types):
                good = False
                self._wrong_type(node, place, predicate, term, parameter.types)
        return Atom(predicate.name, tuple([t[0] for t in terms if t is not None])) if good else None

    def _wrong_type(self, node: Node, place: int, predicate: Predicate, term: tuple[str, Types], wanted: Types) -> None:
        def message() -> str:
            wider = ", which is wider: declare it narrower" if self.declared.fits(wanted, term[1]) else ""
            of = f"argument {place} of {describe(predicate)} must be of type {listed(wanted)}"
            return f"{of}, but {quote(term[0])} is of type {listed(term[1])}{wider}"

        self.report.error("type-mismatch", message, node.start)

    def _unknown_predicate(self, group: Group) -> None:
        if self.declared.has_predicates:  # where the section is missed, that is said once, there
            head = group.head
            self.report.error("unknown-predicate", lambda: self._why(head), group.start, once=("predicate", head))

    def _why(self, head: str) -> str:
        declared = self.declared
        if head.startswith("?"):
            return f"expected a predicate, found the variable {quote(head)}"
        if head.startswith(":"):
            return f"the keyword {quote(head)} cannot stand in a formula"
        if head in MEANT:
            meant = "not (= ...)" if head in ("!=", "neq") else MEANT[head]
            return f"unknown predicate {quote(head)}; did you mean '{meant}'?"
        if head in declared.functions:
            return f"{quote(head)} is a function, but a predicate is expected"
        if head in declared.parents:
            return f"{quote(head)} is a type, not a predicate: declare a predicate, or give the variable that type"
        hint = self.report.suggest(head, [*declared.predicates, *CONNECTIVES])
        return f"unknown predicate {quote(head)}{hint or '; it is not declared in (:predicates ...)'}"

    def term(self, node: Node) -> tuple[str, Types] | None:
        """A declared variable or object with its types, or None."""
        if isinstance(node, Group):
            self._nested_term(node)
            return None
        text = node.text
        if text[0] == "?":
            types = self.variables.get(text)
            if types is None:
                self._undeclared_variable(node)
                return None
            self.seen.add(text)
            return text, types
        types = self.objects.get(text)
        if types is None:
            self._unknown_object(node)
            return None
        return text, types

    def _nested_term(self, group: Group) -> None:
        if group.head in self.declared.functions:
            self.report.unsupported(f"{NUMERIC} (a function as an argument)", group.start)
        elif group.head in self.declared.predicates or group.head in CONNECTIVES:
            message = (
                f"expected a variable or an object, found the formula {show(group)}: a ')' may be missing before it"
            )
            self.report.error("nested-formula", message, group.start)
        else:
            message = f"expected a variable or an object, found {show(group)}"
            self.report.error("nested-formula", message, group.start)

    def _undeclared_variable(self, word: Word) -> None:
        def message() -> str:
            declared = listed([v for v in self.variables if "-unreadable" not in v], "and") or "none"
            hint = self.report.suggest(word.text, self.variables)
            return f"undeclared variable {quote(word.text)} in {self.place}; declared are: {declared}{hint}"

        self.report.error("undeclared-variable", message, word.start, once=("variable", self.place, word.text))

    def _unknown_object(self, word: Word) -> None:
        text = word.text
        if "?" + text in self.variables:
            message = f"{quote(text)} is not declared; did you mean the variable '?{text}'?"
            self.report.error("missing-question-mark", message, word.start)
            self.seen.add("?" + text)
            return
        if "'" in text or '"' in text:
            message = f"{quote(text)} cannot be the name of an object: names stand without quotation marks"
            self.report.error("invalid-name", message, word.start)
            return
        if text[0] in "-:":
            message = (
                f"{quote(text)} cannot stand among the arguments of a formula: types are given where it is declared"
            )
            self.report.error("stray-dash" if text[0] == "-" else "unexpected-word", message, word.start)
            return
        if self.objects_are == "constant":
            more = "a variable starts with '?', a constant is declared in (:constants ...)"
        else:
            more = "an object is declared in (:objects ...)"

        def say() -> str:
            hint = self.report.suggest(text, self.objects)
            return f"unknown {self.objects_are} {quote(text)} in {self.place}{hint}; {more}"

        self.report.error(f"unknown-{self.objects_are}", say, word.start, once=("object", self.place, text))

    def count(self, group: Group, count: int, form: str) -> bool:
        found = len(group.items) - 1
        if found != count:
            message = f"'{group.head}' is written {form}, but here {'is' if found == 1 else 'are'} {found} after it"
            self.report.error("wrong-form", message, group.start)
        return found == count
