"""Stand-ins for what is outside: for cultivar's tests, and for yours.

    ScriptedModel        answers from a list, in order, or from a file (model spec ``scripted:FILE``)
    FunctionModel        answers with what a function makes of the request
    ScriptedEnvironment  an environment that answers from a table of actions
    toy_embedding        a vector of a text's words, for FunctionModels that are asked for embeddings
    no_network           refuses every connection that leaves this machine
    try_recipe           runs a recipe against given models in a throw-away folder, without the command line

None of them replaces anything that is tested: journal, scope, engine and recipe are the real ones.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from cultivar.core.dataset import Dataset
from cultivar.core.errors import EndpointError, InputError, UsageError
from cultivar.core.journal import Journal
from cultivar.core.protocols import Choice, Model, Observation, OpenModel, Reply, Request, Step, Usage
from cultivar.core.records import JSON, Task


def reply(*texts: str, finish: str = "stop") -> Reply:
    """A Reply with these texts as its choices; tokens are counted as words."""
    words = sum(len(t.split()) for t in texts)
    return Reply(tuple(Choice(t, finish) for t in texts), Usage(0, words), "scripted")


class ScriptedModel:
    """Gives its replies one after the other, whatever is asked; raises EndpointError when there are none left.

    A reply is a text, a Reply, or an exception to be raised. ``requests`` holds what was asked.
    """

    def __init__(self, replies: Iterable[str | Reply | Exception], *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._replies = iter(replies)

    @classmethod
    def from_file(cls, path: Path) -> ScriptedModel:
        """One JSON string, or object with a ``reply``, to a line; raises InputError naming the line."""
        replies: list[str] = []
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise InputError(f"the scripted replies {path} cannot be read: {error.strerror}") from None
        for number, line in enumerate(lines, 1):
            try:
                row = orjson.loads(line)
                replies.append(row if isinstance(row, str) else row["reply"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise InputError(
                    f'{path} line {number} is no reply; write one JSON string to a line, or {{"reply": "..."}}'
                ) from None
        return cls(replies, name=f"scripted:{path.name}")

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        await asyncio.sleep(0)
        try:
            found = next(self._replies)
        except StopIteration:
            raise EndpointError(
                f"{self.name} has no reply left after {len(self.requests) - 1}; add more lines", kind="refused"
            ) from None
        if isinstance(found, Exception):
            raise found
        return reply(found) if isinstance(found, str) else found

    async def close(self) -> None:
        return None


class FunctionModel:
    """Answers with ``function(request)``: a text, or a Reply. Replies do not depend on the order of the requests."""

    def __init__(self, function: Callable[[Request], str | Reply], *, name: str = "function") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._function = function

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        await asyncio.sleep(0)
        found = self._function(request)
        return reply(*[found] * request.n) if isinstance(found, str) else found

    async def close(self) -> None:
        return None


def toy_embedding(text: str, size: int = 32) -> list[float]:
    """A bag of words, hashed into ``size`` counts: the same in every process. ``packed`` makes it a reply."""
    vector = [0.0] * size
    for word in text.lower().split():
        vector[zlib.crc32(word.encode()) % size] += 1.0
    return vector


class ScriptedEnvironment:
    """Answers each known action with its Step, and anything else with an invalid one; ends after ``solution``."""

    def __init__(
        self, steps: Mapping[str, Step], solution: Sequence[str], start: str = "You are at the start."
    ) -> None:
        self._steps, self._solution, self._start = dict(steps), list(solution), start
        self.taken: list[str] = []

    async def reset(self, task: Task) -> Observation:
        self.taken = []
        return Observation(self._start)

    async def step(self, action: str) -> Step:
        if action not in self._steps:
            return Step(f"Nothing happens: {action!r} is not known.", 0.0, False, False, self._progress())
        self.taken.append(action)
        known = self._steps[action]
        solved = self.taken[-len(self._solution) :] == self._solution
        return Step(known.observation, 1.0 if solved else known.reward, solved or known.done, True, self._progress())

    def _progress(self) -> float:
        matched = 0
        for taken, wanted in zip(self.taken, self._solution, strict=False):
            if taken != wanted:
                break
            matched += 1
        return matched / max(1, len(self._solution))

    def clone(self) -> ScriptedEnvironment:
        other = ScriptedEnvironment(self._steps, self._solution, self._start)
        other.taken = list(self.taken)
        return other

    def gold(self, task: Task) -> list[str] | None:
        return list(self._solution)


@contextmanager
def no_network() -> Iterator[None]:
    """Within it, a connection to anything but this machine raises UsageError."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host not in ("", "localhost", "::1") and not str(host).startswith("127."):
            raise UsageError(f"a test tried to reach {host}; tests have no network")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]


def try_recipe(
    run: Callable[..., Any],
    items: Iterable[Any],
    config: Any = None,
    *,
    model: Model | None = None,
    roles: Mapping[str, Model] | None = None,
    seed: int = 0,
    out: Path | None = None,
    open_model: OpenModel | None = None,
) -> tuple[Dataset, list[dict[str, JSON]]]:
    """What a recipe makes of ``items``, and the rows it dropped. ``out`` keeps the journal, so that it can resume;
    ``open_model(spec, role)`` gives the models that the recipe asks for with ``engine.using``."""
    from cultivar.engines.local import LocalEngine  # so that importing the fakes starts no engine

    models = dict(roles or {}) | ({"*": model} if model is not None else {})

    async def go(folder: Path) -> tuple[Dataset, list[dict[str, JSON]]]:
        with Journal(folder / "journal.sqlite") as journal:
            engine = LocalEngine(journal, models, seed=seed, open_model=open_model)
            try:
                made = await (run(engine, items) if config is None else run(engine, items, config))
            finally:
                await engine.close()
            return made, list(engine.dropped)

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        return asyncio.run(go(out))
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(go(Path(folder)))
