"""What one model at one endpoint wants otherwise than the API says, learned from its refusals and remembered.

    a sampling parameter it does not know     left out
    max_tokens                                sent as max_completion_tokens, or the other way round
    the system role                           its text goes before the first user message
    a schema (response_format)                asked for in words, at the end of the last user message
    n                                         as many single requests (see ChatModel)
    streams only                              asked for a stream, which is read as one reply

A refused *value* ("temperature must be at most 2") is no dialect: the request is wrong, and its error is final. So are
refused tools: without them the answer would be one to another question.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cultivar.core.protocols import Request
from cultivar.core.records import JSON

REFUSALS = frozenset({400, 422, 500, 501})
"""Statuses under which servers say such things; 500 only of templates without a system role (llama.cpp)."""
STRUCTURE = frozenset({"model", "messages", "tools", "n", "response_format", "stream", "input"})
TOKEN_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}

IN_WORDS = "Answer with JSON that fits this schema, and with nothing else:\n{schema}"

_UNSUPPORTED = re.compile(
    r"unsupported|(?:not|n't) (?:yet |currently )?(?:be )?(?:support|permit|allow|enabl|implement|recogni|accept|avail)"
    r"|unrecogni[sz]ed|unknown|unexpected|extra[_ ](?:input|field|forbidden)|extraneous|must alternate"
    r"|invalid (?:parameter|argument|field|role)|no such (?:parameter|field)|incompatible|cannot be used|can only"
)
_SYSTEM = re.compile(r"\bsystem\b.{0,40}(?:role|message|prompt|instruction)|\brole.{0,40}\bsystem\b|developer instruct")
_ALTERNATE = re.compile(r"roles must alternate")
_SCHEMA = re.compile(r"response_?format|json_?schema|json mode|structured|guided|grammar")
_ONE_ONLY = re.compile(
    r"['\"`]n['\"`]|\bn ?(?:=|>|!=|must)|parameter:? n\b|multiple (?:choices|completions)|one (?:\w+ )?choice"
)
_STREAM_ONLY = re.compile(r"(?:must|only|require|need|set).{0,40}\bstream|\bstream\w*.{0,30}(?:must|only|require|true)")


class Dialect:
    """``body`` writes requests, ``learn`` reads refusals; ``version`` rises with everything learned."""

    def __init__(self) -> None:
        self.version = 0
        self.single = False
        self._system = self._schema = True
        self._stream = False
        self._names: dict[str, str | None] = {}

    def body(self, model: str, request: Request, texts: Sequence[str] = ()) -> dict[str, Any]:
        """The JSON of a request, or of one for the embeddings of ``texts``, as this endpoint wants it."""
        if texts:
            unknown = self._names.keys()
            return {"model": model, "input": texts, **{k: v for k, v in request.sampling.items() if k not in unknown}}
        messages: Sequence[Mapping[str, JSON]] = request.messages
        body: dict[str, Any] = {"model": model, "messages": messages, **request.sampling}
        if request.n != 1:
            body["n"] = request.n
        if request.tools:
            body["tools"] = request.tools
        if request.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": request.schema},
            }
        return self._translated(body, request) if self.version else body

    def _translated(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        for name in [name for name in self._names if name in body]:
            value, other = body.pop(name), self._names[name]
            while other is not None and other in self._names:
                other = self._names[other]
            if other is not None:
                body[other] = value
        if not self._system:
            body["messages"] = without_system(body["messages"])
        if not self._schema and "response_format" in body:
            del body["response_format"]
            if request.schema is not None:
                told = IN_WORDS.format(schema=orjson.dumps(request.schema).decode())
                body["messages"] = _told_last(body["messages"], told)
        if self._stream:
            body["stream"] = True
            if "stream_options" not in self._names:
                body["stream_options"] = {"include_usage": True}
        return body

    def learn(self, status: int, said: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
        """(fault, sentence for the user) where a refusal of ``body`` teaches something, else None."""
        if status not in REFUSALS:
            return None
        text, named = said.lower(), _parameter(said)
        lesson = self._lesson(text, named, body) if status != 500 else self._system_lesson(text, named, body)
        if lesson is not None:
            self.version += 1
        return lesson

    def _lesson(self, text: str, named: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
        unsupported = list(_UNSUPPORTED.finditer(text))
        if "stream" not in body and _STREAM_ONLY.search(text):
            self._stream = True
            return "streams-only", "answers with streams only; it is asked for them"
        if body.get("n", 1) != 1 and (named == "n" or _ONE_ONLY.search(text)):
            self.single = True
            return "no-n", "gives one sample to a request; several are asked for one by one"
        if not unsupported:
            return None
        if (lesson := self._system_lesson(text, named, body)) is not None:
            return lesson
        if "response_format" in body and (named.startswith("response_format") or _SCHEMA.search(text)):
            self._schema = False
            return "no-schema", "enforces no JSON schema; it is asked for in words"
        return self._rename(text, named, [m.start() for m in unsupported], body)

    def _system_lesson(self, text: str, named: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
        if not any(m.get("role") == "system" for m in body["messages"]) or not _UNSUPPORTED.search(text):
            return None
        if not (_SYSTEM.search(text) or _ALTERNATE.search(text) or re.fullmatch(r"messages\S*role", named)):
            return None
        self._system = False
        return "no-system-role", "takes no system message; its text goes before the first user message"

    def _rename(self, text: str, named: str, places: list[int], body: Mapping[str, Any]) -> tuple[str, str] | None:
        candidates = [name for name in body if name not in STRUCTURE]
        found = named if named in candidates else _nearest(text, places, candidates)
        if found is None:
            return None
        other = TOKEN_LIMITS.get(found)
        self._names[found] = other = None if other in self._names else other
        if other is not None:
            return f"no-{found}", f"takes no {found!r}; it is sent as {other!r}"
        return f"no-{found}", f"takes no {found!r}; it is left out from now on"


def _parameter(said: str) -> str:
    """What ``error.param`` of an API's error object names, or nothing."""
    try:
        error = orjson.loads(said)
        error = error.get("error", error)
        return str(error.get("param") or "")
    except (orjson.JSONDecodeError, AttributeError):
        return ""


def _nearest(text: str, places: list[int], names: Sequence[str]) -> str | None:
    """The name that stands nearest to a word of refusal."""
    found = [
        (min(abs(match.start() - place) for place in places), name)
        for name in names
        for match in re.finditer(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", text)
    ]
    return min(found)[1] if found else None


def without_system(messages: Sequence[Mapping[str, JSON]]) -> list[Mapping[str, JSON]]:
    """The messages with the text of every system message before that of the first user message."""
    told = "\n\n".join(_text(m.get("content")) for m in messages if m.get("role") == "system")
    rest = [dict(m) for m in messages if m.get("role") != "system"]
    if not told:
        return list(rest)
    for message in rest:
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                message["content"] = [{"type": "text", "text": told}, *content]
            else:
                message["content"] = f"{told}\n\n{content}"
            return list(rest)
    return [{"role": "user", "content": told}, *rest]


def _told_last(messages: Sequence[Mapping[str, JSON]], told: str) -> list[Mapping[str, JSON]]:
    """The messages with a sentence at the end of the last user message."""
    changed = [dict(m) for m in messages]
    for message in reversed(changed):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                message["content"] = [*content, {"type": "text", "text": told}]
            else:
                message["content"] = f"{content}\n\n{told}"
            return list(changed)
    return [*changed, {"role": "user", "content": told}]


def _text(content: JSON) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def sample_seed(seed: int, number: int) -> int:
    """The seed of the single request that stands for sample ``number`` of several; sample 0 keeps the seed given."""
    if number == 0:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big") >> 1
