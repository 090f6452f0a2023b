"""The client against real servers, each with a tiny model of random weights; no GPU.

Skipped where the server is not installed. To run them, in an environment of their own or in this one:

    pip install xllamacpp gguf                       # llama.cpp's server
    pip install "transformers[serving]" torch        # transformers serve
    pip install litserve transformers torch          # LitServe
    CULTIVAR_SERVERS_PYTHON=/that/bin/python pytest tests/llm/test_servers.py
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cultivar.core.protocols import Request
from cultivar.llm.client import ChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PYTHON = os.environ.get("CULTIVAR_SERVERS_PYTHON", sys.executable)
MODELS = Path(__file__).with_name("tiny_models.py")
SCHEMA = {"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}
NEEDED = {
    "llama.cpp": ("xllamacpp", "gguf"),
    "litserve": ("litserve", "transformers", "torch"),
    "transformers": ("transformers", "torch", "uvicorn", "fastapi"),
}


def started(server: str, folder: Path, port: int) -> tuple[subprocess.Popen[bytes], str]:
    """The server's process, and the name of its model."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    if server == "llama.cpp":
        command, name = [PYTHON, str(MODELS), "llama", str(folder), str(port)], "tiny"
    else:
        subprocess.run([PYTHON, str(MODELS), "weights", str(folder)], check=True, capture_output=True)
    if server == "litserve":
        command, name = [PYTHON, str(MODELS.with_name("tiny_litserve.py")), str(folder), str(port)], "tiny"
    elif server == "transformers":
        program = str(Path(PYTHON).with_name("transformers"))
        command, name = [program, "serve", str(folder), "--port", str(port), "--device", "cpu"], str(folder)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment, start_new_session=True), name


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
            return
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the server did not start (exit code {process.poll()})")


@pytest.fixture(scope="module", params=sorted(NEEDED))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """(kind, model, base URL) of a real server that answers."""
    kind: str = request.param
    check = f"import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, {NEEDED[kind]!r})))"
    if subprocess.run([PYTHON, "-c", check], check=False).returncode:
        pytest.skip(f"{kind}: not installed here; see the first lines of this file")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process, model = started(kind, tmp_path_factory.mktemp("model"), port)
    try:
        wait_for(port, process)
        yield kind, model, f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with its workers
        process.wait()


USER = {"role": "user", "content": "hello"}


async def test_a_reply_with_its_tokens(server: tuple[str, str, str]) -> None:
    kind, model, url = server
    client = ChatModel(model, url, deadline=15.0)
    try:
        messages = ({"role": "system", "content": "Be brief."}, USER)
        reply = await client.complete(Request(messages, {"max_tokens": 8, "temperature": 1.0, "seed": 1}))
        if kind == "litserve":  # it counts nothing unless its API does
            assert reply.faults == ("no-usage",)
        else:
            assert 0 < reply.usage.completion_tokens <= 8
            assert reply.usage.prompt_tokens > 0
        assert reply.choices[0].finish in ("length", "stop")
    finally:
        await client.close()


async def test_several_samples_whether_or_not_the_server_knows_n(server: tuple[str, str, str]) -> None:
    _, model, url = server
    client = ChatModel(model, url, deadline=15.0)
    try:
        reply = await client.complete(Request((USER,), {"max_tokens": 8, "seed": 1, "temperature": 1.0}, n=3))
        assert len(reply.choices) == 3
        assert len({choice.text for choice in reply.choices}) > 1
    finally:
        await client.close()


async def test_a_parameter_that_no_server_knows_costs_at_most_one_refusal(server: tuple[str, str, str]) -> None:
    _, model, url = server
    client = ChatModel(model, url, deadline=15.0)
    try:
        request = Request((USER,), {"max_tokens": 4, "no_such_parameter": 1})
        await client.complete(request)
        assert (await client.complete(request)).attempts == 1
    finally:
        await client.close()


async def test_a_schema_is_enforced_or_asked_for(server: tuple[str, str, str]) -> None:
    kind, model, url = server
    client = ChatModel(model, url, deadline=15.0)
    try:
        reply = await client.complete(Request((USER,), {"max_tokens": 40, "temperature": 0.0}, schema=SCHEMA))
        if kind == "llama.cpp":
            assert isinstance(json.loads(reply.text)["sure"], bool)
    finally:
        await client.close()


async def test_many_calls_at_once(server: tuple[str, str, str]) -> None:
    _, model, url = server
    client = ChatModel(model, url, deadline=15.0)
    try:
        calls = (client.complete(Request((USER,), {"max_tokens": 4})) for _ in range(16))
        assert len(await asyncio.gather(*calls)) == 16
    finally:
        await client.close()
