"""Why an action cannot be done, in words: "You cannot stack block a on block b: block b is not clear." """

from __future__ import annotations

from collections.abc import Iterator

from cultivar.environments.pddl.model import And, Atom, Effect, Equals, Forall, Formula, Imply, Not, Or
from cultivar.environments.pddl.narration.language import spoken
from cultivar.environments.pddl.narration.narrate import Narrator
from cultivar.environments.pddl.narration.templates import sentence
from cultivar.environments.pddl.simulation.evaluate import Binding, Evaluator, bound_formula

MAX_REASONS = 3
"Reasons that are named; how many more there are is said."


def unmet(evaluator: Evaluator, state: int, formula: Formula | Effect, binding: Binding) -> Iterator[Formula]:
    """The smallest ground parts of a condition that do not hold; nothing if it holds."""
    match formula:
        case And(parts):
            for part in parts:
                yield from unmet(evaluator, state, part, binding)
        case Forall(variables, body):
            for inner in evaluator.bindings(variables, binding):
                yield from unmet(evaluator, state, body, inner)
        case Not(Or(parts)):
            for part in parts:
                yield from unmet(evaluator, state, Not(part), binding)
        case _:
            if not evaluator.holds(state, formula, binding):
                yield bound_formula(formula, binding)


def reasons(narrator: Narrator, evaluator: Evaluator, state: int, name: str, args: tuple[str, ...]) -> list[str]:
    """Clauses, the objects of a wrong type first; empty if the action can be done. Name and number of arguments fit."""
    task = narrator.task
    action = task.domain.action[name]
    wrong = [
        f"{narrator.name(arg)} is not {_a(' or '.join(spoken(t) for t in parameter.types))}"
        for parameter, arg in zip(action.parameters, args)
        if not task.domain.is_a(task.objects[arg], parameter.types)
    ]
    if wrong:
        return list(dict.fromkeys(wrong))
    binding = {p.name: arg for p, arg in zip(action.parameters, args)}
    parts = sorted(unmet(evaluator, state, action.precondition, binding), key=_compound)
    return list(dict.fromkeys(_clause(narrator, part) for part in parts))


def refusal(narrator: Narrator, evaluator: Evaluator, state: int, name: str, args: tuple[str, ...]) -> str:
    """The sentence to answer with when an action that was understood cannot be done."""
    why = reasons(narrator, evaluator, state, name, args)
    more = len(why) - MAX_REASONS
    said = " and ".join(why[:MAX_REASONS]) + (f" (and {more} more reason{'s' if more > 1 else ''})" if more > 0 else "")
    return sentence(f"You cannot {narrator.doing(name, args)}: {said or 'it has no effect here'}")


def _clause(narrator: Narrator, failing: Formula) -> str:
    match failing:
        case Atom():
            return narrator.phrase(Not(failing))
        case Not(Atom() as atom):
            return narrator.phrase(atom)
        case Not(Equals(left, _)):
            return f"{narrator.name(left)} is named twice"
        case Equals(left, right):
            return f"{narrator.name(left)} is not {narrator.name(right)}"
        case Imply(left, right):
            return f"{narrator.clause(left)}, and then it must hold that {narrator.clause(right)}"
        case _:
            return f"it must hold that {narrator.clause(failing)}"


def _compound(failing: Formula) -> bool:
    """Single literals are told first."""
    return not isinstance(failing.body if isinstance(failing, Not) else failing, Atom | Equals)


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
