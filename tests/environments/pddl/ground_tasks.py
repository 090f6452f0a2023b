"""Ground tasks made by hand and at random, and an exhaustive search over them that shares no code with the planner."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterable, Sequence

from cultivar.environments.pddl.grounded import Axiom, Conditional, GroundTask, Operator
from cultivar.environments.pddl.model import Atom, Domain, Problem


def close(task: GroundTask, state: int) -> int:
    """The state with its derived facts, and only those."""
    for layer in task.axioms:
        for axiom in layer:
            state &= ~axiom.head
    for layer in task.axioms:
        for _ in layer:
            for axiom in layer:
                if state & axiom.need == axiom.need and not state & axiom.forbid:
                    state |= axiom.head
    return state


def step(task: GroundTask, state: int, op: Operator) -> int | None:
    if state & op.need != op.need or state & op.forbid:
        return None
    add, delete = op.add, op.delete
    for c in op.conditional:
        if state & c.need == c.need and not state & c.forbid:
            add |= c.add
            delete |= c.delete
    return close(task, state & ~delete | add)


def is_goal(task: GroundTask, state: int) -> bool:
    return state & task.need == task.need and not state & task.forbid


def replay(task: GroundTask, operators: Iterable[Operator]) -> int:
    """The cost of a plan; fails if it is none."""
    state, cost = task.initial, 0
    for op in operators:
        after = step(task, state, op)
        assert after is not None, f"{op} cannot be done"
        state, cost = after, cost + op.cost
    assert is_goal(task, state), "the plan ends short of the goal"
    return cost


def cheapest_cost(task: GroundTask) -> int | None:
    """Dijkstra over all reachable states."""
    best = {task.initial: 0}
    queue = [(0, task.initial)]
    while queue:
        cost, state = heapq.heappop(queue)
        if best[state] < cost:
            continue
        if is_goal(task, state):
            return cost
        for op in task.operators:
            after = step(task, state, op)
            if after is not None and cost + op.cost < best.get(after, 1 << 60):
                best[after] = cost + op.cost
                heapq.heappush(queue, (cost + op.cost, after))
    return None


def _mask(rng: random.Random, among: Sequence[int], most: int) -> int:
    return sum(1 << i for i in rng.sample(among, rng.randint(0, min(most, len(among)))))


def random_task(seed: int) -> GroundTask:
    """At most 9 facts; a third of the tasks has conditional effects, a third axioms, half costs from 0 to 3."""
    rng = random.Random(seed)
    basic = list(range(rng.randint(2, 7)))
    derived = list(range(len(basic), len(basic) + 2)) if rng.random() < 0.35 else []
    everything = basic + derived
    conditional, costs = rng.random() < 0.35, rng.random() < 0.5

    def condition(among: list[int], most: int) -> tuple[int, int]:
        need = _mask(rng, among, most)
        return need, _mask(rng, among, 1) & ~need if rng.random() < 0.4 else 0

    operators = []
    for i in range(rng.randint(1, 10)):
        need, forbid = condition(everything, 3)
        effects = tuple(
            Conditional(*condition(everything, 2), _mask(rng, basic, 2), _mask(rng, basic, 2))
            for _ in range(rng.randint(0, 2) if conditional else 0)
        )
        add, delete = _mask(rng, basic, 2), _mask(rng, basic, 2)
        cost = rng.randint(0, 3) if costs else 1
        operators.append(Operator(i, "act", (f"o{i}",), need, forbid, add, delete, cost, effects))
    axioms: tuple[tuple[Axiom, ...], ...] = ()
    if derived:
        low, high = derived
        axioms = (
            tuple(Axiom(1 << low, *condition(basic, 2)) for _ in range(rng.randint(1, 2))),
            tuple(Axiom(1 << high, *condition([*basic, low], 2)) for _ in range(rng.randint(1, 2))),
        )
    need, forbid = condition(everything, 3)
    task = _task(len(everything), _mask(rng, basic, 3), need, operators, axioms, forbid)
    return _task(len(everything), close(task, task.initial), need, operators, axioms, forbid)


def _task(
    facts: int,
    initial: int,
    need: int,
    operators: list[Operator],
    axioms: tuple[tuple[Axiom, ...], ...] = (),
    forbid: int = 0,
) -> GroundTask:
    atoms = tuple(Atom("f", (str(i),)) for i in range(facts))
    return GroundTask(Domain("d"), Problem("p", "d"), atoms, initial, need, forbid, tuple(operators), axioms=axioms)


class Builder:
    """Facts by name, operators by lists of names."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.operators: list[Operator] = []

    def mask(self, *names: str) -> int:
        return sum({1 << self.index.setdefault(name, len(self.index)) for name in names})

    def operator(self, name: str, need: list[str], add: list[str], delete: list[str]) -> None:
        head, *args = name.split()
        masks = self.mask(*need), 0, self.mask(*add), self.mask(*delete)
        self.operators.append(Operator(len(self.operators), head, tuple(args), *masks))

    def task(self, initial: list[str], goal: list[str]) -> GroundTask:
        start, need = self.mask(*initial), self.mask(*goal)
        return _task(len(self.index), start, need, self.operators)


def blocks(n: int, *, solved: bool = False) -> GroundTask:
    """Turn one tower of ``n`` blocks upside down."""
    b, names = Builder(), [f"b{i}" for i in range(n)]
    for x in names:
        b.operator(
            f"pick-up {x}", [f"clear {x}", f"table {x}", "free"], [f"hold {x}"], [f"clear {x}", f"table {x}", "free"]
        )
        b.operator(f"put-down {x}", [f"hold {x}"], [f"clear {x}", f"table {x}", "free"], [f"hold {x}"])
    for x, y in itertools.permutations(names, 2):
        on = f"on {x} {y}"
        b.operator(
            f"stack {x} {y}", [f"hold {x}", f"clear {y}"], [on, f"clear {x}", "free"], [f"hold {x}", f"clear {y}"]
        )
        b.operator(
            f"unstack {x} {y}", [on, f"clear {x}", "free"], [f"hold {x}", f"clear {y}"], [on, f"clear {x}", "free"]
        )
    tower = [f"on {x} {y}" for x, y in itertools.pairwise(names)]
    turned = [f"on {y} {x}" for x, y in itertools.pairwise(names)]
    return b.task(["free", f"clear {names[0]}", f"table {names[-1]}", *tower], tower if solved else turned)


def logistics(trucks: int, places: int, parcels: int) -> GroundTask:
    """Parcels go round a ring of places by trucks."""
    b = Builder()
    spots = [f"l{i}" for i in range(places)]
    for t in (f"t{i}" for i in range(trucks)):
        for here, there in itertools.permutations(spots, 2):
            b.operator(f"drive {t} {here} {there}", [f"at {t} {here}"], [f"at {t} {there}"], [f"at {t} {here}"])
        for p, spot in itertools.product((f"p{i}" for i in range(parcels)), spots):
            b.operator(
                f"load {p} {t} {spot}", [f"at {p} {spot}", f"at {t} {spot}"], [f"in {p} {t}"], [f"at {p} {spot}"]
            )
            b.operator(f"unload {p} {t} {spot}", [f"in {p} {t}", f"at {t} {spot}"], [f"at {p} {spot}"], [f"in {p} {t}"])
    initial = [f"at t{i} {spots[i % places]}" for i in range(trucks)]
    initial += [f"at p{i} {spots[i % places]}" for i in range(parcels)]
    return b.task(initial, [f"at p{i} {spots[(i + 1) % places]}" for i in range(parcels)])
