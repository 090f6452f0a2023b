"""The loop: a policy acts in an environment until the task is solved or a limit is reached.

Departures from common harnesses: a reply that cannot be read is not asked for again behind the scenes. It is a step
that did nothing, answered by what was wrong with it, and the next reply is the retry: the tries are in the trajectory,
count towards the limits, and are there to be masked.
"""

from __future__ import annotations

from dataclasses import replace

from cultivar.agents.episode import Episode, Limits, Move, Policy
from cultivar.core.protocols import Environment
from cultivar.core.records import Task, Trajectory
from cultivar.core.scope import Scope

CHARACTERS_PER_TOKEN = 4
"Where an endpoint counts no tokens, this many characters of a reply are taken for one."

LIMITS = Limits()


async def rollout(
    environment: Environment, task: Task, policy: Policy, scope: Scope, limits: Limits = LIMITS
) -> Trajectory:
    """One attempt at ``task``, from the environment's reset to its end.

    ``meta`` of the trajectory holds: ``ended`` (solved | steps | tokens | invalid | stopped: by the environment or by
    the policy), ``steps``, ``invalid`` (steps without an executed action), ``errors`` (indices of the turns they are
    in: see ``masked``), ``progress`` (the best until each step), ``start`` (the progress at the beginning), ``tokens``
    (completion tokens), ``style`` and, where the style has any, ``tools``: their definitions, which rows carry.

    All assistant turns are to be trained on, invalid ones too. Raises EndpointError if no model answers and whatever
    the environment raises: nothing is scored then. A roll-out in the middle of an item that asks other things at the
    same time needs a ``scope.child`` of its own, or its tokens are counted with theirs.
    """
    episode = await Episode.begin(environment, task, policy, limits)
    return await resume(episode, policy, scope)


async def resume(episode: Episode, policy: Policy, scope: Scope) -> Trajectory:
    """Lets a policy act from where an episode stands: after a prefix of given moves (``episode.play``), say."""
    while episode.ended is None:
        moves = await think(episode, policy, scope)
        if not moves:
            episode.ended = "stopped"
            break
        await episode.play(moves[0])
        _check_tokens(episode)
    return episode.trajectory(policy.name)


async def think(episode: Episode, policy: Policy, scope: Scope, n: int = 1) -> list[Move]:
    """The policy's moves, with the tokens they took counted in the episode."""
    calls, tokens = scope.spent.calls, scope.spent.completion_tokens
    moves = await policy.moves(episode, scope, n)
    took = scope.spent.completion_tokens - tokens
    if not took and scope.spent.calls > calls:
        took = sum(len(move.content) for move in moves) // CHARACTERS_PER_TOKEN
    episode.tokens += took
    return moves


def _check_tokens(episode: Episode) -> None:
    most = episode.limits.tokens
    if episode.ended is None and most is not None and episode.tokens >= most:
        episode.ended = "tokens"


def masked(trajectory: Trajectory) -> Trajectory:
    """The same trajectory, in which turns with an action that was not executed are seen and not trained on."""
    errors = set(trajectory.meta.get("errors", ()))
    turns = (replace(turn, train=turn.train and at not in errors) for at, turn in enumerate(trajectory.turns))
    return replace(trajectory, turns=tuple(turns))
