"""Each way in which common servers differ from the API, played by a fake endpoint: learned once, told once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import EndpointError
from cultivar.core.protocols import Request
from cultivar.llm.dialect import Dialect, without_system
from cultivar.llm.wire import Malformed, read_reply, split_thinking
from tests.llm.test_client import completion, serve

__all__ = ["serve"]
USER = {"role": "user", "content": "hello"}
SYSTEM = {"role": "system", "content": "Be brief."}
Body = dict[str, Any]


class Server:
    """An endpoint that refuses what ``objection`` finds in a body, and keeps the bodies it answered."""

    def __init__(self, objection: Callable[[Body], web.Response | None]) -> None:
        self.refused, self.bodies, self._objection = 0, list[Body](), objection

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = self._objection(body)
        if found is not None:
            self.refused += 1
            return found
        self.bodies.append(body)
        return web.json_response(completion())


def error(message: str, param: str | None = None, status: int = 400) -> web.Response:
    data = {"error": {"message": message, "type": "invalid_request_error", "param": param}}
    return web.json_response(data, status=status)


def pydantic_error(field: str) -> web.Response:
    detail = [{"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted", "input": 1}]
    return web.json_response({"detail": detail}, status=422)


@pytest.mark.parametrize(
    "refusal",
    [
        lambda: error("Unsupported parameter: 'top_k' is not supported with this model.", "top_k"),
        lambda: error("Unrecognized request argument supplied: top_k"),
        lambda: error("property 'top_k' is unsupported; supported are: temperature, seed"),
        lambda: pydantic_error("top_k"),
        lambda: web.json_response({"detail": "Unexpected fields in the request: {'top_k'}"}, status=422),
    ],
)
async def test_an_unknown_parameter_is_left_out_from_then_on(
    serve: Any, refusal: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(lambda body: refusal() if "top_k" in body else None)
    model = await serve(server.handle)
    request = Request((USER,), {"temperature": 0.5, "seed": 3, "top_k": 40})
    first = await model.complete(request)
    second = await model.complete(request)
    assert (first.attempts, first.faults, second.attempts, second.faults) == (2, ("no-top_k",), 1, ())
    assert server.refused == 1
    assert all((body["temperature"], body["seed"]) == (0.5, 3) for body in server.bodies)
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "takes no 'top_k'; it is left out from now on" in caplog.text


async def test_calls_refused_at_the_same_time_learn_it_together(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(lambda body: error("unknown parameter top_k") if "top_k" in body else None)
    model = await serve(server.handle)
    replies = await asyncio.gather(*(model.complete(Request((USER,), {"top_k": 1})) for _ in range(20)))
    assert len(replies) == len(server.bodies) == 20
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "message",
    [
        "temperature must be at most 2",
        "This model's maximum context length is 4096 tokens; reduce max_tokens.",
        "top_k: Input should be a valid integer",
        "tools are not supported by this model",
    ],
)
async def test_a_wrong_request_stays_refused(serve: Any, message: str) -> None:
    server = Server(lambda body: error(message))
    sampling = {"temperature": 3, "top_k": 1, "max_tokens": 9}
    with pytest.raises(EndpointError, match="refused: HTTP 400"):
        await (await serve(server.handle)).complete(Request((USER,), sampling, ({"type": "function"},)))
    assert server.refused == 1


@pytest.mark.parametrize(
    ("sent", "wanted"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
async def test_the_token_limit_has_two_names(serve: Any, sent: str, wanted: str) -> None:
    told = f"Unsupported parameter: '{sent}' is not supported with this model. Use '{wanted}' instead."
    server = Server(lambda body: error(told, sent) if sent in body else None)
    model = await serve(server.handle)
    for _ in range(2):
        await model.complete(Request((USER,), {sent: 50}))
    assert (server.refused, [body[wanted] for body in server.bodies]) == (1, [50, 50])


async def test_an_endpoint_with_no_token_limit_at_all(serve: Any) -> None:
    def objection(body: Body) -> web.Response | None:
        return next((pydantic_error(k) for k in body if k.startswith("max_")), None)

    server = Server(objection)
    await (await serve(server.handle)).complete(Request((USER,), {"max_tokens": 50}))
    assert server.refused == 2
    assert set(server.bodies[0]) == {"model", "messages"}


@pytest.mark.parametrize(
    "refusal",
    [
        lambda: error("System role not supported"),
        lambda: error("Developer instruction is not enabled for models/gemma"),
        lambda: error("Jinja Exception: System role not supported", status=500),
        lambda: error("Conversation roles must alternate user/assistant/user/assistant/..."),
        lambda: error("Unsupported value: 'messages[0].role' does not support 'system'", "messages[0].role"),
    ],
)
async def test_a_refused_system_role_goes_before_the_first_user_message(serve: Any, refusal: Any) -> None:
    server = Server(lambda body: refusal() if body["messages"][0]["role"] == "system" else None)
    model = await serve(server.handle)
    turns = (SYSTEM, USER, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "again"})
    await model.complete(Request(turns))
    await model.complete(Request((SYSTEM, {"role": "user", "content": [{"type": "image_url", "image_url": {}}]})))
    assert server.refused == 1
    one, other = (body["messages"] for body in server.bodies)
    assert [m["content"] for m in one] == ["Be brief.\n\nhello", "hi", "again"]
    assert other[0]["content"] == [{"type": "text", "text": "Be brief."}, {"type": "image_url", "image_url": {}}]


async def test_a_refused_schema_is_asked_for_in_words(serve: Any) -> None:
    told = "response_format of type json_schema is not supported by this model"
    server = Server(lambda body: error(told) if "response_format" in body else None)
    model = await serve(server.handle)
    schema = {"type": "object", "required": ["answer"]}
    await model.complete(Request((USER,), schema=schema))
    (message,) = server.bodies[0]["messages"]
    assert message["content"].startswith("hello\n\nAnswer with JSON")
    assert json.dumps(schema, separators=(",", ":")) in message["content"]


def event_stream(*events: Any, end: bool = True) -> bytes:
    raw = b": ping\n\n" + b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)
    return raw + (b"data: [DONE]\n\n" if end else b"")


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> Any:
    return {"model": "m-1", "choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


async def test_an_endpoint_that_only_streams(serve: Any) -> None:
    bodies = []

    async def handler(request: web.Request) -> web.Response:
        body = await request.json()
        if not body.get("stream"):
            return error("This model supports streaming only: stream must be true")
        if "stream_options" in body:
            return error("Unknown parameter: stream_options")
        bodies.append(body)
        raw = event_stream(delta(role="assistant"), delta(content="h"), delta(content="i"), delta(finish="stop"))
        return web.Response(body=raw, content_type="text/event-stream")

    model = await serve(handler)
    reply = await model.complete(Request((USER,)))
    assert (reply.text, reply.model, reply.usage.completion_tokens) == ("hi", "m-1", 0)
    assert reply.faults == ("streams-only", "no-stream_options", "no-usage")
    assert (await model.complete(Request((USER,)))).attempts == 1
    assert len(bodies) == 2


def test_a_stream_is_read_as_one_reply() -> None:
    calls = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "look", "arguments": '{"x"'}},
        {"index": 0, "function": {"arguments": ": 1}"}},
        {"index": 1, "id": "b", "function": {"name": "go", "arguments": "{}"}},
    ]
    raw = event_stream(
        delta(role="assistant", reasoning_content="I "),
        delta(reasoning_content="see."),
        *(delta(tool_calls=[call]) for call in calls),
        delta(finish="tool_calls"),
        delta(1, content="other", finish="stop"),
        {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
    )
    reply = read_reply(raw)
    one, other = reply.choices
    assert (one.reasoning, one.finish, other.text) == ("I see.", "tool_calls", "other")
    assert one.tool_calls == (
        {"type": "function", "id": "a", "function": {"name": "look", "arguments": '{"x": 1}'}},
        {"type": "function", "id": "b", "function": {"name": "go", "arguments": "{}"}},
    )
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (5, 7)


def test_a_stream_that_was_cut_off_is_no_reply() -> None:
    with pytest.raises(Malformed):
        read_reply(event_stream(delta(content="half a sent"), end=False))


@pytest.mark.parametrize(
    "message", ["'n' must be 1", "Unsupported parameter: n", "Only one completion choice is allowed"]
)
async def test_several_samples_from_an_endpoint_that_gives_one(serve: Any, message: str) -> None:
    server = Server(lambda body: error(message) if "n" in body else None)
    model = await serve(server.handle)
    reply = await model.complete(Request((USER,), {"seed": 5}, n=3))
    assert (len(reply.choices), reply.usage.completion_tokens, reply.attempts, reply.faults) == (3, 6, 4, ("no-n",))
    seeds = [body["seed"] for body in server.bodies]
    assert seeds[0] == 5
    assert len(set(seeds)) == 3
    await model.complete(Request((USER,), n=2))
    assert (server.refused, len(server.bodies)) == (1, 5)


async def test_several_samples_from_an_endpoint_that_ignores_n(serve: Any) -> None:
    server = Server(lambda body: None)
    reply = await (await serve(server.handle)).complete(Request((USER,), n=3))
    assert (len(reply.choices), [body.get("n") for body in server.bodies]) == (3, [3, None, None])


async def test_missing_usage_is_zero_and_marked(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({k: v for k, v in completion().items() if k != "usage"})

    model = await serve(handler)
    for _ in range(2):
        reply = await model.complete(Request((USER,)))
        assert (reply.usage.completion_tokens, reply.faults, reply.attempts) == (0, ("no-usage",), 1)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("content", "reasoning", "text"),
    [
        ("<think>\nSo?\n</think>\n\nYes.", "So?", "Yes."),
        ("So?\n</think>\nYes.", "So?", "Yes."),  # the chat template wrote the opening tag
        ("<think>never ends", "never ends", ""),
        ("<think></think>Yes.", "", "Yes."),
        ("Write <think> and </think> around thoughts.", "", "Write <think> and </think> around thoughts."),
        ("Yes.", "", "Yes."),
    ],
)
def test_thoughts_are_kept_apart_from_text(content: str, reasoning: str, text: str) -> None:
    (choice,) = read_reply(json.dumps(completion(content)).encode()).choices
    assert (choice.reasoning, choice.text) == (reasoning, text)


def test_thoughts_that_are_parts_of_the_content() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "So?"}]},
        {"type": "text", "text": "Yes."},
    ]
    (choice,) = read_reply(json.dumps(completion(parts)).encode()).choices  # type: ignore[arg-type]
    assert (choice.reasoning, choice.text) == ("So?", "Yes.")


def test_a_server_that_keeps_thoughts_apart_may_speak_of_the_tag() -> None:
    raw = json.dumps(completion("It ends with </think>.", reasoning_content="So?")).encode()
    assert read_reply(raw).text == "It ends with </think>."


@given(st.text("<>/think ab\n", max_size=60))
def test_nothing_but_the_tags_and_white_space_is_lost(text: str) -> None:
    thought, rest = split_thinking(text)
    kept = (thought + rest).replace("<think>", "").replace("</think>", "")
    assert "".join(kept.split()) == "".join(text.replace("<think>", "").replace("</think>", "").split())


@given(st.binary(max_size=200) | st.text('data: {}[]"choices,\n', max_size=80).map(str.encode))
def test_hostile_bodies_are_malformed_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read_reply(raw)


@pytest.mark.parametrize("half", [rb"\ud800", rb"\uDE00\uD83D", b"\xed\xa0\x80"])
def test_half_characters_are_read_as_replacement_characters(half: bytes) -> None:
    call = {"function": {"name": "f", "arguments": '{"x": "HALF"}'}}
    logprobs = {"content": [{"token": "HALF", "logprob": -1.0}]}
    data = completion("é HALF!", reasoning_content="so HALF", tool_calls=[call])
    data["choices"][0]["logprobs"] = logprobs
    raw = json.dumps({**data, "model": "m HALF"}, ensure_ascii=False).encode().replace(b"HALF", half)
    reply = read_reply(raw)
    (choice,) = reply.choices
    marks = choice.text.removeprefix("é ").removesuffix("!")
    assert set(marks) == {"\ufffd"}
    assert (choice.reasoning, reply.model) == (f"so {marks}", f"m {marks}")
    assert choice.tool_calls == ({"function": {"name": "f", "arguments": f'{{"x": "{marks}"}}'}},)
    assert choice.logprobs == {"content": [{"token": marks, "logprob": -1.0}]}


def test_a_character_that_a_stream_cuts_in_two_is_whole_again() -> None:
    events = [
        rb'{"choices": [{"delta": {"content": "a\ud83d"}}]}',
        rb'{"choices": [{"delta": {"content": "\ude00b"}}]}',
    ]
    raw = b"".join(b"data: %s\n\n" % event for event in [*events, b"[DONE]"])
    assert read_reply(raw).text == "a😀b"
    raw = b"".join(b"data: %s\n\n" % event for event in [events[0], b"[DONE]"])
    assert read_reply(raw).text == "a\ufffd"


@pytest.mark.parametrize(
    "logprobs",
    ["[" * 251 + "]" * 251, '["\\ud800", 1' + "0" * 30 + "]", '["\\ud800", NaN]', "[" * 100_000 + '"\\ud800"'],
)
def test_what_no_journal_could_hold_is_malformed(logprobs: str) -> None:
    raw = '{"choices": [{"message": {"content": "hi"}, "logprobs": HERE}]}'.replace("HERE", logprobs)
    with pytest.raises(Malformed):
        read_reply(raw.encode())


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab<", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["text", "type", "index"]), inner),
    max_leaves=5,
)
FIELDS = ("content", "reasoning", "tool_calls", "refusal")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSONS)), JSONS, JSONS, JSONS)
def test_hostile_objects_are_read_or_malformed(message: Any, finish: Any, usage: Any, index: Any) -> None:
    choice = {"message": message, "finish_reason": finish, "index": index}
    try:
        reply = read_reply(json.dumps({"choices": [choice], "usage": usage}).encode())
    except Malformed:
        return
    assert isinstance(reply.text, str)
    assert isinstance(reply.choices[0].reasoning, str)


@given(st.lists(st.sampled_from([USER, SYSTEM, {"role": "assistant", "content": "hi"}]), min_size=1, max_size=5))
def test_no_word_is_lost_when_the_system_role_is(messages: list[Any]) -> None:
    folded = without_system(messages)
    assert all(m["role"] != "system" for m in folded)
    assert sorted(" ".join(m["content"] for m in folded).split()) == sorted(
        " ".join(m["content"] for m in messages).split()
    )


def test_what_is_learned_is_learned_once() -> None:
    """Every lesson changes the body, so no refusal can be asked about for ever."""
    dialect = Dialect()
    request = Request((SYSTEM, USER), {"max_tokens": 5, "top_k": 1}, schema={}, n=2)
    said = (
        "unsupported: n=2, system role, response_format, max_tokens, max_completion_tokens, top_k, stream_options only"
    )
    lessons = 0
    while lessons < 20:
        body = dialect.body("m", request)
        if dialect.single:
            body.pop("n", None)
        if dialect.learn(400, said, body) is None:
            break
        lessons += 1
    assert 5 < lessons < 12
