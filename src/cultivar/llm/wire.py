"""What endpoints send, read into Replies: a chat.completion object, a stream of chat.completion.chunk events, or a
list of embeddings.

Reasoning is kept apart from text wherever a server puts it: ``reasoning_content``, ``reasoning``, parts of type
``thinking``, or a ``<think>`` block at the start of the content (also without its opening tag, which some chat
templates write into the prompt). Half characters, which strict readers refuse, become U+FFFD (core.surrogates).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from cultivar.core.protocols import Choice, Reply, Usage
from cultivar.core.vectors import packed, unpacked

NO_USAGE = "no-usage"
"""Fault of a reply whose endpoint counts no tokens: its usage is zero because it is not known."""


class Malformed(Exception):
    """The bytes are no reply; ``str`` says what they are."""


def read_json(raw: bytes) -> Any:
    """JSON in which there may be half characters; raises ValueError. What is read is cleaned by who makes texts of it,
    since a stream may bring the other half."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            return json.loads(raw, parse_constant=_no_number)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def read_reply(raw: bytes) -> Reply:
    """A Reply of an answer's body, an object or an event stream; raises Malformed if it is neither."""
    try:
        start = raw[:64].lstrip()
        streamed = start.startswith((b"data:", b"event:", b":", b"id:"))
        data = _joined(_events(raw)) if streamed else read_json(raw)
        choices = [_choice(c) for c in sorted(data["choices"], key=_index)]
        if not choices:
            raise KeyError("no choices")
        used = data.get("usage") or {}
        usage = Usage(_count(used, "prompt_tokens"), _count(used, "completion_tokens"), _cost(used))
        known = usage.prompt_tokens or usage.completion_tokens
        return Reply(tuple(choices), usage, str(data.get("model") or ""), faults=() if known else (NO_USAGE,))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        shown = " ".join(raw[:200].decode("utf-8", "replace").split())
        raise Malformed(f"the answer is no chat completion: {shown or '(empty)'}") from None


def read_embeddings(raw: bytes, count: int) -> Reply:
    """A Reply with one choice for each of ``count`` texts, its text the vector (see core.vectors); raises Malformed.

    Vectors come as lists of numbers or, from servers that do not ask, as base64.
    """
    try:
        data = read_json(raw)
        rows = sorted(data["data"], key=_index)
        if len(rows) != count:
            raise ValueError(f"{len(rows)} vectors for {count} texts")
        found = [row["embedding"] for row in rows]
        texts = [packed(unpacked(each) if isinstance(each, str) else each) for each in found]
        used = data.get("usage") or {}
        usage = Usage(_count(used, "prompt_tokens"), 0, _cost(used))
        choices = tuple(Choice(text) for text in texts)
        return Reply(choices, usage, str(data.get("model") or ""), faults=() if usage.prompt_tokens else (NO_USAGE,))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        shown = " ".join(raw[:200].decode("utf-8", "replace").split())
        raise Malformed(f"the answer is no list of {count} embeddings: {shown or '(empty)'}") from None


def _index(choice: Mapping[str, Any]) -> int:
    return int(choice.get("index") or 0)


def _count(used: Mapping[str, Any], name: str) -> int:
    """Tokens as the server says; what no context could hold counts as not known."""
    count = int(used.get(name) or 0)
    return count if 0 <= count < 2**40 else 0


def _cost(used: Mapping[str, Any]) -> float | None:
    cost = used.get("cost")
    return float(cost) if isinstance(cost, int | float) and 0 <= cost < 1e9 else None


def _choice(data: Mapping[str, Any]) -> Choice:
    message = data["message"]
    finish = str(data.get("finish_reason") or "stop")
    content = message.get("content") or ""
    reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
    if not isinstance(reasoning, str):
        reasoning = ""
    if isinstance(content, list):
        content, thought = _parts(content)
        reasoning = reasoning or thought
    if (not reasoning and "</think>" in content) or content.lstrip().startswith("<think>"):
        reasoning, content = split_thinking(content)
    if message.get("refusal"):
        content, finish = message["refusal"], "refusal"
    return Choice(str(content), finish, reasoning, tuple(message.get("tool_calls") or ()), data.get("logprobs"))


def _parts(parts: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """Text and reasoning of a content that is a list of parts."""
    text, thought = [], []
    for part in parts:
        if part.get("type") in ("thinking", "reasoning"):
            inner = part.get("thinking") or part.get("text") or ""
            thought.append(inner if isinstance(inner, str) else _parts(inner)[0])
        else:
            text.append(part.get("text") or "")
    return "".join(text), "".join(thought)


def split_thinking(text: str) -> tuple[str, str]:
    """(reasoning, text) of a content that begins with a <think> block; one that never ends is all reasoning.

    >>> split_thinking("<think>So?</think>Yes.")
    ('So?', 'Yes.')
    """
    body = text.lstrip()
    opened = body.startswith("<think>")
    thought, closed, rest = body.removeprefix("<think>").partition("</think>")
    if not opened and (not closed or "<think>" in thought):
        return "", text
    return thought.strip(), rest.lstrip() if closed else ""


def _events(raw: bytes) -> list[Any]:
    """The JSON of each event of a stream; raises ValueError if the stream was cut off."""
    found, ended = [], False
    for line in raw.splitlines():
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            ended = True
        elif data:
            found.append(read_json(data))
    if not ended and not any(c.get("finish_reason") for event in found for c in event["choices"]):
        raise ValueError("the stream ends in the middle")
    return found


def _joined(events: list[Any]) -> dict[str, Any]:
    """One chat.completion object of a stream's chunks."""
    choices: dict[int, dict[str, Any]] = {}
    whole: dict[str, Any] = {"model": "", "usage": None}
    for event in events:
        whole["model"] = event.get("model") or whole["model"]
        whole["usage"] = event.get("usage") or whole["usage"]
        for part in event["choices"]:
            at = _index(part)
            into = choices.setdefault(at, {"index": at, "message": {}, "finish_reason": None, "logprobs": None})
            into["finish_reason"] = part.get("finish_reason") or into["finish_reason"]
            _add_logprobs(into, part.get("logprobs"))
            _add_delta(into["message"], part.get("delta") or part.get("message") or {})
    return whole | {"choices": list(choices.values())}


def _add_delta(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for field in ("content", "reasoning_content", "reasoning", "refusal"):
        if isinstance(piece := delta.get(field), str):
            message[field] = message.get(field, "") + piece
    for call in delta.get("tool_calls") or ():
        calls = message.setdefault("tool_calls", [])
        at = call.get("index", len(calls))
        if at >= len(calls):
            calls.append({"type": "function", "function": {"name": "", "arguments": ""}})
            at = len(calls) - 1
        into = calls[at]
        into.update({k: v for k, v in call.items() if k not in ("index", "function") and v is not None})
        for field, piece in (call.get("function") or {}).items():
            into["function"][field] = (into["function"].get(field) or "") + (piece or "")


def _add_logprobs(choice: dict[str, Any], more: Any) -> None:
    if not isinstance(more, dict):
        return
    into = choice["logprobs"] or {}
    for field, values in more.items():
        into[field] = [*(into.get(field) or []), *values] if isinstance(values, list) else values
    choice["logprobs"] = into
