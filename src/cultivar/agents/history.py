"""How much of the conversation a model is shown: all of it, the last steps, or the last steps and a summary.

What comes before the first reply (how to act, the task, the first observation) is always shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from cultivar.core.errors import UsageError
from cultivar.core.records import JSON, Turn

if TYPE_CHECKING:
    from cultivar.agents.episode import Episode
    from cultivar.core.scope import Scope

LEFT_OUT = "({count} earlier steps are left out here.)"
SUMMARY = "Summary of the first {count} steps:\n"
SUMMARISE = (
    "Summarise these steps for somebody who will go on with the task without having seen them: what was done, what is "
    "known now, what failed and why, what is still to be done. At most 150 words; no action line."
)
MAX_SUMMARY = 4_000
"Characters of a summary that are kept."


class History(Protocol):
    @property
    def name(self) -> str: ...

    async def messages(self, episode: Episode, role: str, scope: Scope, sampling: Mapping[str, JSON]) -> list[JSON]:
        """The messages that the model of ``role`` is to be shown next."""
        ...


@dataclass(frozen=True)
class Full:
    """The whole conversation."""

    name: ClassVar[str] = "full"

    async def messages(self, episode: Episode, role: str, scope: Scope, sampling: Mapping[str, JSON]) -> list[JSON]:
        return [message(turn) for turn in episode.turns]


@dataclass(frozen=True)
class Window:
    """The last ``keep`` replies and what came of them; how many steps are left out is said."""

    keep: int = 5
    name: ClassVar[str] = "window"

    def __post_init__(self) -> None:
        _least(self.keep)

    async def messages(self, episode: Episode, role: str, scope: Scope, sampling: Mapping[str, JSON]) -> list[JSON]:
        opening, exchanges = parts(episode.turns)
        cut = max(0, len(exchanges) - self.keep)
        told = LEFT_OUT.format(count=cut) if cut else ""
        return _joined(opening, told, exchanges[cut:])


@dataclass(frozen=True)
class Summary:
    """As Window; what leaves it is summed up by the same role, ``every`` replies at a time.

    Steps of which no summary is given (an empty reply, a refusal) stay in view, and it is asked for again before the
    next reply.
    """

    keep: int = 5
    every: int = 5
    name: ClassVar[str] = "summary"

    def __post_init__(self) -> None:
        _least(self.keep)
        _least(self.every)

    async def messages(self, episode: Episode, role: str, scope: Scope, sampling: Mapping[str, JSON]) -> list[JSON]:
        opening, exchanges = parts(episode.turns)
        done, summary = episode.memory.get("summary", (0, ""))
        while len(exchanges) - done >= self.keep + self.every:
            shown = exchanges[done : done + self.every]
            asked = [*_joined(opening, _told(done, summary), shown), {"role": "user", "content": SUMMARISE}]
            choice = await scope.ask(role, _merged(asked), **sampling)
            if choice.finish in ("refusal", "content_filter") or not choice.text.strip():
                break
            done, summary = done + self.every, choice.text.strip()[:MAX_SUMMARY]
            episode.memory["summary"] = (done, summary)
        return _joined(opening, _told(done, summary), exchanges[done:])


def _least(value: int) -> None:
    if value < 1:
        raise UsageError(f"a history that keeps {value} steps: give 1 or more")


def _told(done: int, summary: str) -> str:
    return SUMMARY.format(count=done) + summary if done else ""


def parts(turns: Sequence[Turn]) -> tuple[list[Turn], list[list[Turn]]]:
    """What comes before the first reply, and each reply with what came of it."""
    opening: list[Turn] = []
    exchanges: list[list[Turn]] = []
    for turn in turns:
        if turn.role == "assistant":
            exchanges.append([turn])
        else:
            (exchanges[-1] if exchanges else opening).append(turn)
    return opening, exchanges


def message(turn: Turn) -> dict[str, JSON]:
    found: dict[str, JSON] = {"role": turn.role, "content": turn.content}
    if turn.tool_calls:
        found["tool_calls"] = list(turn.tool_calls)
    if turn.tool_call_id is not None:
        found["tool_call_id"] = turn.tool_call_id
    if turn.name is not None:
        found["name"] = turn.name
    return found


def _joined(opening: Sequence[Turn], told: str, exchanges: Sequence[Sequence[Turn]]) -> list[dict[str, JSON]]:
    """``told`` stands under the opening, so that user and assistant keep taking turns."""
    found = [message(turn) for turn in opening]
    if told:
        found[-1]["content"] += f"\n\n{told}"
    return [*found, *(message(turn) for exchange in exchanges for turn in exchange)]


def _merged(messages: Sequence[Mapping[str, JSON]]) -> list[JSON]:
    """Two user messages in a row become one: some templates refuse them."""
    found: list[JSON] = []
    for entry in messages:
        if found and found[-1]["role"] == entry["role"] == "user":
            found[-1] = {**found[-1], "content": f"{found[-1]['content']}\n\n{entry['content']}"}
        else:
            found.append(dict(entry))
    return found


FULL = Full()
