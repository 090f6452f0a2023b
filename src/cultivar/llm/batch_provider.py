"""A provider's batch API: upload a file, create a batch of it, look until it ended, download what came back.

The endpoints are OpenAI's (API reference: Files, Batches), which others serve too: ``POST /files``, ``POST /batches``,
``GET /batches``, ``GET /batches/ID``, ``GET /files/ID/content``. Every step is noted before the next one, and a batch
whose creation was not answered is looked for in the provider's list by its input file before it is created again:
nothing is paid for twice. Passing faults are retried with full jitter for up to ``patience`` seconds; ``Retry-After``
is obeyed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import orjson

from cultivar.core.errors import EndpointError
from cultivar.core.files import Draft
from cultivar.core.records import content_hash
from cultivar.llm.batch import MISSING, BatchModel, Ending
from cultivar.llm.batch_folder import Batch, Folder
from cultivar.llm.batch_rows import ENDPOINT, Fault, request_ids
from cultivar.llm.endpoint import RETRIED, retry_after
from cultivar.llm.keys import find_key, host_variable

T = TypeVar("T")
log = logging.getLogger("cultivar.batch")

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
OVERFULL = frozenset({"token_limit_exceeded", "request_limit_exceeded", "enqueued_token_limit_exceeded"})
"""Codes of a batch that failed since too much is queued already."""
MOST_TOLD = 4 << 20
"""Bytes of an answer, other than a download, that are read."""
PAGES = 200
"""Pages of 100 batches in which a lost one is looked for."""


class ProviderCarrier:
    """See the module. ``poll``: seconds before the first look at a batch, growing to ``longest_poll``."""

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        poll: float = 5.0,
        longest_poll: float = 60.0,
        patience: float = 3600.0,
        backoff: float = 1.0,
    ) -> None:
        self.model = model
        self.base_url = base_url.rstrip("/")
        self.name = f"batch:{model}@{self.base_url}"
        self._host = urlsplit(self.base_url).hostname or ""
        self._key = find_key(self._host)
        self._poll, self._longest, self._patience, self._backoff = poll, longest_poll, patience, backoff
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None
        self._jitter = random.Random()  # spreads retries in time and is no part of any result

    def was_sent(self, batch: Batch) -> bool:
        return bool(batch.state())

    async def fetch(self, batch: Batch) -> Ending:
        """See Carrier. The state goes file -> batch -> status, each noted before the next."""
        state = batch.state()
        if "status" not in state:
            lost = "file" in state
            if not lost:
                state = await self._upload(batch)
                batch.note(state)
            if "batch" not in state:
                state["batch"] = await self._create(state, batch, lost)
                batch.note(state)
                log.info("%s: %s went as %s", self.name, batch.requests.name, state["batch"])
            ended = await self._until_ended(batch, str(state["batch"]))
            await self._download(batch, ended)
            state |= _noted(ended)
            batch.note(state)
            if ended["status"] != "completed":
                log.warning("%s: batch %s %s%s", self.name, state["batch"], ended["status"], state["told"])
        return _ending(state)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # the steps

    async def _upload(self, batch: Batch) -> dict[str, Any]:
        async def attempt() -> dict[str, Any]:
            with batch.requests.open("rb") as file:
                form = aiohttp.FormData({"purpose": "batch"})
                form.add_field("file", file, filename=batch.requests.name, content_type="application/jsonl")
                made = await self._json("POST", "/files", data=form)
            return {"file": str(made["id"]), "uploaded": made.get("created_at") or 0}

        return await self._retried(f"the upload of {batch.requests}", attempt)

    async def _create(self, state: Mapping[str, Any], batch: Batch, lost: bool) -> str:
        """The id of the batch of an uploaded file. ``lost``: it may be there, though its id was never noted."""
        body = {
            "input_file_id": state["file"],
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": {"cultivar": batch.requests.name},
        }

        async def attempt() -> str:
            nonlocal lost
            found = await self._find(batch, str(state["file"]), state.get("uploaded") or 0) if lost else None
            if found is None:
                lost = True
                try:
                    found = str((await self._json("POST", "/batches", json=body))["id"])
                except EndpointError:
                    batch.state_path.unlink(missing_ok=True)  # refused: there is none, and the next run begins anew
                    raise
            return found

        return await self._retried(f"the creation of a batch of {batch.requests}", attempt)

    async def _find(self, batch: Batch, file: str, since: int) -> str | None:
        """The batch of an uploaded file in the provider's list, which is sorted from new to old."""
        after: dict[str, str] = {}
        for _ in range(PAGES):
            try:
                page = await self._json("GET", "/batches", params={"limit": "100", **after})
            except EndpointError as error:
                raise EndpointError(
                    f"{error}; without the list it cannot be told whether a batch of {file} was created: if there is "
                    f'one, write its id into {batch.state_path} as "batch"; if not, remove that file',
                    status=error.status,
                    kind=error.kind,
                ) from None
            rows = page.get("data") or []
            for row in rows:
                if row.get("input_file_id") == file:
                    return str(row["id"])
            if not rows or not page.get("has_more") or (rows[-1].get("created_at") or since) < since:
                return None
            after = {"after": str(rows[-1]["id"])}
        return None

    async def _until_ended(self, batch: Batch, name: str) -> dict[str, Any]:
        wait = self._poll
        while True:
            await asyncio.sleep(wait)
            wait = min(self._longest, wait * 1.5)
            try:
                seen = await self._retried(f"a look at batch {name}", lambda: self._json("GET", f"/batches/{name}"))
            except EndpointError as error:
                raise self._gone(error, batch, f"batch {name}") from None
            seen["status"] = str(seen.get("status", "")).lower()
            if seen["status"] in ENDED:
                return seen

    async def _download(self, batch: Batch, ended: Mapping[str, Any]) -> None:
        """Output file and error file become one file of results; lines that did not pass validation are added."""
        parts = []
        for kind in ("output_file_id", "error_file_id"):
            if ended.get(kind):
                parts.append(batch.folder / f"{batch.number:06d}.{kind.removesuffix('_id')}")
                try:
                    await self._retried(f"the download of {kind} {ended[kind]}", self._saving(ended[kind], parts[-1]))
                except EndpointError as error:
                    raise self._gone(error, batch, f"file {ended[kind]} of batch {ended.get('id')}") from None
        draft = Draft(batch.results)
        try:
            for part in parts:
                with part.open("rb") as raw:
                    while chunk := raw.read(1 << 20):
                        draft.write(chunk)
            for line in _refused_lines(batch, ended):
                draft.write(line)
            draft.finish()
        finally:
            draft.discard()
        for part in parts:
            part.unlink()

    def _saving(self, name: str, path: Path) -> Callable[[], Awaitable[None]]:
        return lambda: self._save(name, path)

    async def _save(self, name: str, path: Path) -> None:
        draft = Draft(path)
        try:
            async with self._answer("GET", f"/files/{name}/content") as answer:
                rest = b""
                async for chunk in answer.content.iter_chunked(1 << 18):
                    whole, newline, rest = (rest + chunk).rpartition(b"\n")
                    draft.write(self._key.struck_bytes(whole + newline))
                if rest:
                    draft.write(self._key.struck_bytes(rest) + b"\n")
            draft.finish()
        finally:
            draft.discard()

    def _gone(self, error: EndpointError, batch: Batch, what: str) -> EndpointError:
        """What was sent and is not to be found is not sent again unasked: it may have been paid for."""
        if error.status != 404:
            return error
        files = batch.folder / f"{batch.number:06d}.*"
        return EndpointError(
            f"{self.base_url} knows no {what} (another account, or deleted?); to send its requests again, and to pay "
            f"for them again, remove {files}",
            status=404,
            kind="refused",
        )

    # HTTP

    async def _retried(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        ends = time.monotonic() + self._patience
        faults = 0
        while True:
            try:
                return await attempt()
            except _Passing as fault:
                faults += 1
                spread = self._jitter.uniform(0, min(60.0, self._backoff * 2 ** min(faults, 10)))
                wait = spread if fault.retry_after is None else fault.retry_after + spread * 0.1
                if time.monotonic() + wait > ends:
                    raise EndpointError(
                        f"{self.name}: {what} did not succeed in {self._patience:g} s and {faults} attempts; "
                        f"the last one: {fault}",
                        status=fault.status,
                        kind=str(fault.status or "connection"),
                    ) from None
                await asyncio.sleep(wait)

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        async with self._answer(method, path, **options) as answer:
            raw = bytearray()
            async for chunk in answer.content.iter_chunked(1 << 16):
                raw += chunk
                if len(raw) > MOST_TOLD:
                    raise _Passing(f"{path} answered with more than {MOST_TOLD >> 20} MiB")
        try:
            found = orjson.loads(self._key.struck_bytes(bytes(raw)))
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise _Passing(f"{path} answered with no JSON object: {self._told(bytes(raw))}")
        return found

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer with status 200; raises _Passing or EndpointError for every other one, and for none."""
        session = self._open()
        try:
            async with session.request(method, self.base_url + path, proxy=self._proxy, **options) as answer:
                if answer.status not in (200, 201):
                    raise self._refusal(answer, f"{method} {path}", await answer.content.read(4096))
                yield answer
        except TimeoutError:
            raise _Passing(f"{method} {path} had no answer in time") from None
        except aiohttp.InvalidURL:
            raise EndpointError(f"{self.base_url!r} is no URL; write batch:NAME@https://host/v1") from None
        except aiohttp.ClientError as error:
            told = self._key.struck(str(error) or type(error).__name__)
            raise _Passing(f"{method} {path} was broken off: {told}") from None

    def _refusal(self, answer: aiohttp.ClientResponse, what: str, said: bytes) -> Exception:
        told = f"{what}: HTTP {answer.status}: {self._told(said) or answer.reason}"
        if answer.status in RETRIED and b"insufficient_quota" not in said:
            wait = retry_after(answer.headers.get("Retry-After-Ms"), answer.headers.get("Retry-After"))
            return _Passing(told, answer.status, wait)
        hint = ""
        if answer.status in (401, 403):
            hint = f"; set the key with: export {host_variable(self._host)}=... (or OPENAI_API_KEY)"
        elif answer.status in (404, 405):
            hint = "; check that the URL ends in /v1 and that this endpoint has a batch API"
        return EndpointError(f"{self.name} refused {told}{hint}", status=answer.status, kind="refused")

    def _told(self, raw: bytes) -> str:
        return " ".join(self._key.struck(raw.decode("utf-8", "replace")).split())[:400]

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            if not urllib.request.proxy_bypass(self._host):  # read once, and without .netrc: its passwords are not ours
                self._proxy = urllib.request.getproxies().get(urlsplit(self.base_url).scheme)
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=15.0, sock_read=300.0),
                headers=self._key.header(),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class _Passing(Exception):
    """A fault that may be over at the next attempt."""

    def __init__(self, told: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(told)
        self.status, self.retry_after = status, retry_after


def _errors(ended: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = ended.get("errors") or {}
    rows = errors.get("data") if isinstance(errors, dict) else errors
    return [row for row in rows or [] if isinstance(row, dict)]


def _refused_lines(batch: Batch, ended: Mapping[str, Any]) -> list[bytes]:
    """Results of the requests that a failed batch names by their line (counted from 1): they are at fault, not it."""
    at_fault = {row["line"]: row for row in _errors(ended) if isinstance(row.get("line"), int)}
    if ended["status"] != "failed" or not at_fault:
        return []
    return [
        orjson.dumps(
            {"custom_id": row, "response": {"status_code": 400, "body": None}, "error": at_fault[number]},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for number, row in enumerate(request_ids(batch.requests), 1)
        if number in at_fault
    ]


def _noted(ended: Mapping[str, Any]) -> dict[str, Any]:
    errors = _errors(ended)
    told = "; ".join(str(row.get("message") or row.get("code") or "") for row in errors[:3])
    return {
        "status": ended["status"],
        "told": f" ({told})" if told else "",
        "overfull": any(str(row.get("code")) in OVERFULL for row in errors),
        "named": any(isinstance(row.get("line"), int) for row in errors),
    }


def _ending(state: Mapping[str, Any]) -> Ending:
    status = str(state["status"])
    if status == "completed":
        return Ending(MISSING)
    fault = Fault(status, f"the batch {state.get('batch')} {status}{state.get('told')}")
    failed = status == "failed" and not state.get("named")
    return Ending(fault, failed=failed, overfull=failed and bool(state.get("overfull")))


def provider_model(model: str, base_url: str, batches: Path) -> BatchModel:
    """The model of ``batch:NAME@URL``; its files lie in a folder of their own below ``batches``."""
    carrier = ProviderCarrier(model, base_url)
    return BatchModel(carrier, Folder(batches / _folder_name(carrier.name)))


def _folder_name(name: str) -> str:
    """A readable folder for a model's name, its own for every name."""
    slug = re.sub(r"[^a-zA-Z0-9._]+", "-", name.removeprefix("batch:"))
    return f"{slug[:60]}-{content_hash(name)[:8]}"
