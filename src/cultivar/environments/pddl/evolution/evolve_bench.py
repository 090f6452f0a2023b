"""What the operators of ``evolve`` work on: one seed, grounded and planned once, with its budget of searches.

A new start that was reached from the old one, and new goals among the facts of the task, need no new grounding, so a
candidate costs one search. Only what is kept is written as a problem, grounded afresh and replayed there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cultivar.core.errors import InputError
from cultivar.environments.pddl.evolution.resize import Place, exclusive_places
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.grounding.ground import GroundingLimit, ground
from cultivar.environments.pddl.model import And, Atom, Domain, Effect, Formula, Problem, literals
from cultivar.environments.pddl.planner.heuristics import RelaxedPlans
from cultivar.environments.pddl.planner.normal import NormalTask
from cultivar.environments.pddl.planner.search import Plan
from cultivar.environments.pddl.simulation.simulate import Simulator

T = TypeVar("T")
Planner = Callable[[GroundTask], Plan]

WALKS = 4
WALK_STEPS = 40
BRANCHES = 40
"""Actions looked at in one step of a walk."""

MAX_OPERATORS = 20_000
LARGE = 1000
"""Ground actions from which on the budget of searches shrinks, because each costs in proportion."""


@dataclass(frozen=True, slots=True)
class Evolved:
    """A problem, its grounded task and a plan of that task; ``operator`` says how it was made."""

    problem: Problem
    task: GroundTask
    plan: Plan
    operator: str


@dataclass(frozen=True, slots=True)
class Range:
    """Plan lengths wanted, both ends included; no upper end if ``high`` is None."""

    low: int
    high: int | None

    def __contains__(self, length: int) -> bool:
        return self.low <= length and not self.below(length)

    def below(self, length: int) -> bool:
        """Whether the range ends below a length."""
        return self.high is not None and length > self.high

    def near(self, likely: float) -> bool:
        """Whether a predicted length is worth a search."""
        if self.high is None:
            return likely >= self.low
        return 0.9 * self.low <= likely <= 1.1 * self.high + 1

    def within(self, low: int, high: int) -> list[int]:
        return list(range(max(low, self.low), (high if self.high is None else min(high, self.high)) + 1))


@dataclass
class Bench:
    domain: Domain
    problem: Problem
    task: GroundTask
    simulator: Simulator
    plan: Plan
    rng: random.Random
    plans_left: int
    planner: Planner
    states: list[int]  # along the plan, the first and the last included
    goals: list[Atom]  # the seed's positive goal facts; empty if its goal says anything else
    predicates: frozenset[str]  # of goals
    _walks: dict[int, list[int]] = field(default_factory=dict)
    _first_seen: dict[Atom, int] = field(default_factory=dict)
    _exclusive: set[Place] | None = None
    _relaxed: tuple[NormalTask, RelaxedPlans] | None = None
    _ratio: tuple[float, float] = (1.0, 1.0)  # steps of plans, steps of their relaxed plans

    @classmethod
    def of(
        cls,
        domain: Domain,
        problem: Problem,
        rng: random.Random,
        solved: tuple[GroundTask, Plan] | None,
        plans: int,
        planner: Planner,
    ) -> Bench | None:
        """None if the problem cannot be grounded or is not solved within the limits."""
        try:
            task = solved[0] if solved else ground(domain, problem, max_operators=MAX_OPERATORS)
        except (GroundingLimit, InputError):
            return None
        found = solved[1] if solved else planner(task)
        if found.status != "solved":
            return None
        simulator = Simulator(task)
        states = [simulator.initial]
        for op in found.operators:
            states.append(simulator.apply(states[-1], op))
        goals = [g for g in goal_facts(problem.goal) if g in task.bit]
        predicates = goal_predicates(domain, goals)
        left = max(0, plans * LARGE // max(LARGE, len(task.operators)) - (solved is None))
        bench = cls(domain, problem, task, simulator, found, rng, left, planner, states, goals, predicates)
        bench._learn(bench.initial, None, len(found))
        return bench

    @property
    def initial(self) -> int:
        return self.simulator.initial

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self.rng.sample(items, len(items))

    # States and what holds in them.

    def far_states(self, start: int | None = None) -> list[int]:
        """Ends of walks from a state (the initial one by default) that prefer what they have not seen, furthest first.

        The state in which the seed's plan ends stands among those of the initial state.
        """
        begin = self.initial if start is None else start
        if begin not in self._walks:
            ends = [self.states[-1]] if start is None else []
            seen = begin
            for _ in range(WALKS):
                end, seen = self._walk(begin, seen)
                ends.append(end)
            ends = [s for s in dict.fromkeys(ends) if s != begin]
            self._walks[begin] = sorted(ends, key=lambda s: -len(self.new_goals(s, since=begin)))
        return self._walks[begin]

    def _walk(self, state: int, seen: int) -> tuple[int, int]:
        """Source of the bias: novelty of width 1, Lipovetzky and Geffner, Width and serialization, 2012."""
        simulator, rng, visited = self.simulator, self.rng, {state}
        for step in range(rng.randint(WALK_STEPS // 2, WALK_STEPS)):
            operators = simulator.applicable(state)
            if len(operators) > BRANCHES:
                operators = rng.sample(operators, BRANCHES)
            after = [s for s in (simulator.apply(state, op) for op in operators) if s not in visited]
            if not after:
                break
            novel = [s for s in after if s & ~seen]
            state = rng.choice(novel or after)
            visited.add(state)
            new, seen = state & ~seen, seen | state
            for fact in self.task.atoms(new):
                self._first_seen.setdefault(fact, step)
        return state, seen

    def new_goals(self, state: int, since: int | None = None) -> list[Atom]:
        """Facts fit for a goal that hold in a state and did not at ``since`` (the initial state by default)."""
        new = state & ~(self.initial if since is None else since)
        return [fact for fact in self.task.atoms(new) if fact.predicate in self.predicates]

    def far_first(self, facts: list[Atom]) -> list[Atom]:
        """At random, but facts that the walks met late rather at the front."""
        return sorted(facts, key=lambda f: -self._first_seen.get(f, 0) * self.rng.random())

    def exclusive(self) -> set[Place]:
        if self._exclusive is None:
            sample = [*self.states, *self.far_states()]
            known = [f for f in self.problem.init if f not in self.task.bit]
            self._exclusive = exclusive_places(self.domain, ([*known, *self.task.atoms(state)] for state in sample))
        return self._exclusive

    # Candidates.

    def search(self, start: int, goals: Sequence[Atom] | None) -> Plan | None:
        """A plan from a state to some facts (to the seed's own goal if None); None if none was found."""
        if self.plans_left <= 0:
            return None
        self.plans_left -= 1
        need, forbid = self._condition(goals)
        changed = replace(self.task, initial=start, need=need, forbid=forbid, unreachable_goal=False)
        found = self.planner(changed)
        if found.status != "solved":
            return None
        self._learn(start, goals, len(found))
        return found

    def _condition(self, goals: Sequence[Atom] | None) -> tuple[int, int]:
        if goals is None:
            return self.task.need, self.task.forbid
        return sum(self.task.bit[g] for g in set(goals)), 0

    def predict(self, start: int, goals: Sequence[Atom] | None) -> float | None:
        """The length that a search would probably find: the relaxed plan's, times how much longer plans were than
        relaxed plans so far. None if the goals are out of reach for certain."""
        relaxed = self._relaxed_length(start, goals)
        return None if relaxed is None else relaxed * self._ratio[0] / self._ratio[1]

    def _learn(self, start: int, goals: Sequence[Atom] | None, length: int) -> None:
        relaxed = self._relaxed_length(start, goals)
        if relaxed:
            self._ratio = (self._ratio[0] + length, self._ratio[1] + relaxed)

    def _relaxed_length(self, start: int, goals: Sequence[Atom] | None) -> int | None:
        if self._relaxed is None:
            aims = sum(bit for fact, bit in self.task.bit.items() if fact.predicate in self.predicates)
            normal = NormalTask(replace(self.task, need=self.task.need | aims, unreachable_goal=False))
            self._relaxed = (normal, RelaxedPlans(normal))
        normal, plans = self._relaxed
        state = (start | (~start & normal.negated) << normal.shift) & normal.relevant
        found = plans.estimate(state, normal.condition(*self._condition(goals)))
        return None if found is None else found.length

    def attempt(
        self,
        operator: str,
        wanted: Range,
        *,
        start: int | None = None,
        goals: Sequence[Atom] | None = None,
        known: Plan | None = None,
    ) -> Evolved | None:
        """One candidate, given out if the shorter of its plan and a ``known`` one has a length that is wanted."""
        begin = self.initial if start is None else start
        likely = self.predict(begin, goals)
        if likely is None or (known is None and not wanted.near(likely)):
            return None
        found = self.search(begin, goals)
        if known is not None and (found is None or len(known) < len(found)):
            found = known
        if found is None or len(found) not in wanted:
            return None
        return self.finish(operator, begin, goals, found)

    def finish(self, operator: str, start: int, goals: Sequence[Atom] | None, found: Plan) -> Evolved | None:
        """The candidate as a problem of its own, grounded afresh; None if its plan does not replay there."""
        goal = self.problem.goal if goals is None else And(tuple(goals))
        problem = replace(self.problem, init=self._facts(start), goal=goal)
        return _checked(self.domain, problem, found, operator)

    def rebuilt(self, operator: str, problem: Problem, wanted: Range) -> Evolved | None:
        """A problem with other objects that keeps the seed's plan."""
        if len(self.plan) not in wanted:
            return None
        return _checked(self.domain, problem, self.plan, operator)

    def _facts(self, state: int) -> tuple[Atom, ...]:
        derived = {rule.head.name for rule in self.domain.derived}
        now = {fact: None for fact in self.task.atoms(state) if fact.predicate not in derived}
        kept = [fact for fact in self.problem.init if fact not in self.task.bit or fact in now]
        return tuple(dict.fromkeys([*kept, *now]))


def _checked(domain: Domain, problem: Problem, found: Plan, operator: str) -> Evolved | None:
    try:
        task = ground(domain, problem, max_operators=MAX_OPERATORS)
    except (GroundingLimit, InputError):
        return None
    simulator = Simulator(task)
    state, operators = simulator.initial, []
    for name, args in found.steps():
        op = simulator.find(state, name, args)
        if op is None:
            return None
        operators.append(op)
        state = simulator.apply(state, op)
    if not simulator.is_goal(state):
        return None
    return Evolved(problem, task, replace(found, operators=tuple(operators)), operator)


def goal_facts(goal: Formula) -> list[Atom]:
    """The facts of a conjunction of facts; empty for every other goal."""
    found: list[Atom] = []
    stack: list[Formula | Effect] = [goal]
    while stack:
        match stack.pop():
            case And(parts):
                stack.extend(reversed(parts))
            case Atom() as atom:
                found.append(atom)
            case _:
                return []
    return found


def goal_predicates(domain: Domain, goals: Sequence[Atom]) -> frozenset[str]:
    """The predicates of the goals that some action adds; without one, those that only end chains of actions (added,
    but needed by no precondition), else whatever has an argument and is added."""
    added = {e.predicate for a in domain.actions for e in literals(a.effect) if isinstance(e, Atom)}
    heads = {rule.head.name for rule in domain.derived}
    asked = {g.predicate for g in goals} & (added | heads)
    if asked:
        return frozenset(asked)
    needed = {e.predicate for a in domain.actions for e in literals(a.precondition) if isinstance(e, Atom)}
    told = {p.name for p in domain.predicates if p.arity}
    return frozenset(added & told - needed or added & told)
