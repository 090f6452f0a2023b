"""Conditions and effects: nodes -> checked formulas.

Recursive: `syntax.MAX_DEPTH` bounds how deep. A part that cannot be read is reported and left out (the value is then
thrown away by the caller), so that the rest is checked too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from cultivar.environments.pddl.check_names import (
    UNKNOWN,
    Declared,
    Types,
    is_number,
    read_number,
    read_variables,
)
from cultivar.environments.pddl.diagnostics import Report, listed, quote
from cultivar.environments.pddl.model import (
    OBJECT,
    TRUE,
    And,
    Atom,
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
    Variable,
    When,
)
from cultivar.environments.pddl.syntax import Group, Node, Word, show

NUMERIC = ":numeric-fluents"
_COMPARISONS = frozenset(("<", ">", "<=", ">="))
_CHANGES = frozenset(("assign", "decrease", "scale-up", "scale-down"))
_CONNECTIVES = frozenset(("and", "or", "not", "imply", "forall", "exists", "when", "=", "increase"))
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
    "over": ":durative-actions (over all)",
}
_MEANT = {
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
    "!=": "not (= ...)",
    "neq": "not (= ...)",
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


def _arity(predicate: Predicate, kind: str, found: int) -> str:
    wants = f"{predicate.arity} argument{'' if predicate.arity == 1 else 's'}"
    here = f"here {'is' if found == 1 else 'are'} {found}"
    return f"the {kind} {quote(predicate.name)} takes {wants}, {describe(predicate)}, but {here}"


def _type(types: Types) -> str:
    return types[0] if len(types) == 1 else f"(either {' '.join(types[:10])})"


@dataclass(slots=True)
class Formulas:
    """Reads the conditions and effects of one place (an action, a derived predicate, a problem).

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

    # Conditions

    def conditions(self, nodes: Sequence[Node], what: str, at: int) -> Formula:
        """What stands after ``:precondition`` or ``:goal``: one formula. ``()`` is truth; several are reported."""
        if not nodes:
            self.report.error("missing-formula", f"{what} is empty; write '()' for no condition", at)
        elif len(nodes) > 1:
            self._several(nodes, what)
            return And(tuple(f for n in nodes if (f := self.condition(n)) is not None))
        elif isinstance(nodes[0], Group) and not nodes[0].items:
            return TRUE
        else:
            return self.condition(nodes[0]) or TRUE
        return TRUE

    def _several(self, nodes: Sequence[Node], what: str) -> None:
        message = f"{what} is one expression, but here are {len(nodes)}: wrap them as (and ...)"
        self.report.error("several-formulas", message, nodes[1].start)

    def condition(self, node: Node) -> Formula | None:
        """A checked formula, or None if it could not be read (which is then reported)."""
        if (group := self._formula_group(node, "a condition")) is None:
            return None
        args = group.items[1:]
        need = self.declared.need
        match group.head:
            case "and":
                return And(self._parts(args))
            case "or":
                need(":disjunctive-preconditions", group.start)
                return Or(self._parts(args))
            case "not":
                if not self._count(group, 1, "(not CONDITION)"):
                    return None
                inner = args[0]
                negated = isinstance(inner, Group) and inner.head not in _CONNECTIVES
                need(":negative-preconditions" if negated else ":strips", group.start)
                body = self.condition(inner)
                return None if body is None else Not(body)
            case "imply":
                need(":disjunctive-preconditions", group.start)
                if not self._count(group, 2, "(imply CONDITION CONDITION)"):
                    return None
                left, right = self.condition(args[0]), self.condition(args[1])
                return None if left is None or right is None else Imply(left, right)
            case "forall" | "exists" as head:
                return self._quantified(group, head)
            case "=":
                return self._equals(group)
            case "when":
                message = (
                    "'(when ...)' is an effect, but a condition is expected: did you mean (imply CONDITION CONDITION)?"
                )
                self.report.error("effect-in-condition", message, group.start)
            case "increase":
                self.report.error("effect-in-condition", "'(increase ...)' is an effect, not a condition", group.start)
            case _:
                return self._atom_or_feature(group)
        return None

    def _parts(self, nodes: Sequence[Node]) -> tuple[Formula, ...]:
        return tuple(f for n in nodes if (f := self.condition(n)) is not None)

    def _quantified(self, group: Group, head: str) -> Formula | None:
        requirement = ":universal-preconditions" if head == "forall" else ":existential-preconditions"
        self.declared.need(requirement, group.start)
        if not self._count(group, 2, f"({head} (?x - TYPE ...) CONDITION)"):
            return None
        with self._binding(group, head) as variables:
            body = self.condition(group.items[2])
        if not variables or body is None:
            return None
        return Forall(variables, body) if head == "forall" else Exists(variables, body)

    @contextmanager
    def _binding(self, group: Group, head: str) -> Iterator[tuple[Variable, ...]]:
        """The variables of a quantifier, in scope while its body is read."""
        binder = group.items[1]
        variables: tuple[Variable, ...] = ()
        if isinstance(binder, Group):
            variables = read_variables(self.declared, binder.items, f"this '{head}'", binder.start)
        if not variables:
            message = f"expected the variables of '{head}', as in ({head} (?x - TYPE) ...), found {show(binder)}"
            self.report.error("missing-variables", message, binder.start)
        shadowed = {v.name: self.variables[v.name] for v in variables if v.name in self.variables}
        for name in shadowed:
            message = f"the variable {quote(name)} of this '{head}' hides the one of the same name around it"
            self.report.warning("shadowed-variable", message, binder.start)
        outer = self.seen & {v.name for v in variables}
        self.seen -= outer
        self.variables.update((v.name, v.types) for v in variables)
        yield variables
        for variable in variables:
            if variable.name not in self.seen:
                message = f"the variable {quote(variable.name)} of this '{head}' is never used"
                self.report.warning("unused-variable", message, binder.start)
            self.seen.discard(variable.name)
            del self.variables[variable.name]
        self.variables.update(shadowed)
        self.seen |= outer

    def _equals(self, group: Group) -> Formula | None:
        self.declared.need(":equality", group.start)
        args = group.items[1:]
        if any(is_number(a) or (isinstance(a, Group) and a.head in self.declared.functions) for a in args):
            self.report.unsupported(f"{NUMERIC} (comparing numbers)", group.start)
            return None
        if not self._count(group, 2, "(= TERM TERM)"):
            return None
        left, right = self.term(args[0]), self.term(args[1])
        if left is None or right is None:
            return None
        return Equals(left[0], right[0])

    # Effects

    def effects(self, nodes: Sequence[Node], what: str, at: int) -> Effect:
        """What stands after ``:effect``: one effect; ``()`` does nothing."""
        literals = _Literals()
        found: Effect = TRUE
        if not nodes:
            self.report.error("missing-formula", f"{what} is empty; write '()' for no effect", at)
        elif len(nodes) > 1:
            self._several(nodes, what)
            found = And(tuple(e for n in nodes if (e := self.effect(n, literals)) is not None))
        elif not (isinstance(nodes[0], Group) and not nodes[0].items):
            found = self.effect(nodes[0], literals) or TRUE
        literals.warn(self.report)
        return found

    def effect(self, node: Node, literals: _Literals) -> Effect | None:
        """A checked effect, or None if it could not be read. Its literals are noted in ``literals``."""
        if (group := self._formula_group(node, "an effect")) is None:
            return None
        args = group.items[1:]
        match group.head:
            case "and":
                return And(tuple(e for n in args if (e := self.effect(n, literals)) is not None))
            case "not":
                return self._delete(group, literals)
            case "forall":
                self.declared.need(":conditional-effects", group.start)
                if not self._count(group, 2, "(forall (?x - TYPE ...) EFFECT)"):
                    return None
                with self._binding(group, "forall") as variables:
                    body = self.effect(args[1], literals.within("forall"))
                return Forall(variables, body) if variables and body is not None else None
            case "when":
                self.declared.need(":conditional-effects", group.start)
                if not self._count(group, 2, "(when CONDITION EFFECT)"):
                    return None
                condition = self.conditions([args[0]], "the condition of 'when'", group.start)
                inner = literals.within("when")
                effect = self.effect(args[1], inner)
                inner.warn(self.report)
                return None if effect is None else When(condition, effect)
            case "increase":
                return self._increase(group, literals)
            case "or" | "imply" | "exists" | "=" as head:
                hint = "; did you mean (when CONDITION EFFECT)?" if head == "imply" else ""
                message = f"{show(group)} is a condition, but an effect is expected: effects are (and ...) of atoms, "
                message += f"(not ATOM), (when ...) and (forall ...){hint}"
                self.report.error("condition-in-effect", message, group.start)
                return None
            case head if head in _CHANGES and head not in self.declared.predicates:
                self.report.unsupported(f"{NUMERIC} ({head})", group.start, "only (increase (total-cost) ...) is read")
                return None
            case _:
                atom = self._effect_atom(group)
                if atom is not None:
                    literals.added.setdefault(atom, group.start)
                return atom

    def _delete(self, group: Group, literals: _Literals) -> Effect | None:
        if not self._count(group, 1, "(not ATOM)"):
            return None
        inner = group.items[1]
        if isinstance(inner, Group) and inner.head in _CONNECTIVES:
            message = f"in an effect 'not' takes one atom, found {show(inner)}: write one (not ATOM) for each"
            self.report.error("not-of-formula", message, inner.start)
            return None
        target = self._formula_group(inner, "an atom")
        atom = self._effect_atom(target) if target is not None else None
        if atom is None:
            return None
        literals.deleted.setdefault(atom, group.start)
        return Not(atom)

    def _effect_atom(self, group: Group) -> Atom | None:
        atom = self._atom_or_feature(group)
        if isinstance(atom, Atom) and atom.predicate in self.declared.derived:
            message = f"{quote(atom.predicate)} is a derived predicate, which no effect can change"
            self.report.error("derived-in-effect", message, group.start)
            return None
        return atom

    def _increase(self, group: Group, literals: _Literals) -> Effect | None:
        self.declared.need(":action-costs", group.start)
        if not self._count(group, 2, "(increase (total-cost) AMOUNT)"):
            return None
        target, amount = group.items[1:]
        if not (isinstance(target, Group) and target.head == "total-cost" and len(target.items) == 1):
            feature = f"{NUMERIC} (increase of something other than (total-cost))"
            self.report.unsupported(feature, target.start, "only (increase (total-cost) ...) is read")
            return None
        if literals.inside:
            self.report.unsupported(
                f":action-costs inside '{literals.inside}'", group.start, "let an action have one cost"
            )
            return None
        if "total-cost" not in self.declared.functions:
            message = "unknown function 'total-cost'; declare it: (:functions (total-cost) - number)"
            self.report.error("unknown-function", message, target.start, once=("function", "total-cost"))
        if isinstance(amount, Word):
            number = read_number(self.report, amount)
            return None if number is None else Increase(number)
        if amount.head in ("+", "-", "*", "/"):
            self.report.unsupported(f"{NUMERIC} (arithmetic)", amount.start, "an amount is a number or one function")
            return None
        if amount.head == "total-cost":
            self.report.unsupported(f"{NUMERIC} (an amount that is not static)", amount.start)
            return None
        atom = self.function(amount)
        return None if atom is None else Increase(atom)

    # Atoms and terms

    def _formula_group(self, node: Node, what: str) -> Group | None:
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
                return self._formula_group(node.items[0], what)
        else:
            return node
        return None

    def _atom_or_feature(self, group: Group) -> Atom | None:
        head = group.head
        if head in self.declared.predicates:
            if head == "at" and len(group.items) > 1 and isinstance(group.items[-1], Group):
                self.report.unsupported(":durative-actions ('at start', 'at end') or timed literals", group.start)
                return None
        elif head in _COMPARISONS:
            self.report.unsupported(f"{NUMERIC} (comparing numbers)", group.start)
            return None
        elif head in _FEATURES:
            self.report.unsupported(_FEATURES[head], group.start)
            return None
        return self.atom(group)

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
        if head in _MEANT:
            return f"unknown predicate {quote(head)}; did you mean '{_MEANT[head]}'?"
        if head in declared.functions:
            return f"{quote(head)} is a function, but a predicate is expected"
        if head in declared.parents:
            return f"{quote(head)} is a type, not a predicate: declare a predicate, or give the variable that type"
        hint = self.report.suggest(head, [*declared.predicates, *_CONNECTIVES])
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
        elif group.head in self.declared.predicates or group.head in _CONNECTIVES:
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
        if text == "-" or text[0] in "-:":
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

    def _count(self, group: Group, count: int, form: str) -> bool:
        found = len(group.items) - 1
        if found != count:
            message = f"'{group.head}' is written {form}, but here {'is' if found == 1 else 'are'} {found} after it"
            self.report.error("wrong-form", message, group.start)
        return found == count


@dataclass(slots=True)
class _Literals:
    """What one effect adds and deletes at once, and where; ``inside`` names the quantifier or condition."""

    inside: str = ""
    added: dict[Atom, int] = field(default_factory=dict)
    deleted: dict[Atom, int] = field(default_factory=dict)

    def within(self, inside: str) -> _Literals:
        return _Literals(inside) if inside == "when" else _Literals(self.inside or inside, self.added, self.deleted)

    def warn(self, report: Report) -> None:
        for atom, at in self.deleted.items():
            if atom in self.added:
                message = f"{quote(str(atom))} is both added and deleted by this effect; it is then added"
                report.warning("added-and-deleted", message, at)
