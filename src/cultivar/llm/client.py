"""Any OpenAI-compatible chat-completions endpoint, over one aiohttp session and without an SDK.

Retried with full jitter (AWS architecture blog, 2015) until the call's deadline: 408, 409, 425, 429, 5xx, resets,
timeouts and bodies that are not what the API promises. ``Retry-After`` is obeyed. Every other status is final. The key
is read from the environment, sent as a header, and struck out of whatever an endpoint says back.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from cultivar.core.errors import EndpointError
from cultivar.core.protocols import Choice, Reply, Request, Usage
from cultivar.core.records import JSON
from cultivar.llm.limiter import Limiter

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
OVERLOAD = frozenset({429, 503, 529})
MAX_BODY = 64 << 20
"""Bytes of an answer that are read."""


class ChatModel:
    """One model at one endpoint. ``name`` holds no key and is what the journal knows it by."""

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        key_variable: str = "OPENAI_API_KEY",
        concurrency: int = 256,
        deadline: float = 600.0,
        timeout: float = 300.0,
        backoff: float = 0.5,
    ) -> None:
        self.model = model
        self.base_url = base_url.rstrip("/")
        self.name = f"openai:{model}@{self.base_url}"
        self._key = os.environ.get(key_variable, "")
        self._key_variable = key_variable
        self._limiter = Limiter(concurrency)
        self._deadline, self._timeout, self._backoff = deadline, timeout, backoff
        self._session: aiohttp.ClientSession | None = None
        # Jitter spreads retries in time and is no part of any result, so it needs no seed.
        self._jitter = random.Random()

    async def complete(self, request: Request) -> Reply:
        """The endpoint's answer. Raises EndpointError when the deadline is over or the endpoint refuses for good."""
        body = orjson.dumps(self._body(request))
        ends = time.monotonic() + self._deadline
        faults: list[str] = []
        while True:
            try:
                async with self._limiter:
                    began = time.monotonic()
                    reply = await self._attempt(body)
                    seconds = time.monotonic() - began
                    self._limiter.succeeded(seconds)
                return Reply(reply.choices, reply.usage, reply.model, seconds, len(faults) + 1, tuple(faults))
            except _Passing as fault:
                faults.append(fault.kind)
                if fault.overload:
                    self._limiter.overloaded()
                wait = self._wait(len(faults), fault.retry_after)
                if time.monotonic() + wait > ends:
                    raise EndpointError(
                        f"{self.name} gave no answer in {self._deadline:g} s and {len(faults)} attempts; "
                        f"the last one: {fault.told}",
                        status=fault.status,
                        kind=fault.kind,
                    ) from None
                await asyncio.sleep(wait)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _wait(self, attempt: int, retry_after: float | None) -> float:
        spread = self._jitter.uniform(0, min(60.0, self._backoff * 2 ** min(attempt, 10)))
        return spread if retry_after is None else retry_after + spread * 0.1

    def _body(self, request: Request) -> dict[str, JSON]:
        body: dict[str, JSON] = {"model": self.model, "messages": request.messages, **request.sampling}
        if request.n != 1:
            body["n"] = request.n
        if request.tools:
            body["tools"] = request.tools
        if request.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": request.schema},
            }
        return body

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=15.0),
                headers=headers,
                trust_env=True,
            )
        return self._session

    async def _attempt(self, body: bytes) -> Reply:
        url = f"{self.base_url}/chat/completions"
        try:
            async with self._open().post(url, data=body) as answer:
                if answer.status != 200:
                    raise await self._refusal(answer)
                raw = await _read(answer)
        except TimeoutError:
            raise _Passing("timeout", f"no answer within {self._timeout:g} s", overload=True) from None
        except aiohttp.ClientConnectorError as error:
            told = f"{self.base_url} cannot be reached ({error.os_error.strerror or error.os_error})"
            raise _Passing("connection", told) from None
        except aiohttp.InvalidURL:
            raise EndpointError(f"{self.base_url!r} is no URL; write openai:NAME@http://host:port/v1") from None
        except aiohttp.ClientError as error:
            raise _Passing("reset", self._struck(str(error) or type(error).__name__)) from None
        return _reply(raw)

    async def _refusal(self, answer: aiohttp.ClientResponse) -> Exception:
        said = self._struck((await _read(answer))[:400].decode("utf-8", "replace")).strip()
        told = f"HTTP {answer.status}: {' '.join(said.split()) or answer.reason}"
        if answer.status in RETRIED:
            return _Passing(
                str(answer.status),
                told,
                status=answer.status,
                overload=answer.status in OVERLOAD,
                retry_after=_retry_after(answer.headers.get("Retry-After")),
            )
        hint = ""
        if answer.status in (401, 403):
            hint = f"; set the key with: export {self._key_variable}=..."
        elif answer.status == 404:
            hint = "; check the model's name and that the URL ends in /v1"
        return EndpointError(f"{self.name} refused: {told}{hint}", status=answer.status, kind="refused")

    def _struck(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


class _Passing(Exception):
    """A fault that may be over at the next attempt."""

    def __init__(
        self,
        kind: str,
        told: str,
        *,
        status: int | None = None,
        overload: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(told)
        self.kind, self.told, self.status = kind, told, status
        self.overload, self.retry_after = overload, retry_after


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        raw += chunk
        if len(raw) > MAX_BODY:
            raise _Passing("malformed", f"the answer is larger than {MAX_BODY >> 20} MiB")
    return bytes(raw)


def _retry_after(value: str | None) -> float | None:
    try:
        return min(120.0, max(0.0, float(value))) if value else None
    except ValueError:
        return None  # a date: the jittered wait serves


def _reply(raw: bytes) -> Reply:
    """A Reply of a chat.completion object; raises _Passing if the bytes are none."""
    try:
        data = orjson.loads(raw)
        choices = tuple(_choice(c) for c in sorted(data["choices"], key=lambda c: c.get("index", 0)))
        if not choices:
            raise KeyError("no choices")
        used: Mapping[str, Any] = data.get("usage") or {}
        usage = Usage(int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0), used.get("cost"))
        return Reply(choices, usage, str(data.get("model", "")))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        shown = " ".join(raw[:200].decode("utf-8", "replace").split())
        raise _Passing("malformed", f"the answer is no chat completion: {shown or '(empty)'}") from None


def _choice(data: Mapping[str, Any]) -> Choice:
    message = data["message"]
    text = message.get("content") or ""
    if isinstance(text, list):
        text = "".join(part.get("text", "") for part in text)
    finish = data.get("finish_reason") or "stop"
    if message.get("refusal"):
        text, finish = message["refusal"], "refusal"
    reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
    return Choice(str(text), str(finish), str(reasoning), tuple(message.get("tool_calls") or ()), data.get("logprobs"))
