"""Search over what a policy proposes: best of n attempts, a beam, Monte-Carlo tree search.

Beam and tree search copy the environment in the middle of an episode, so they need one that can be cloned; best of n
does not. Each attempt, each expansion of a beam and each simulation asks in a child scope of its own, and a tree's
simulations follow one another: what is found does not depend on timing, and a replay finds it again.

Candidates are the distinct actions among ``samples`` replies to one request. The prior of a candidate is its share of
the replies; where the endpoint gives log probabilities (``logprobs=True`` among the policy's sampling), it is the mean
probability of the actions' own tokens instead, and in both cases the priors of all candidates sum to 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from cultivar.agents.episode import Episode, Limits, Move, Policy
from cultivar.agents.rollout import LIMITS, resume, think
from cultivar.core.errors import ItemFailed, Unparsable, UsageError
from cultivar.core.protocols import Environment, NotClonable
from cultivar.core.records import Task, Trajectory
from cultivar.core.scope import Scope, together

Value: TypeAlias = Callable[[Episode, Scope], Awaitable[float]]
"""How good an episode stands, in [0, 1]."""


async def by_progress(episode: Episode, scope: Scope) -> float:
    """1 if the task is solved, else the best progress so far."""
    return 1.0 if episode.ended == "solved" else episode.best


@dataclass(frozen=True)
class Judge:
    """A Value: the model of ``role`` rates how likely the task is to be solved from here; solved tasks it is not asked
    about. Raises ItemFailed("verifier", ...) if it gives no number."""

    role: str = "judge"

    async def __call__(self, episode: Episode, scope: Scope) -> float:
        if episode.ended == "solved":
            return 1.0
        task, *rest = (f"[{turn.role}]\n{turn.content}" for turn in episode.turns[1:])
        prompt = f"{JUDGE}\n\n{task[:MAX_JUDGED]}\n\n" + "\n\n".join(rest)[-MAX_JUDGED:]
        try:
            return await scope.ask(self.role, prompt, parse=read_rating, temperature=0.0)
        except Unparsable as error:
            raise ItemFailed("verifier", f"the judge of role {self.role!r} gave no rating: {error}") from None


JUDGE = (
    "Below is what an agent was told and did so far. How likely is it to solve its task from here, if it acts well? "
    "Answer with one whole number from 0 (it cannot) to 10 (it surely will), and nothing else."
)


MAX_JUDGED = 50_000
"Characters that a judge is shown of the task, and of the last steps."
_RATING = re.compile(r"[\s*_`\"'(\[]{0,20}(10|[0-9])(?:\s?/\s?10)?[\s*_`\"')\].]{0,20}")


def read_rating(reply: str) -> float:
    """A whole number from 0 to 10, as a share of 10."""
    found = _RATING.fullmatch(reply)
    if found is None:
        raise Unparsable("one whole number from 0 to 10 is wanted, and nothing else")
    return int(found[1]) / 10


@dataclass
class Node:
    """A state of the conversation in a tree. ``episode`` is None until the node is visited, ``children`` until it is
    expanded; ``total`` is the sum of the values of the ``visits`` simulations that went through it."""

    move: Move | None
    prior: float
    episode: Episode | None = None
    children: list[Node] | None = None
    visits: int = 0
    total: float = 0.0

    @property
    def value(self) -> float:
        return self.total / self.visits if self.visits else 0.0

    def leaves(self) -> list[Node]:
        """The visited nodes without visited children, from the left to the right."""
        visited = [child for child in self.children or () if child.visits]
        return [leaf for child in visited for leaf in child.leaves()] if visited else [self]


@dataclass(frozen=True)
class Found:
    """``trajectories`` are all attempts, each with the ``value`` at its end among its meta; ``best`` is a solved one if
    there is any, else the one of the highest value, the first and shortest among equals. ``root`` is a tree's."""

    best: Trajectory
    trajectories: tuple[Trajectory, ...]
    tokens: int
    "Completion tokens of the policy, in all attempts together."
    root: Node | None = field(default=None, compare=False)

    @classmethod
    def of(cls, attempts: Sequence[tuple[Trajectory, float]], tokens: int, root: Node | None = None) -> Found:
        valued = tuple(replace(found, meta={**found.meta, "value": value}) for found, value in attempts)
        best = max(valued, key=lambda t: (t.success, t.meta["value"], -t.meta["steps"]))
        return cls(best, valued, tokens, root)


async def best_of_n(
    environment: Environment,
    task: Task,
    policy: Policy,
    scope: Scope,
    limits: Limits = LIMITS,
    *,
    n: int = 4,
    value: Value = by_progress,
) -> Found:
    """``n`` independent attempts, in the child scopes ``attempt-k``: at the same time where the environment can be
    cloned, one after the other where it cannot. ``limits`` are those of each attempt."""
    _at_least(n=n)

    async def attempt(k: int, start: Episode) -> tuple[Trajectory, float]:
        branch = scope.child(f"attempt-{k}")
        found = await resume(start, policy, branch)
        return found, await value(start, branch)

    first = await Episode.begin(environment, task, policy, limits)
    try:
        starts = [first.fork() for _ in range(n)]
    except NotClonable:
        attempts = [
            await attempt(k, await Episode.begin(environment, task, policy, limits) if k else first) for k in range(n)
        ]
    else:
        attempts = await together(*(attempt(k, start) for k, start in enumerate(starts)))
    return Found.of(attempts, sum(found.meta["tokens"] for found, _ in attempts))


@dataclass(frozen=True)
class _State:
    episode: Episode
    value: float
    weight: float
    "Sum of the logarithms of the priors on the way here."


async def beam(
    environment: Environment,
    task: Task,
    policy: Policy,
    scope: Scope,
    limits: Limits = LIMITS,
    *,
    width: int = 3,
    samples: int = 4,
    value: Value = by_progress,
    distinct: bool = False,
) -> Found:
    """Keeps the ``width`` best episodes of each depth: of the highest value, and among equals of the highest prior.

    ``distinct`` keeps only the first of those whose last turns read the same, which is right where an observation tells
    the whole state. Ends when one is solved, when all have ended, or when ``limits.tokens`` are spent by all together.
    Raises UsageError if the environment cannot be cloned.
    """
    _at_least(width=width, samples=samples)
    first = await Episode.begin(environment, task, policy, limits)
    _clonable(first)
    kept, over, tokens = [_State(first, first.best, 0.0)], list[_State](), 0
    for depth in range(limits.steps):
        branches = [scope.child(f"depth-{depth}/{k}") for k in range(len(kept))]
        grown = await together(*(_grow(s, policy, b, samples, value) for s, b in zip(kept, branches)))
        tokens += sum(took for _, took in grown)
        states = [state for found, _ in grown for state in found]
        over += [state for state in states if state.episode.ended is not None]
        kept = [state for state in states if state.episode.ended is None]
        if distinct:
            kept = list({state.episode.turns[-1].content: state for state in reversed(kept)}.values())[::-1]
        kept = sorted(kept, key=lambda state: (-state.value, -state.weight))[:width]
        if not kept or any(state.episode.ended == "solved" for state in over):
            break
        if limits.tokens is not None and tokens >= limits.tokens:
            for state in kept:
                state.episode.ended = "tokens"
            break
    told = f"{policy.name}-beam"
    best_first = sorted([*over, *kept], key=lambda state: (-state.value, -state.weight))
    return Found.of([(state.episode.trajectory(told), state.value) for state in best_first], tokens)


async def _grow(state: _State, policy: Policy, scope: Scope, samples: int, value: Value) -> tuple[list[_State], int]:
    before = state.episode.tokens
    grown = []
    candidates = await _candidates(state.episode, policy, scope, samples)
    for move, prior in candidates:
        episode = state.episode.fork()
        await episode.play(move)
        grown.append(_State(episode, await value(episode, scope), state.weight + math.log(max(prior, 1e-300))))
    if not grown:
        state.episode.ended = "stopped"
        grown = [state]
    return grown, state.episode.tokens - before


async def mcts(
    environment: Environment,
    task: Task,
    policy: Policy,
    scope: Scope,
    limits: Limits = LIMITS,
    *,
    simulations: int = 32,
    samples: int = 4,
    rule: Literal["puct", "uct"] = "puct",
    c: float = 1.25,
    value: Value = by_progress,
    rollouts: bool = False,
    until_solved: bool = True,
) -> Found:
    """Monte-Carlo tree search: each simulation goes down to a node that was not visited, plays its move, values what
    came of it, and adds the value to every node on its way.

    With N the visits of a node, n those of a child, Q the child's mean value and P its prior, the child with the
    highest score is taken, the first among equals:

        puct   Q + c P sqrt(N) / (1 + n)     (Silver et al. 2017; Q of an unvisited child is its parent's)
        uct    Q + c sqrt(ln N / n)          (Kocsis and Szepesvári 2006; unvisited children first)

    The root counts as visited once, with its progress as value. A node is expanded when a simulation comes to it for
    the second time, by one request for ``samples`` replies. Simulation k asks in the child scope ``simulation-k``; with
    ``rollouts`` the policy plays on from each new node to the end of the episode, and the end is what is valued.
    Ends after ``simulations``, when a solution is found (unless ``until_solved`` is False), or when ``limits.tokens``
    are spent by all together. Raises UsageError if the environment cannot be cloned.
    """
    _at_least(simulations=simulations, samples=samples)
    start = await Episode.begin(environment, task, policy, limits)
    _clonable(start)
    root = Node(None, 1.0, start, visits=1, total=start.best)
    tree = _Tree(policy, samples, rule, c, value, rollouts)
    for k in range(simulations):
        solved = await tree.simulate(root, scope.child(f"simulation-{k}"))
        if (until_solved and solved) or (limits.tokens is not None and tree.tokens >= limits.tokens):
            break
    told = f"{policy.name}-{rule}"
    ends = tree.played if rollouts else [(leaf.episode, leaf.value) for leaf in root.leaves()]
    return Found.of([(e.trajectory(told), v) for e, v in ends if e is not None], tree.tokens, root)


@dataclass
class _Tree:
    policy: Policy
    samples: int
    rule: Literal["puct", "uct"]
    c: float
    value: Value
    rollouts: bool
    tokens: int = 0
    played: list[tuple[Episode, float]] = field(default_factory=list)
    "The ends of the roll-outs, each with its value."

    async def simulate(self, root: Node, scope: Scope) -> bool:
        """One simulation; whether it ended in a solution."""
        path, episode = [root], root.episode
        assert episode is not None
        while episode.ended is None:
            node = path[-1]
            if node.children is None:
                node.children = await self._expand(episode, scope)
            if not node.children:
                episode.ended = "stopped"
                break
            child = max(node.children, key=lambda child: self.score(node, child))
            path.append(child)
            if child.episode is None:
                assert child.move is not None
                child.episode = episode.fork()
                await child.episode.play(child.move)
                episode = child.episode
                break
            episode = child.episode
        end = await self._played_out(episode, scope) if self.rollouts else episode
        worth = await self.value(end, scope)
        if self.rollouts:
            self.played.append((end, worth))
        for node in path:
            node.visits += 1
            node.total += worth
        return end.ended == "solved"

    def score(self, node: Node, child: Node) -> float:
        if self.rule == "puct":
            known = child.value if child.visits else node.value
            return known + self.c * child.prior * math.sqrt(node.visits) / (1 + child.visits)
        if not child.visits:
            return math.inf
        return child.value + self.c * math.sqrt(math.log(node.visits) / child.visits)

    async def _expand(self, episode: Episode, scope: Scope) -> list[Node]:
        before = episode.tokens
        candidates = await _candidates(episode, self.policy, scope, self.samples)
        self.tokens += episode.tokens - before
        return [Node(move, prior) for move, prior in candidates]

    async def _played_out(self, episode: Episode, scope: Scope) -> Episode:
        end = episode.fork()
        await resume(end, self.policy, scope)
        self.tokens += end.tokens - episode.tokens
        return end


async def _candidates(episode: Episode, policy: Policy, scope: Scope, samples: int) -> list[tuple[Move, float]]:
    return priors(await think(episode, policy, scope, samples))


def priors(moves: Sequence[Move]) -> list[tuple[Move, float]]:
    """The distinct moves by their actions, the first of each, with their priors. Those in which no action could be read
    are left out, but for one of them if there is nothing else."""
    readable = [move for move in moves if move.actions]
    groups: dict[tuple[str, ...], list[Move]] = {}
    for move in readable or moves[:1]:
        groups.setdefault(move.actions, []).append(move)
    logs = [move.logprob for move in readable]
    if readable and None not in logs:
        top = max(log for log in logs if log is not None)
        weights = [sum(math.exp((m.logprob or 0.0) - top) for m in same) / len(same) for same in groups.values()]
    else:
        weights = [float(len(same)) for same in groups.values()]
    return [(same[0], weight / sum(weights)) for same, weight in zip(groups.values(), weights)]


def _clonable(episode: Episode) -> None:
    try:
        episode.fork()
    except NotClonable as error:
        why = f" ({error})" if str(error) else ""
        raise UsageError(
            f"a {type(episode.environment).__name__} cannot be copied in the middle of an episode{why}, "
            "and this search needs that; use best_of_n, which does not"
        ) from None


def _at_least(**given: int) -> None:
    for name, value in given.items():
        if value < 1:
            raise UsageError(f"{name}={value}: give 1 or more")
