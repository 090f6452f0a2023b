"""The batch file format: one request to a line, one result to a line, matched by ``custom_id``.

A request is what the OpenAI API reference calls the *request input object*: ``custom_id``, ``method`` (``POST``),
``url`` (``/v1/chat/completions``), ``body``. vLLM's ``run-batch`` reads the same (its documentation: "Offline Inference
with the OpenAI Batch file format", examples/offline_inference/openai_batch/README.md; its classes: BatchRequestInput
and BatchRequestOutput, vllm/entrypoints/openai/run_batch.py).

A result is the *request output object*: ``id``, ``custom_id``, ``response`` (``status_code``, ``request_id``, ``body``)
and ``error``. Read as well: a ``response`` that is the completion itself, as the example in vLLM's documentation shows
it; an ``error`` that is a sentence or an object of any depth; a ``response`` or an ``error`` that is absent. The lines
come in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from cultivar.core.protocols import Reply, Request
from cultivar.core.records import JSON
from cultivar.core.surrogates import whole
from cultivar.llm.dialect import Dialect
from cultivar.llm.endpoint import RETRIED
from cultivar.llm.wire import Malformed, read_json, read_reply

ENDPOINT = "/v1/chat/completions"
_ID = b'{"custom_id":"'


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row has no reply. ``passing`` says whether to send it again."""

    kind: str
    told: str
    status: int | None = None
    passing: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One line of results: a reply or a fault."""

    custom_id: str
    found: Reply | Fault


def request_line(custom_id: str, model: str, request: Request, dialect: Dialect | None = None) -> bytes:
    """One line of requests, with its newline. Without a model's name the engine uses the one that it serves."""
    body = (dialect or Dialect()).body(model, request)
    if not model:
        del body["model"]
    row = {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def request_ids(path: Path) -> Iterator[str]:
    """The ``custom_id`` of every line of requests; our own lines begin with it, so that no body need be parsed."""
    with path.open("rb") as lines:
        for line in lines:
            if line.startswith(_ID):
                yield line[len(_ID) : line.index(b'"', len(_ID))].decode()
            else:
                yield str(orjson.loads(line)["custom_id"])


def result_rows(path: Path) -> Iterator[Row | None]:
    """Every line of results, None for one that cannot be read; nothing if there is no file."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield read_row(line)


def read_row(line: bytes) -> Row | None:
    """One line of results, or None if it names no request."""
    try:
        data = whole(read_json(line))
    except ValueError:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("custom_id"), str):
        return None
    return Row(data["custom_id"], _found(data.get("response"), data.get("error")))


def _found(response: JSON, error: JSON) -> Reply | Fault:
    if not isinstance(response, dict):
        kind = _code(error)
        known = {"batch_expired": "expired", "batch_cancelled": "cancelled"}
        return Fault(known.get(kind, kind or "no-response"), _sentence(error) or "neither a response nor an error")
    status, body = response.get("status_code", 200), response.get("body")
    if "choices" in response:
        status, body = 200, response
    if not isinstance(status, int):
        return Fault("malformed", f"the status is {status!r}")
    if status != 200 or (error and not body):
        told = _sentence(error) or _sentence(body) or "no reason given"
        return Fault(str(status), f"HTTP {status}: {told}", status, passing=status in RETRIED)
    try:
        return read_reply(orjson.dumps(body))
    except Malformed as malformed:
        return Fault("malformed", str(malformed))


def _code(error: JSON) -> str:
    return str(error.get("code") or "") if isinstance(error, dict) else ""


def _sentence(error: JSON) -> str:
    """The words in an error object, however deep they lie."""
    while isinstance(error, dict):
        error = error.get("message") or error.get("error")
    return " ".join(str(error or "").split())[:400]
