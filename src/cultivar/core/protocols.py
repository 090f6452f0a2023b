"""The seams: what the layers above and below agree on, without importing each other."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias, TypeVar, runtime_checkable

from cultivar.core.records import JSON, Task
from cultivar.core.surrogates import whole

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; ``cost`` in dollars, None where the price is not known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One chat completion, or with ``input`` the embedding of that text. All fields are plain JSON: the whole of it is
    part of the journal's key.

    The reply to an embedding has the vector as its text, written by ``core.vectors.packed``. ``key`` is the journal's
    key, in hex, set by the scope and no part of the content: a batch finds its rows again by it.
    """

    messages: tuple[Mapping[str, JSON], ...]
    sampling: Mapping[str, JSON] = field(default_factory=dict)
    tools: tuple[Mapping[str, JSON], ...] = ()
    schema: Mapping[str, JSON] | None = None
    n: int = 1
    input: str | None = None
    key: str = field(default="", compare=False)

    def to_json(self) -> dict[str, JSON]:
        found: dict[str, JSON] = {
            "messages": list(self.messages),
            "sampling": dict(self.sampling),
            "tools": list(self.tools),
            "schema": self.schema,
            "n": self.n,
        }
        return found if self.input is None else {**found, "input": self.input}


@dataclass(frozen=True, slots=True)
class Choice:
    """One sampled reply. ``finish`` is ``stop``, ``length``, ``tool_calls``, ``refusal`` or what the server said.

    It is made clean here (``whole``; raises ValueError for what is no JSON), because every model makes one: a recipe
    sees at once what the journal keeps and a replay shows.
    """

    text: str
    finish: str = "stop"
    reasoning: str = ""
    tool_calls: tuple[JSON, ...] = ()
    logprobs: JSON = None

    def __post_init__(self) -> None:
        for name in ("text", "finish", "reasoning", "tool_calls", "logprobs"):
            object.__setattr__(self, name, whole(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answered, with what it took: seconds of the last attempt, attempts in all, faults met."""

    choices: tuple[Choice, ...]
    usage: Usage = Usage()
    model: str = ""
    seconds: float = 0.0
    attempts: int = 1
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", whole(self.model))

    @property
    def text(self) -> str:
        return self.choices[0].text


@runtime_checkable
class Model(Protocol):
    """Something that answers requests. ``name`` is part of the journal's key, so it names model and endpoint."""

    name: str

    async def complete(self, request: Request) -> Reply:
        """Raises EndpointError if there is no answer to be had."""
        ...

    async def close(self) -> None: ...


OpenModel: TypeAlias = Callable[[str, str], Model]
"""Opens the model of a spec, for a role."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What an agent sees. ``progress`` is in [0, 1]."""

    text: str
    progress: float = 0.0
    info: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """The answer of an environment to one action. ``valid`` is False if the action was not executed."""

    observation: str
    reward: float
    done: bool
    valid: bool
    progress: float = 0.0
    info: Mapping[str, JSON] = field(default_factory=dict)


class NotClonable(Exception):
    """This environment cannot be copied in the middle of an episode."""


@runtime_checkable
class Environment(Protocol):
    """A world that an agent acts in through text."""

    async def reset(self, task: Task) -> Observation: ...

    async def step(self, action: str) -> Step: ...

    def clone(self) -> Self:
        """A copy in the same state; raises NotClonable."""
        ...

    def gold(self, task: Task) -> list[str] | None:
        """Texts of actions that solve the task, where a solution is known."""
        ...


class Engine(Protocol):
    """What a recipe receives: items go in, results come out in the order of the items."""

    folder: Path
    "The run's own folder, for files that others read (a trainer); records are written there by the run."

    @property
    def stopping(self) -> bool:
        """True once the run has been asked to end: ``map`` admits nothing more."""
        ...

    async def map(
        self, function: Callable[..., Awaitable[T]], items: Iterable[Any], *args: Any, stage: str | None = None
    ) -> Sequence[T]:
        """``await function(item, scope, *args)`` for each; the accepted results in the order of the items."""
        ...

    async def once(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """A set-level step, done once in the life of the run."""
        ...

    def discard(self, reason: str, subject: Any = None, **evidence: JSON) -> None:
        """Throws away something that a map returned, counted and written like a dropped item."""
        ...

    def has_model(self, role: str) -> bool:
        """Whether a model was given for a role."""
        ...

    @property
    def roles(self) -> Sequence[str]:
        """The roles that have a model, in alphabetical order; those of a pattern only where they were named."""
        ...

    def using(self, **models: str) -> Engine:
        """The same engine, in which other models (by their specs) play these roles: the next generation's."""
        ...

    def rng(self, *names: str | int) -> random.Random:
        """A generator for what is drawn between maps; it depends on the run's seed and the names alone."""
        ...
