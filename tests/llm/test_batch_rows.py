"""The batch file format, field by field, against the examples of its documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cultivar.core.protocols import Reply, Request
from cultivar.llm.batch_rows import Fault, read_row, request_ids, request_line, result_rows

# vLLM, examples/offline_inference/openai_batch/README.md ("Offline Inference with the OpenAI Batch file format"): the
# first request of its example file, and the first result shown for it.
DOCUMENTED_REQUEST = {
    "custom_id": "request-1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {
        "model": "meta-llama/Meta-Llama-3-8B-Instruct",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Hello world!"},
        ],
        "max_completion_tokens": 1000,
    },
}
COMPLETION = {
    "id": "cmpl-61c020e54b964d5a98fa7527bfcdd378",
    "object": "chat.completion",
    "created": 1715633336,
    "model": "meta-llama/Meta-Llama-3-8B-Instruct",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello! It's great to meet you!"},
            "logprobs": None,
            "finish_reason": "stop",
            "stop_reason": None,
        }
    ],
    "usage": {"prompt_tokens": 25, "total_tokens": 56, "completion_tokens": 31},
}
DOCUMENTED_RESULT = {
    "id": "vllm-383d1c59835645aeb2e07d004d62a826",
    "custom_id": "request-1",
    "response": COMPLETION,
    "error": None,
}
# vllm/entrypoints/openai/run_batch.py, BatchRequestOutput with BatchResponseData: what it writes today, as the later
# examples of the same page show it.
WRITTEN_RESULT = DOCUMENTED_RESULT | {
    "response": {"status_code": 200, "request_id": "vllm-batch-3580bf4d4ae54d52b67eee266a6eab20", "body": COMPLETION}
}


def test_a_request_is_the_documented_one_field_by_field() -> None:
    body: dict[str, Any] = DOCUMENTED_REQUEST["body"]  # type: ignore[assignment]
    request = Request(tuple(body["messages"]), {"max_completion_tokens": 1000})
    line = request_line("request-1", body["model"], request)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == DOCUMENTED_REQUEST
    assert list(json.loads(line)) == ["custom_id", "method", "url", "body"]


def test_without_a_name_the_engine_serves_its_only_model() -> None:
    assert "model" not in json.loads(request_line("a", "", Request(({"role": "user", "content": "x"},))))["body"]


@pytest.mark.parametrize("result", [DOCUMENTED_RESULT, WRITTEN_RESULT], ids=["documented", "written"])
def test_a_result_as_vllm_has_it(result: dict[str, Any]) -> None:
    row = read_row(json.dumps(result).encode())
    assert row is not None
    assert row.custom_id == "request-1"
    assert isinstance(row.found, Reply)
    assert row.found.text == "Hello! It's great to meet you!"
    assert row.found.choices[0].finish == "stop"
    assert row.found.model == "meta-llama/Meta-Llama-3-8B-Instruct"
    assert (row.found.usage.prompt_tokens, row.found.usage.completion_tokens) == (25, 31)


@pytest.mark.parametrize(
    ("response", "error", "fault"),
    [
        # run_batch.make_error_request_output: the words of an exception, under 400
        (
            {"status_code": 400, "request_id": "r", "body": None},
            "too long",
            Fault("400", "HTTP 400: too long", 400, False),
        ),
        # run_batch.run_request: an ErrorResponse object
        (
            {"status_code": 404, "request_id": "r", "body": None},
            {"error": {"message": "no such model", "code": 404}},
            Fault("404", "HTTP 404: no such model", 404, False),
        ),
        # OpenAI: the refusal is the body
        (
            {"status_code": 500, "request_id": "r", "body": {"error": {"message": "try later"}}},
            None,
            Fault("500", "HTTP 500: try later", 500, True),
        ),
        (None, {"code": "batch_expired", "message": "too late"}, Fault("expired", "too late")),
        (None, {"code": "batch_cancelled", "message": "stopped"}, Fault("cancelled", "stopped")),
        (None, None, Fault("no-response", "neither a response nor an error")),
        ({"status_code": None}, None, Fault("malformed", "the status is None")),
    ],
)
def test_a_row_without_a_reply_says_why(response: Any, error: Any, fault: Fault) -> None:
    row = read_row(json.dumps({"id": "x", "custom_id": "a", "response": response, "error": error}).encode())
    assert row is not None
    assert row.found == fault


def test_a_body_that_is_no_completion_is_asked_again() -> None:
    row = read_row(b'{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": []}}}')
    assert row is not None
    assert isinstance(row.found, Fault)
    assert (row.found.kind, row.found.passing) == ("malformed", True)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"7", b"{}", b'{"custom_id": 3}', b"\xff\xfe", b'{"custom_id"'])
def test_a_line_that_names_no_request_is_none(line: bytes) -> None:
    assert read_row(line) is None


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    assert list(result_rows(path)) == []
    path.write_bytes(request_line("ours", "m", Request(())) + b'{"method": "POST", "custom_id": "theirs"}\n')
    assert list(request_ids(path)) == ["ours", "theirs"]
    path.write_bytes(b"\n" + json.dumps(WRITTEN_RESULT).encode() + b"\n\nbroken\n")
    assert [row and row.custom_id for row in result_rows(path)] == ["request-1", None]


@pytest.mark.parametrize(
    ("line", "kind", "passing"),
    [
        (
            """{"id":"vllm-1","custom_id":"r","response":{"status_code":400,"request_id":"b","body":null},"error":"""
            """{"error":{"message":"too long","type":"BadRequestError","param":null,"code":400}}}""",
            "400",
            False,
        ),
        (
            """{"id":"vllm-1","custom_id":"r","response":{"status_code":500,"request_id":"b","body":null},"error":"""
            """{"error":{"message":"engine dead","type":"InternalServerError","param":null,"code":500}}}""",
            "500",
            True,
        ),
        (
            """{"id":"vllm-1","custom_id":"r","response":{"status_code":400,"request_id":"b","body":null},"error":"""
            """"Request must not be sent in stream mode"}""",
            "400",
            False,
        ),
    ],
)
def test_refusals_as_the_classes_of_vllm_0_33_write_them(line: str, kind: str, passing: bool) -> None:
    """The lines are what its BatchRequestOutput and ErrorResponse gave with model_dump_json()."""
    row = read_row(line.encode())
    assert row is not None
    assert isinstance(row.found, Fault)
    assert (row.found.kind, row.found.passing) == (kind, passing)
    assert row.found.told.startswith(f"HTTP {kind}: ")
    assert "{" not in row.found.told


def test_half_a_character_in_a_row_is_read() -> None:
    body = {"choices": [{"message": {"content": "half \ud800"}}]}
    row = read_row(json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": body}}).encode())
    assert row is not None
    assert isinstance(row.found, Reply)
    assert row.found.text == "half \ufffd"
