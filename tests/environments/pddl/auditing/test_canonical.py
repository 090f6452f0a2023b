"""Keys up to renaming: random renamings keep them, random edits change them, brute force agrees on small ones."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.environments.pddl.auditing.canonical import COARSE, domain_key, problem_key
from cultivar.environments.pddl.auditing.formulas import conjuncts
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
    Increase,
    Not,
    Or,
    Predicate,
    Problem,
    Variable,
    When,
)

Node = TypeVar("Node", bound=Formula | Effect)
SEEDS = st.integers(0, 10**9)


def random_domain(rng: random.Random, *, predicates: int = 8, actions: int = 6, parameters: int = 3) -> Domain:
    """Typed, with negative preconditions, a disjunction, an equality, a quantified conditional effect and a cost."""
    types = (("place", ()), ("thing", ()), ("tool", ("thing",)), ("spare", ("thing",)))
    names = ("place", "thing", "tool")

    def declare(count: int, prefix: str) -> tuple[Variable, ...]:
        return tuple(Variable(f"{prefix}{i}", (rng.choice(names),)) for i in range(count))

    schemas = tuple(Predicate(f"p{i}", declare(rng.randint(0, 2), "?a")) for i in range(predicates))

    def atom(scope: tuple[str, ...]) -> Atom:
        schema = rng.choice([s for s in schemas if scope or not s.arity])
        return Atom(schema.name, tuple(rng.choice(scope) for _ in schema.parameters))

    def literal(scope: tuple[str, ...], share: float) -> Atom | Not:
        return Not(atom(scope)) if rng.random() < share else atom(scope)

    made = []
    for i in range(actions):
        given_parameters = declare(rng.randint(1, parameters), "?x")
        scope = (*(p.name for p in given_parameters), "home")
        condition: list[Formula] = [literal(scope, 0.2) for _ in range(rng.randint(1, 4))]
        effect: list[Effect] = [literal(scope, 0.5) for _ in range(rng.randint(1, 4))]
        if rng.random() < 0.3:
            condition.append(Or((literal(scope, 0.2), And((atom(scope), atom(scope))))))
        if rng.random() < 0.3:
            condition.append(Not(Equals(*rng.sample(scope, 2))))
        if rng.random() < 0.3:
            inner = (*scope, "?q")
            variables = (Variable("?q", ("tool",)),)
            condition.append(Exists(variables, And((atom(inner), atom(inner)))))
            effect.append(Forall(variables, When(atom(inner), literal(inner, 0.5))))
        effect.append(Increase(rng.randint(1, 3)))
        made.append(Action(f"do{i}", given_parameters, And(tuple(condition)), And(tuple(effect))))
    return Domain("d", (), types, (Variable("home", ("place",)),), schemas, (), (), tuple(made))


def renamed(node: Node, names: dict[str, str], rng: random.Random) -> Node:
    """The formula or effect under new names, its parts in a new order."""

    def go(n: Formula | Effect) -> Formula | Effect:
        match n:
            case Atom(predicate, args):
                return Atom(names[predicate], tuple(names.get(a, a) for a in args))
            case Not(body):
                return Not(go(body))  # type: ignore[arg-type]
            case And(parts) | Or(parts):
                return type(n)(tuple(go(p) for p in rng.sample(parts, len(parts))))  # type: ignore[misc]
            case Equals(left, right):
                pair = [names.get(left, left), names.get(right, right)]
                rng.shuffle(pair)
                return Equals(*pair)
            case Forall(variables, body) | Exists(variables, body):
                inner = tuple(Variable(names.get(v.name, v.name), tuple(names[t] for t in v.types)) for v in variables)
                return type(n)(inner, go(body))  # type: ignore[arg-type]
            case When(condition, effect):
                return When(go(condition), go(effect))  # type: ignore[arg-type]
            case _:
                return n

    return go(node)  # type: ignore[return-value]


def reskinned(domain: Domain, rng: random.Random) -> Domain:
    """The same domain under new names in a new order."""
    old = [t for t, _ in domain.types] + [c.name for c in domain.constants]
    old += [p.name for p in domain.predicates] + [a.name for a in domain.actions]
    new = [f"n{i}" for i in range(len(old))]
    rng.shuffle(new)
    names = dict(zip(old, new)) | {OBJECT: OBJECT}

    def declared(variables: tuple[Variable, ...], local: dict[str, str]) -> tuple[Variable, ...]:
        return tuple(Variable(local.get(v.name, v.name), tuple(names[t] for t in v.types)) for v in variables)

    def shuffled(items: list[Node | Action | Predicate | Variable]) -> tuple[object, ...]:
        return tuple(rng.sample(items, len(items)))

    actions = []
    for action in domain.actions:
        order = list(range(len(action.parameters)))
        rng.shuffle(order)
        local = names | {p.name: f"?v{order[i]}" for i, p in enumerate(action.parameters)} | {"?q": "?other"}
        parameters = declared(action.parameters, local)
        actions.append(
            Action(
                names[action.name],
                tuple(rng.sample(parameters, len(parameters))),
                renamed(action.precondition, local, rng),
                renamed(action.effect, local, rng),
            )
        )
    types = [(names[t], tuple(names[p] for p in parents)) for t, parents in domain.types]
    predicates = [Predicate(names[p.name], declared(p.parameters, {})) for p in domain.predicates]
    rng.shuffle(types)
    rng.shuffle(predicates)
    rng.shuffle(actions)
    return Domain(
        "other", ("x",), tuple(types), declared(domain.constants, names), tuple(predicates), actions=tuple(actions)
    )


def random_problem(rng: random.Random, *, objects: int = 15, facts: int = 40) -> Problem:
    things = tuple(Variable(f"o{i}", (rng.choice(("place", "thing", "tool")),)) for i in range(objects))
    names = [t.name for t in things]
    init = {Atom(f"p{rng.randint(0, 5)}", tuple(rng.choices(names, k=rng.randint(1, 2)))) for _ in range(facts)}
    goal = And(tuple(rng.sample(sorted(init, key=str), 3)))
    return Problem("p", "d", things, tuple(sorted(init, key=str)), goal)


def shuffled_problem(problem: Problem, rng: random.Random) -> Problem:
    old = [o.name for o in problem.objects]
    names = dict(zip(old, rng.sample([f"x{i}" for i in range(len(old))], len(old))))

    def move(atom: Atom) -> Atom:
        return Atom(atom.predicate, tuple(names[a] for a in atom.args))

    assert isinstance(problem.goal, And)
    goal = [move(g) for g in problem.goal.parts if isinstance(g, Atom)]
    return Problem(
        "other",
        "d",
        tuple(rng.sample([replace(o, name=names[o.name]) for o in problem.objects], len(old))),
        tuple(rng.sample([move(f) for f in problem.init], len(problem.init))),
        And(tuple(rng.sample(goal, len(goal)))),
    )


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_renaming_and_reordering_keep_the_key_of_a_domain(seed: int) -> None:
    rng = random.Random(seed)
    domain = random_domain(rng)
    key = domain_key(domain)
    assert not key.startswith(COARSE)
    assert domain_key(reskinned(domain, rng)) == key


def edited(domain: Domain, rng: random.Random) -> Domain | None:
    """One precondition dropped, one literal's two arguments swapped or one literal negated; None if it changed none."""
    actions = list(domain.actions)
    i = rng.randrange(len(actions))
    action = actions[i]
    assert isinstance(action.precondition, And)
    parts = list(action.precondition.parts)
    at = rng.randrange(len(parts))
    part = parts[at]
    match rng.choice(("drop", "swap", "negate")):
        case "swap":
            if not (isinstance(part, Atom) and len(part.args) == 2 and part.args[0] != part.args[1]):
                return None
            parts[at] = Atom(part.predicate, part.args[::-1])
        case "negate":
            parts[at] = part.body if isinstance(part, Not) else Not(part)  # type: ignore[arg-type]
        case _:
            del parts[at]
    if set(map(repr, parts)) == set(map(repr, action.precondition.parts)):
        return None
    actions[i] = replace(action, precondition=And(tuple(parts)))
    return replace(domain, actions=tuple(actions))


def normal_forms(domain: Domain) -> set[object]:
    """Every way to write a domain of flat literals over numbered predicates and parameters: brute force.

    Of what ``normalise`` leaves (``test_normalise`` is about that), each predicate that it allows as itself or negated.
    """
    plain, either_way = normalise(domain)
    found: set[object] = set()
    for count in range(len(either_way) + 1):
        for negated in itertools.combinations(sorted(either_way), count):
            found |= ways_to_write(plain, negated)
    return found


def ways_to_write(domain: Domain, negated: Sequence[str]) -> set[object]:
    found: set[object] = set()
    used = [
        p for p in domain.predicates if any(f"'{p.name}'" in repr((a.precondition, a.effect)) for a in domain.actions)
    ]
    for order in itertools.permutations(range(len(used))):
        number = {p.name: order[i] for i, p in enumerate(used)}
        schemas = tuple(sorted((number[p.name], tuple(v.types for v in p.parameters)) for p in used))
        choices = []
        for action in domain.actions:
            forms = set()
            for places in itertools.permutations(range(len(action.parameters))):
                local = {p.name: places[i] for i, p in enumerate(action.parameters)}
                types = tuple(sorted((local[p.name], p.types) for p in action.parameters))
                sides = []
                for side in (action.precondition, action.effect):
                    literals = set()
                    for x in conjuncts(side):  # type: ignore[arg-type]
                        atom = x.body if isinstance(x, Not) else x
                        assert isinstance(atom, Atom)
                        sign = isinstance(x, Not) != (atom.predicate in negated)
                        literals.add((sign, number[atom.predicate], tuple(local[t] for t in atom.args)))
                    sides.append(tuple(sorted(literals)))
                forms.add((types, tuple(sides)))
            choices.append(min(forms))
        found.add((schemas, tuple(sorted(choices))))
    return found


def small_domain(rng: random.Random) -> Domain:
    schemas = tuple(Predicate(f"p{i}", tuple(Variable(f"?a{j}") for j in range(rng.randint(1, 2)))) for i in range(3))

    def literals(scope: tuple[str, ...], least: int) -> And:
        found: list[Atom | Not] = []
        for _ in range(rng.randint(least, 2)):
            schema = rng.choice(schemas)
            atom = Atom(schema.name, tuple(rng.choice(scope) for _ in schema.parameters))
            found.append(Not(atom) if rng.random() < 0.4 else atom)
        return And(tuple(found))

    actions = []
    for i in range(2):
        parameters = tuple(Variable(f"?x{j}") for j in range(2))
        scope = tuple(p.name for p in parameters)
        actions.append(Action(f"a{i}", parameters, literals(scope, 0), literals(scope, 1)))
    return Domain("d", predicates=schemas, actions=tuple(actions))


def test_key_of_small_domains_agrees_with_brute_force() -> None:
    rng = random.Random(5)
    keys: dict[str, object] = {}
    forms: dict[object, str] = {}
    collisions = 0
    for _ in range(1500):
        domain = small_domain(rng)
        key, form = domain_key(domain), min(normal_forms(domain), key=repr)
        collisions += key in keys
        assert keys.setdefault(key, form) == form
        assert forms.setdefault(form, key) == key
    assert collisions > 30, "the sample must hold isomorphic pairs for the test to mean something"


def test_edits_change_the_key_as_brute_force_says() -> None:
    rng = random.Random(6)
    changed = 0
    for _ in range(600):
        domain = small_domain(rng)
        if not all(isinstance(a.precondition, And) and a.precondition.parts for a in domain.actions):
            continue
        other = edited(domain, rng)
        if other is None:
            continue
        equal = bool(normal_forms(domain) & normal_forms(other))
        assert (domain_key(domain) == domain_key(other)) == equal
        changed += not equal
    assert changed > 100


def test_edits_of_rich_domains_change_the_key() -> None:
    rng = random.Random(7)
    tried = differing = 0
    for _ in range(300):
        domain = random_domain(rng)
        other = edited(domain, rng)
        if other is not None:
            tried += 1
            differing += domain_key(other) != domain_key(domain)
    assert tried > 150
    # A renaming undoes an edit only by accident (say, a predicate that occurs once); none of these seeds has one.
    assert differing == tried


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_renaming_objects_keeps_the_key_of_a_problem(seed: int) -> None:
    rng = random.Random(seed)
    problem = random_problem(rng, objects=rng.randint(2, 12), facts=rng.randint(3, 30))
    domain = Domain("d")
    key = problem_key(domain, problem)
    assert problem_key(domain, shuffled_problem(problem, rng)) == key
    fewer = replace(problem, init=problem.init[1:])
    assert problem_key(domain, fewer) != key


def test_what_does_not_matter() -> None:
    domain = random_domain(random.Random(3))
    key = domain_key(domain)
    spare = replace(
        domain,
        requirements=(":strips", ":typing"),
        types=(*domain.types, ("unused", ()), ("between", ("thing",))),
        predicates=(*domain.predicates, Predicate("never-mentioned", (Variable("?z", ("unused",)),))),
    )
    assert domain_key(spare) == key
    nested = [
        replace(a, precondition=And((And(a.precondition.parts), And(())))) if isinstance(a.precondition, And) else a
        for a in domain.actions
    ]
    assert domain_key(replace(domain, actions=tuple(nested))) == key


def test_types_between_types_in_use_disappear() -> None:
    action = Action("go", (Variable("?x", ("low",)), Variable("?y", ("top",))), effect=Atom("p", ("?x", "?y")))
    predicate = Predicate("p", (Variable("?x"), Variable("?y")))
    direct = Domain("d", types=(("top", ()), ("low", ("top",))), predicates=(predicate,), actions=(action,))
    through = replace(direct, types=(("top", ()), ("middle", ("top",)), ("low", ("middle",))))
    unrelated = replace(direct, types=(("top", ()), ("low", ())))
    assert domain_key(direct) == domain_key(through)
    assert domain_key(direct) != domain_key(unrelated)
    joined = replace(unrelated, types=(("top", ()), ("low", ()), ("both", ("top", "low"))))
    assert domain_key(joined) != domain_key(unrelated)


def test_speed_of_typical_domains_and_problems() -> None:
    rng = random.Random(11)
    domains = [random_domain(rng) for _ in range(40)]
    problems = [random_problem(rng) for _ in range(40)]
    began = time.process_time()
    for domain in domains:
        domain_key(domain)
    per_domain = (time.process_time() - began) / len(domains)
    began = time.process_time()
    for problem in problems:
        problem_key(domains[0], replace(problem))
    per_problem = (time.process_time() - began) / len(problems)
    # Measured 2 ms and 1 ms; the bound leaves room for a busy machine.
    assert per_domain < 0.02
    assert per_problem < 0.02
