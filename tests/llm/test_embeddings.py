"""Embeddings over an endpoint: gathered into few requests, divided again, journalled one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cultivar.core.errors import EndpointError
from cultivar.core.protocols import Request, Usage
from cultivar.core.vectors import packed, unpacked
from cultivar.llm.client import ChatModel

Answer = Callable[[list[str]], Any]
Serve = Callable[[Answer], Awaitable[ChatModel]]


class Endpoint:
    """Answers with what a function makes of the texts; counts what was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, []  # type: tuple[Answer, list[list[str]]]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        texts = (await request.json())["input"]
        self.asked.append(texts)
        found = self.answer(texts)
        return found if isinstance(found, web.Response) else web.json_response(found)


def rows(vectors: list[Any], tokens: int = 10) -> dict[str, Any]:
    data = [{"index": n, "embedding": v} for n, v in enumerate(vectors)]
    return {"data": data[::-1], "usage": {"prompt_tokens": tokens}, "model": "e"}


@pytest.fixture
async def served() -> AsyncIterator[Callable[[Answer], Awaitable[tuple[ChatModel, Endpoint]]]]:
    opened: list[Any] = []

    async def start(answer: Answer) -> tuple[ChatModel, Endpoint]:
        endpoint = Endpoint(answer)
        app = web.Application()
        app.router.add_post("/v1/embeddings", endpoint.handle)
        server = TestServer(app)
        await server.start_server()
        model = ChatModel("e", str(server.make_url("/v1")), deadline=5.0, backoff=0.005)
        opened.extend([model, server])
        return model, endpoint

    yield start
    for each in opened:
        await each.close()


Served = Callable[[Answer], Awaitable[tuple[ChatModel, Endpoint]]]


def lengths(texts: list[str]) -> dict[str, Any]:
    return rows([[float(len(t)), 1.0] for t in texts])


async def test_what_waits_together_goes_together_and_comes_back_apart(served: Served) -> None:
    model, endpoint = await served(lengths)
    texts = ["x" * n for n in range(1, 301)]
    replies = await asyncio.gather(*(model.complete(Request((), input=text)) for text in texts))
    assert [unpacked(reply.text)[0] for reply in replies] == [float(len(t)) for t in texts]
    assert len(endpoint.asked) <= 4 and sum(map(len, endpoint.asked)) == 300
    assert sum(reply.usage.prompt_tokens for reply in replies) == 10 * len(endpoint.asked)


async def test_base64_is_read_too(served: Served) -> None:
    model, _ = await served(lambda texts: rows([packed([0.5, -2.0])]))
    assert unpacked((await model.complete(Request((), input="a"))).text) == [0.5, -2.0]


async def test_one_refused_text_does_not_take_the_others_with_it(served: Served) -> None:
    def answer(texts: list[str]) -> Any:
        if "bad" in texts:
            return web.json_response({"error": {"message": "input is too long"}}, status=400)
        return lengths(texts)

    model, _ = await served(answer)
    texts = ["a", "bb", "bad", "dddd", "eeeee"]
    found = await asyncio.gather(*(model.complete(Request((), input=t)) for t in texts), return_exceptions=True)
    assert [isinstance(each, EndpointError) for each in found] == [False, False, True, False, False]


@pytest.mark.parametrize("wrong", [{"data": []}, {"data": [{"embedding": "x"}]}, [], {"data": [{"embedding": [None]}]}])
async def test_what_is_no_embedding_is_asked_for_again(served: Served, wrong: Any) -> None:
    answers = iter([wrong, rows([[1.0]])])
    model, _ = await served(lambda texts: next(answers))
    reply = await model.complete(Request((), input="a"))
    assert unpacked(reply.text) == [1.0] and reply.faults == ("malformed",) and reply.usage == Usage(10)
