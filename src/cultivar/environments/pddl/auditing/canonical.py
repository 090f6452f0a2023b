"""Keys of domains and problems that do not depend on what things are called.

What counts as the same domain: one that differs by the names of domain, types, predicates, functions, actions,
parameters, constants and variables, by the order of declarations, parameters, conjuncts and disjuncts, by requirement
flags, by what is declared but of no use (types, predicates and functions that no action, derived rule or constant
mentions), by anything that ``normalise`` takes away (its docstring is part of this promise), and by a predicate that is
written as its complement, ``busy`` as ``not free``, where that is safe: some action adds it, some action deletes it,
and none can do both to one fact.
The order of a predicate's arguments does count, because the actions' literals are written in it.

Types: only those that something in use is declared with are part of the structure, related by the transitive
hierarchy. A type that merely stands between two of them disappears into that relation, and so does one that objects of
a problem may have but that no action can tell from its nearest ancestor in use. A type of no other use is kept only
where it is what makes an object belong to two otherwise unrelated types.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet

from cultivar.environments.pddl.auditing.labelling import Structure, certificate
from cultivar.environments.pddl.auditing.normalise import normalise
from cultivar.environments.pddl.model import (
    OBJECT,
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
    Problem,
    Variable,
    When,
)

COARSE = "~"
"""Before a key that the bounded search could not make exact: equal keys then mean 'probably isomorphic'."""


def domain_key(domain: Domain, goals: AbstractSet[str] | None = None) -> str:
    """32 hex digits, equal iff what ``normalise`` makes of two domains is isomorphic in the sense of this module.

    Equal keys are sound: the problems of one are problems of the other, with the same plans, if every declared type has
    an object and of two complements exactly one holds of everything at the start. Different keys only say that none of
    the rewritings of ``normalise`` leads from one to the other; whether two domains plan alike is not decided.

    ``goals``: the predicates that goals speak of, if that is known; effects on predicates that neither they nor
    anything else reads then do not count. Without it every predicate may be asked for.

    A key that starts with ``~`` was made by colour refinement alone, because the search for an exact one was given up
    (very symmetric domains of hundreds of symbols).
    """
    return _key(domain_structure(*normalise(domain, goals)))


def problem_key(domain: Domain, problem: Problem) -> str:
    """32 hex digits, equal iff two problems of one domain differ only by the names and order of their objects and the
    order of facts and goals. Constants and the domain's own names stand for themselves. ``~`` as in ``domain_key``."""
    return _key(problem_structure(domain, problem))


def _key(structure: Structure) -> str:
    text, exact = certificate(structure)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return digest if exact else COARSE + digest


class _Encoder:
    """Formulas and effects as tuples over a structure.

    ``symbols`` are the vertices of predicates and functions; a name that has none is its own label. A predicate with a
    vertex for its complement is not negated: the other vertex stands where it is false or made so, and which of the two
    is the predicate as it was written cannot be told.
    """

    def __init__(
        self,
        structure: Structure,
        symbols: dict[str, int],
        types: dict[str, int],
        complements: dict[str, int] | None = None,
    ) -> None:
        self.structure = structure
        self.symbols = symbols
        self.types = types
        self.complements = complements or {}

    def declare(self, owner: int, variables: tuple[Variable, ...], scope: dict[str, int]) -> dict[str, int]:
        inner = dict(scope)
        for variable in variables:
            vertex = inner[variable.name] = self.structure.vertex("variable")
            self.structure.relate("binds", owner, vertex)
            self.give_types(vertex, variable.types)
        return inner

    def give_types(self, vertex: int, types: tuple[str, ...]) -> None:
        for name in types:
            if name in self.types:
                self.structure.relate("type", vertex, self.types[name])
            else:
                self.structure.relate(f"type {name}", vertex)

    def atom(self, role: str, owner: int, atom: Atom, scope: dict[str, int]) -> None:
        terms = [scope[term] for term in atom.args]
        symbol = self.symbols.get(atom.predicate)
        if symbol is None:
            self.structure.relate(f"{role} {atom.predicate}", owner, *terms)
        else:
            self.structure.relate(role, owner, symbol, *terms)

    def part(self, role: str, owner: int, node: Formula | Effect, scope: dict[str, int]) -> None:
        """Relates ``node`` to ``owner``, which is read as the conjunction (or, if it is an ``or``, disjunction) of its
        parts of one role."""
        relate = self.structure.relate
        match node:
            case And(parts) if not role.startswith("or"):
                for inner in parts:
                    self.part(role, owner, inner, scope)
            case Or(parts) if role.startswith("or"):
                for inner in parts:
                    self.part(role, owner, inner, scope)
            case And((single,)) | Or((single,)):
                self.part(role, owner, single, scope)
            case Atom():
                self.atom(role, owner, node, scope)
            case Not(Atom(predicate, args)) if predicate in self.complements:
                relate(role, owner, self.complements[predicate], *(scope[term] for term in args))
            case Not(Atom() as atom):
                self.atom(f"{role} not", owner, atom, scope)
            case Equals(left, right):
                relate(f"{role} =", owner, scope[left], scope[right])
                relate(f"{role} =", owner, scope[right], scope[left])
            case Increase(amount):
                if isinstance(amount, Atom):
                    self.atom("increase", owner, amount, scope)
                else:
                    relate(f"increase {float(amount)}", owner)
            case _:
                vertex = self.structure.vertex(type(node).__name__.lower())
                relate(role, owner, vertex)
                self.compound(vertex, node, scope)

    def compound(self, vertex: int, node: Formula | Effect, scope: dict[str, int]) -> None:
        match node:
            case And(parts):
                for inner in parts:
                    self.part("and", vertex, inner, scope)
            case Or(parts):
                for inner in parts:
                    self.part("or", vertex, inner, scope)
            case Not(body):
                self.part("negated", vertex, body, scope)
            case Imply(left, right):
                self.part("if", vertex, left, scope)
                self.part("then", vertex, right, scope)
            case When(condition, effect):
                self.part("if", vertex, condition, scope)
                self.part("then", vertex, effect, scope)
            case Forall(variables, body) | Exists(variables, body):
                self.part("body", vertex, body, self.declare(vertex, variables, scope))
            case _:
                raise AssertionError(node)


def domain_structure(domain: Domain, either_way: AbstractSet[str] = frozenset()) -> Structure:
    """Vertices: types, predicates, functions, constants, actions, rules, variables and compound formulas in use.

    Predicates in ``either_way`` have two vertices that differ only by what they are used for.
    """
    structure = Structure()
    used = _used_symbols(domain)
    schemas = [s for s in (*domain.predicates, *domain.functions) if s.name in used]
    types = _type_vertices(domain, structure, _used_types(domain, used))
    symbols = {s.name: structure.vertex("function" if s in domain.functions else "predicate") for s in schemas}
    complements = {s.name: structure.vertex("predicate") for s in schemas if s.name in either_way}
    encoder = _Encoder(structure, symbols, types, complements)
    for schema in schemas:
        vertices = [of[schema.name] for of in (symbols, complements) if schema.name in of]
        for vertex in vertices:
            for position, parameter in enumerate(schema.parameters):
                for name in parameter.types:
                    structure.relate(f"argument {position}", vertex, types[name])
            structure.relate(f"arity {schema.arity}", vertex)
        if len(vertices) > 1:
            structure.relate("complements", *vertices)
            structure.relate("complements", *reversed(vertices))
    scope = {}
    for constant in domain.constants:
        scope[constant.name] = structure.vertex("constant")
        encoder.give_types(scope[constant.name], constant.types)
    for action in domain.actions:
        vertex = structure.vertex("action")
        inner = encoder.declare(vertex, action.parameters, scope)
        encoder.part("precondition", vertex, action.precondition, inner)
        encoder.part("effect", vertex, action.effect, inner)
    for rule in domain.derived:
        vertex = structure.vertex("rule")
        inner = encoder.declare(vertex, rule.head.parameters, scope)
        encoder.atom("head", vertex, Atom(rule.head.name, tuple(p.name for p in rule.head.parameters)), inner)
        encoder.part("body", vertex, rule.condition, inner)
    return structure


def problem_structure(domain: Domain, problem: Problem) -> Structure:
    """Vertices: constants (each a kind of its own), objects (by type), the goal and its compound formulas."""
    structure = Structure()
    scope = {c.name: structure.vertex(f"constant {c.name}") for c in domain.constants}
    for thing in problem.objects:
        if thing.name not in scope:
            scope[thing.name] = structure.vertex(f"object {' '.join(sorted(set(thing.types)))}")
    goal = structure.vertex("minimize" if problem.minimize_cost else "goal")
    for fact in problem.init:
        structure.relate(f"init {fact.predicate}", *(scope[term] for term in fact.args))
    for function, value in problem.values:
        structure.relate(f"value {function.predicate} {float(value)}", *(scope[term] for term in function.args))
    _Encoder(structure, {}, {}).part("goal", goal, problem.goal, scope)
    return structure


def _nodes(action: Action) -> list[Formula | Effect]:
    return [action.precondition, action.effect]


def _used_symbols(domain: Domain) -> set[str]:
    found: set[str] = {rule.head.name for rule in domain.derived}
    stack: list[Formula | Effect] = [rule.condition for rule in domain.derived]
    stack.extend(node for action in domain.actions for node in _nodes(action))
    while stack:
        node = stack.pop()
        if isinstance(node, Atom):
            found.add(node.predicate)
        elif isinstance(node, Increase) and isinstance(node.amount, Atom):
            found.add(node.amount.predicate)
        stack.extend(_children(node))
    return found


def _children(node: Formula | Effect) -> tuple[Formula | Effect, ...]:
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(body) | Forall(_, body) | Exists(_, body):
            return (body,)
        case Imply(left, right) | When(left, right):
            return (left, right)
        case _:
            return ()


def _used_types(domain: Domain, symbols: set[str]) -> set[str]:
    declared: list[Variable] = [*domain.constants]
    for schema in (*domain.predicates, *domain.functions):
        if schema.name in symbols:
            declared.extend(schema.parameters)
    stack: list[Formula | Effect] = []
    for action in domain.actions:
        declared.extend(action.parameters)
        stack.extend(_nodes(action))
    for rule in domain.derived:
        declared.extend(rule.head.parameters)
        stack.append(rule.condition)
    while stack:
        node = stack.pop()
        if isinstance(node, Forall | Exists):
            declared.extend(node.variables)
        stack.extend(_children(node))
    return {name for variable in declared for name in variable.types}


def _type_vertices(domain: Domain, structure: Structure, used: set[str]) -> dict[str, int]:
    ancestors = domain.ancestors
    vertices = {name: structure.vertex("object" if name == OBJECT else "type") for name in sorted(used)}
    above = {name: frozenset(ancestors.get(name, frozenset((name,)))) & used for name in (*ancestors, *used)}
    for name, vertex in vertices.items():
        for parent in above[name] - {name}:
            structure.relate("below", vertex, vertices[parent])
    joins = set()
    for name in ancestors:
        if name not in used:
            lowest = frozenset(t for t in above[name] if not any(t in above[u] for u in above[name] - {t}))
            if len(lowest) > 1:
                joins.add(lowest)
    for lowest in sorted(joins, key=sorted):
        vertex = structure.vertex("join")
        for name in lowest:
            structure.relate("below", vertex, vertices[name])
    return vertices
