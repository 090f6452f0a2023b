"""One task in the making: places, objects, initial facts, and goals on offer, of which as many are taken as size asks.

Solvable by construction: there is an *open* part of the map, which can be walked freely; every mechanic that closes a
place (a lock, a permit, ...) adds the place itself and puts whatever opens it into the part that can be reached before
(``before``). Costs are estimates of steps, and only steer the length; the planner measures it.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from cultivar.environments.pddl.model import And, Atom, Formula, Not, Problem, Variable
from cultivar.environments.pddl.procedural.draft import YOU, Draft, Literal, read_literals
from cultivar.environments.pddl.procedural.wording import slug

TARGETS = (4.0, 5.5, 8.0, 11.0, 15.0, 20.5)
"""The sum of goal costs aimed at for sizes 1 to 6; best plans come out at about these lengths."""
SIZES = len(TARGETS)

_ADJECTIVES = ("north", "south", "east", "west", "upper", "lower", "old", "new", "large", "small")


@dataclass(frozen=True, slots=True)
class Goal:
    """Literals that are reached together. Two goals that share a ``claim`` may not both be taken."""

    kind: str
    literals: tuple[Literal, ...]
    cost: float
    claims: tuple[str, ...]


class Scene:
    """See the module. ``size`` is 1 to 6. ``places`` are all that can be left again; ``walkable`` those that can be
    walked to, once opened; ``plain`` those of them that need no action but moving; ``gates`` those that each mechanic
    closed; ``toll`` the steps it takes to open a place."""

    def __init__(self, draft: Draft, rng: random.Random, size: int) -> None:
        self.draft = draft
        self.rng = rng
        self.size = min(max(size, 1), SIZES)
        self.objects: list[tuple[str, str]] = []
        self.facts: dict[tuple[str, ...], None] = {}
        self.goals: list[Goal] = []
        self.crew: list[str] = [YOU]
        self.start: dict[str, str] = {}
        self.places: list[str] = []
        self.open: list[str] = []
        self.walkable: list[str] = []
        self.plain: list[str] = []
        self.gates: dict[str, list[str]] = {}
        self.toll: dict[str, float] = {}
        self.kind = ""
        self._near: dict[str, list[str]] = {}
        self._distances: dict[str, dict[str, int]] = {}
        self._used: list[str] = []

    # -- objects and facts -----------------------------------------------------------------------------------------

    def new(self, role: str) -> str:
        """An object of this type, with a name that neither contains nor is contained in another's."""
        return self.several(role, 1)[0]

    def several(self, role: str, count: int) -> list[str]:
        kind = self.draft.types[role]
        names = [slug(n) for n in kind.names]
        if count > len(names):
            last = names[-1]
            names = [f"{a}-{n}" for n in names for a in _ADJECTIVES] or [last]
        self.rng.shuffle(names)
        return [self._named(names, role) for _ in range(count)]

    def call(self, role: str, phrase: str) -> str:
        """An object of this type with this name."""
        return self._named([slug(phrase)], role)

    def ordered(self, role: str, count: int) -> list[str]:
        """The first ``count`` objects of a type whose names have an order, such as levels."""
        known = self.all(role)
        if not known:
            known = [self._named([slug(n)], role) for n in self.draft.types[role].names[:count]]
        return known

    def all(self, role: str) -> list[str]:
        return [name for name, kind in self.objects if kind == role]

    def fact(self, text: str) -> None:
        """Adds initial facts, written as in the draft's notation."""
        for literal in read_literals(text):
            self.facts[literal.words] = None

    def unfact(self, text: str) -> None:
        for literal in read_literals(text):
            self.facts.pop(literal.words, None)

    def offer(self, text: str, cost: float, *claims: str) -> None:
        """Puts a goal on offer, unless it holds already."""
        literals = tuple(read_literals(text))
        if any((x.words in self.facts) != x.wanted for x in literals):
            self.goals.append(Goal(self.kind, literals, cost, claims))

    def where(self, thing: str) -> str:
        """The place in which a thing lies, or "" if it lies in none."""
        return next((w[2] for w in self.facts if w[0] == "lies" and w[1] == thing), "")

    # -- the map ---------------------------------------------------------------------------------------------------

    def link(self, here: str, there: str, *, back: bool = True) -> None:
        self.fact(f"link {here} {there}")
        self._near.setdefault(here, []).append(there)
        if back:
            self.fact(f"link {there} {here}")
            self._near.setdefault(there, []).append(here)
        self._distances.clear()

    def near(self, here: str, there: str) -> None:
        """Lets ``distance`` know of a way that is not a plain link."""
        self._near.setdefault(here, []).append(there)
        self._distances.clear()

    def gate(self, toll: float, *, plain: bool = True, outside: str = "") -> str:
        """Adds a closed place behind one reached so far (or behind ``outside``). ``toll``: steps to open it."""
        outside = outside or self.rng.choice(self.walkable)
        place = self.new("place")
        self.link(outside, place)
        self.places.append(place)
        self.walkable.append(place)
        if plain and outside in self.plain:
            self.plain.append(place)
        self.gates.setdefault(self.kind, []).append(place)
        self.toll[place] = toll + self.toll.get(outside, 0.0)
        return place

    def island(self, toll: float) -> str:
        """Adds a place that no link leads to."""
        place = self.new("place")
        self.gates.setdefault(self.kind, []).append(place)
        self.toll[place] = toll
        return place

    def before(self, place: str) -> str:
        """A place from which ``place`` can be opened: one that was there before it."""
        return self.rng.choice(self.walkable[: self.walkable.index(place)])

    def distance(self, here: str, there: str) -> float:
        """Steps from one place to the other, tolls of the target included."""
        if here not in self._distances:
            found, todo = {here: 0}, deque([here])
            while todo:
                place = todo.popleft()
                for other in self._near.get(place, ()):
                    if other not in found:
                        found[other] = found[place] + 1
                        todo.append(other)
            self._distances[here] = found
        return self._distances[here].get(there, 2) + self.toll.get(there, 0.0)

    def passable(self, here: str, there: str, shut: list[str]) -> bool:
        """Whether plain places lead from the one to the other around those that are ``shut``."""
        seen, todo = {here, *shut}, [here]
        while todo:
            for other in self._near.get(todo.pop(), ()):
                if other not in seen and other in self.plain:
                    seen.add(other)
                    todo.append(other)
        return there in seen and there not in shut

    def errand(self, source: str, target: str) -> float:
        """Steps to fetch something from ``source`` and bring it to ``target``, going there included."""
        home = self.start[self.crew[0]]
        return 0.7 * self.distance(home, source) + self.distance(source, target) + 2

    def visit(self, place: str) -> float:
        """Steps to go and do something at ``place``."""
        return 0.8 * self.distance(self.start[self.crew[0]], place) + 1

    def anywhere(self, but: str = "") -> str:
        return self.rng.choice([p for p in self.places if p != but])

    def openly(self, but: str = "") -> str:
        """A place of the open part."""
        return self.rng.choice([p for p in self.open if p != but] or self.open)

    def count(self, low: float, high: float) -> int:
        """A number between ``low`` (size 1) and ``high`` (size 6), give or take chance."""
        exact = low + (high - low) * (self.size - 1) / (SIZES - 1)
        return int(exact + self.rng.random() * 0.999)

    # -- the result ------------------------------------------------------------------------------------------------

    def problem(self, name: str, domain: str) -> Problem | None:
        """The task with the goals taken, or None if none of those on offer will do."""
        chosen = self._choose()
        if not chosen:
            return None
        draft = self.draft
        literals: list[Formula] = []
        for goal in chosen:
            for literal in goal.literals:
                atom = draft.atom(literal.words)
                literals.append(atom if literal.wanted else Not(atom))
        init: dict[Atom, None] = {draft.atom(words): None for words in self.facts}
        return Problem(
            name=name,
            domain=domain,
            objects=tuple(Variable(o, (draft.types[role].name,)) for o, role in self.objects),
            init=tuple(init),
            goal=And(tuple(literals)),
        )

    def _choose(self) -> list[Goal]:
        """Goals whose costs add up to about the target, of as many kinds as there are."""
        target = TARGETS[self.size - 1]
        by_kind: dict[str, list[Goal]] = {}
        for goal in self.goals:
            by_kind.setdefault(goal.kind, []).append(goal)
        queues = list(by_kind.values())
        self.rng.shuffle(queues)
        if self.rng.random() < 0.75:  # what is particular to this world comes before mere moving and carrying
            queues.sort(key=lambda queue: queue[0].kind in ("travel", "carrying"))
        for queue in queues:
            self.rng.shuffle(queue)
        chosen: list[Goal] = []
        claimed: set[str] = set()
        total = 0.0
        room = 1.2 * target + 0.5
        for turn in range(max((len(q) for q in queues), default=0)):
            for queue in queues:
                if turn >= len(queue) or total >= 0.85 * target:
                    continue
                goal = queue[turn]
                if claimed.isdisjoint(goal.claims) and total + goal.cost <= room:
                    chosen.append(goal)
                    claimed.update(goal.claims)
                    total += goal.cost
        if total < 3.0:
            longer = [g for g in self.goals if g.cost >= 3.0]
            chosen = [min(longer, key=lambda g: g.cost)] if longer else []
        return chosen

    def _named(self, names: list[str], role: str) -> str:
        for name in names:
            if not any(_overlap(name, used) for used in self._used):
                break
        else:
            pool = [f"{a}-{n}" for a in _ADJECTIVES for n in names]
            apart = [n for n in pool if not any(_overlap(n, used) for used in self._used)]
            name = next(n for n in (*apart, *pool) if n not in self._used)
        self._used.append(name)
        self.objects.append((name, role))
        return name


def _overlap(one: str, other: str) -> bool:
    """Whether the words of one name are a run of the other's."""
    return f"-{one}-" in f"-{other}-" or f"-{other}-" in f"-{one}-"
