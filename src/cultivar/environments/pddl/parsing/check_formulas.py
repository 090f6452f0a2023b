"""Conditions and effects: nodes -> checked formulas.

Recursive: `syntax.MAX_DEPTH` bounds how deep. A part that cannot be read is reported and left out (the value is then
thrown away by the caller), so that the rest is checked too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from cultivar.environments.pddl.model import (
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
    Variable,
    When,
)
from cultivar.environments.pddl.parsing.check_names import is_number, read_number, read_variables
from cultivar.environments.pddl.parsing.check_terms import CONNECTIVES, NUMERIC, Terms
from cultivar.environments.pddl.parsing.diagnostics import Report, quote
from cultivar.environments.pddl.parsing.syntax import Group, Node, Word, show

_CHANGES = frozenset(("assign", "decrease", "scale-up", "scale-down"))


@dataclass(slots=True)
class Formulas(Terms):
    """Reads the conditions and effects of one place."""

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
        if (group := self.formula_group(node, "a condition")) is None:
            return None
        args = group.items[1:]
        need = self.declared.need
        match self.meant(group):
            case "and":
                return And(self._parts(args))
            case "or":
                need(":disjunctive-preconditions", group.start)
                return Or(self._parts(args))
            case "not":
                if not self.count(group, 1, "(not CONDITION)"):
                    return None
                inner = args[0]
                negated = isinstance(inner, Group) and inner.head not in CONNECTIVES
                need(":negative-preconditions" if negated else ":strips", group.start)
                body = self.condition(inner)
                return None if body is None else Not(body)
            case "imply":
                need(":disjunctive-preconditions", group.start)
                if not self.count(group, 2, "(imply CONDITION CONDITION)"):
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
                return self.atom_or_feature(group)
        return None

    def _parts(self, nodes: Sequence[Node]) -> tuple[Formula, ...]:
        return tuple(f for n in nodes if (f := self.condition(n)) is not None)

    def _quantified(self, group: Group, head: str) -> Formula | None:
        requirement = ":universal-preconditions" if head == "forall" else ":existential-preconditions"
        self.declared.need(requirement, group.start)
        if not self.count(group, 2, f"({head} (?x - TYPE ...) CONDITION)"):
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
        if any(self._is_value(a) for a in args):
            self.report.unsupported(f"{NUMERIC} (comparing numbers)", group.start)
            return None
        if not self.count(group, 2, "(= TERM TERM)"):
            return None
        left, right = self.term(args[0]), self.term(args[1])
        if left is None or right is None:
            return None
        return Equals(left[0], right[0])

    def _is_value(self, node: Node) -> bool:
        """A number (unless an object is named so) or the value of a function."""
        if isinstance(node, Group):
            return node.head in self.declared.functions
        return is_number(node) and node.text not in self.objects

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
        if (group := self.formula_group(node, "an effect")) is None:
            return None
        args = group.items[1:]
        match self.meant(group):
            case "and":
                return And(tuple(e for n in args if (e := self.effect(n, literals)) is not None))
            case "not":
                return self._delete(group, literals)
            case "forall":
                self.declared.need(":conditional-effects", group.start)
                if not self.count(group, 2, "(forall (?x - TYPE ...) EFFECT)"):
                    return None
                with self._binding(group, "forall") as variables:
                    body = self.effect(args[1], literals.within("forall"))
                return Forall(variables, body) if variables and body is not None else None
            case "when":
                self.declared.need(":conditional-effects", group.start)
                if not self.count(group, 2, "(when CONDITION EFFECT)"):
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
        if not self.count(group, 1, "(not ATOM)"):
            return None
        inner = group.items[1]
        if isinstance(inner, Group) and inner.head in CONNECTIVES:
            message = f"in an effect 'not' takes one atom, found {show(inner)}: write one (not ATOM) for each"
            self.report.error("not-of-formula", message, inner.start)
            return None
        target = self.formula_group(inner, "an atom")
        atom = self._effect_atom(target) if target is not None else None
        if atom is None:
            return None
        literals.deleted.setdefault(atom, group.start)
        return Not(atom)

    def _effect_atom(self, group: Group) -> Atom | None:
        atom = self.atom_or_feature(group)
        if isinstance(atom, Atom) and atom.predicate in self.declared.derived:
            message = f"{quote(atom.predicate)} is a derived predicate, which no effect can change"
            self.report.error("derived-in-effect", message, group.start)
            return None
        return atom

    def _increase(self, group: Group, literals: _Literals) -> Effect | None:
        self.declared.need(":action-costs", group.start)
        if not self.count(group, 2, "(increase (total-cost) AMOUNT)"):
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
