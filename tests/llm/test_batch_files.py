"""batch:files@DIR against a fake of vLLM's run-batch: a script that reads requests and writes results."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cultivar.core.errors import EndpointError
from cultivar.core.protocols import Reply, Request
from cultivar.llm.batch import BatchModel
from cultivar.llm.batch_files import FilesCarrier
from cultivar.llm.batch_folder import Folder
from tests.llm.fake_batch_server import completion, text_for

Open = Callable[[], BatchModel]


def run_batch(requests: Path, results: Path, *, refused: str = "nothing", skipped: str = "nothing") -> int:
    """What ``vllm run-batch -i REQUESTS -o RESULTS`` does, as run_batch.py has it: a line of results for each request,
    in the order of the requests; refusals are lines too. Lines with ``skipped`` are left out, which vLLM does not do.
    """
    done = 0
    with results.open("w") as out:
        for line in requests.read_text().splitlines():
            row = json.loads(line)
            assert set(row) == {"custom_id", "method", "url", "body"}
            assert (row["method"], row["url"]) == ("POST", "/v1/chat/completions")
            response: dict[str, Any] = {"status_code": 200, "request_id": f"vllm-batch-{uuid.uuid4().hex}"}
            error = None
            if skipped in line:
                continue
            if refused in line:
                response, error = response | {"status_code": 400, "body": None}, "the prompt is too long"
            else:
                response["body"] = completion(row["body"])
            found = {"id": f"vllm-{uuid.uuid4().hex}", "custom_id": row["custom_id"]}
            out.write(json.dumps(found | {"response": response, "error": error}) + "\n")
            done += 1
    return done


@pytest.fixture
async def open_files(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[BatchModel] = []

    def start() -> BatchModel:
        opened.append(BatchModel(FilesCarrier(tmp_path, poll=0.005), Folder(tmp_path), quiet=0.02))
        return opened[-1]

    yield start
    for model in opened:
        await model.close()


def prompt(number: int) -> Request:
    return Request(({"role": "user", "content": f"prompt <{number}>"},), key=f"{number:032x}")


def answer(number: int) -> str:
    return text_for([{"role": "user", "content": f"prompt <{number}>"}])


async def written(path: Path) -> None:
    for _ in range(400):
        await asyncio.sleep(0.005)
        if path.exists():  # noqa: ASYNC240
            return
    raise AssertionError(f"{path} was not written")


async def asked(model: BatchModel, count: int, requests: Path) -> list[asyncio.Task[Reply]]:
    tasks = [asyncio.create_task(model.complete(prompt(n))) for n in range(count)]
    await written(requests)
    return tasks


async def test_requests_out_and_results_in(open_files: Open, tmp_path: Path) -> None:
    requests, results = tmp_path / "000001.requests.jsonl", tmp_path / "000001.results.jsonl"
    tasks = await asked(open_files(), 5, requests)
    assert run_batch(requests, results, refused="<3>") == 5
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [r.text for r in found if isinstance(r, Reply)] == [answer(n) for n in (0, 1, 2, 4)]
    assert isinstance(found[3], EndpointError)
    assert "the prompt is too long" in str(found[3])


async def test_results_are_not_read_half_way(open_files: Open, tmp_path: Path) -> None:
    requests, results = tmp_path / "000001.requests.jsonl", tmp_path / "000001.results.jsonl"
    tasks = await asked(open_files(), 3, requests)
    whole = tmp_path / "elsewhere"
    run_batch(requests, whole)
    raw = whole.read_bytes()
    for end in (1, len(raw) // 2, len(raw) - 20):
        results.write_bytes(raw[:end])
        await asyncio.sleep(0.03)
        assert not any(task.done() for task in tasks)
    results.write_bytes(raw)
    assert [r.text for r in await asyncio.gather(*tasks)] == [answer(n) for n in range(3)]


async def test_what_has_no_line_when_all_is_done_goes_into_the_next_file(open_files: Open, tmp_path: Path) -> None:
    requests, results = tmp_path / "000001.requests.jsonl", tmp_path / "000001.results.jsonl"
    tasks = await asked(open_files(), 4, requests)
    run_batch(requests, results, skipped="<2>")
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in tasks)
    (tmp_path / "000001.done").touch()
    more = tmp_path / "000002.requests.jsonl"
    await written(more)
    assert run_batch(more, tmp_path / "000002.results.jsonl") == 1
    assert [r.text for r in await asyncio.gather(*tasks)] == [answer(n) for n in range(4)]
    assert tasks[2].result().faults == ("missing",)


async def test_a_run_that_was_stopped_takes_the_results_that_came_meanwhile(open_files: Open, tmp_path: Path) -> None:
    requests = tmp_path / "000001.requests.jsonl"
    first = open_files()
    for task in await asked(first, 3, requests):
        task.cancel()
    await first.close()
    run_batch(requests, tmp_path / "000001.results.jsonl")
    second = open_files()
    replies = await asyncio.gather(*(second.complete(prompt(n)) for n in range(3)))
    assert [r.text for r in replies] == [answer(n) for n in range(3)]
    assert not (tmp_path / "000002.requests.jsonl").exists()


def test_the_names_of_models(tmp_path: Path) -> None:
    assert FilesCarrier(tmp_path).name == f"batch:files@{tmp_path}"
    assert FilesCarrier(tmp_path, "org/m").name == f"batch:files/org/m@{tmp_path}"
