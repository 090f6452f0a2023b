"""A recipe in a user's own file, and rows as its input, from the command line."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from cultivar.cli.main import main
from cultivar.core import registry
from cultivar.core.rundir import RunDirectory

RECIPE = '''
"""Critique: an answer, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from cultivar import Dataset, Engine, Instruction, Sample, Scope, recipe


@dataclass(frozen=True)
class Config:
    rounds: int = 1
    "Critiques of each answer."
    tags: tuple[str, ...] = ("a", "b")


def size(text: str) -> int:
    return len(text)


async def critique(row: Instruction, scope: Scope, config: Config) -> Sample:
    text = (await scope.ask("writer", row.prompt)).text
    for number in range(config.rounds):
        text = (await scope.child(f"round-{number}").ask("critic", f"Mend: {text}")).text
    if text == "bug":
        raise KeyError("nothing")
    told = {"size": await scope.once("size", size, text)}
    messages = ({"role": "user", "content": row.prompt}, {"role": "assistant", "content": text})
    return Sample(messages=messages, parents=(row.id,), meta={**row.meta, **told})


@recipe("critique", roles=("writer", "critic"))
async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    return Dataset(await engine.map(critique, rows, config))
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a recipe and two rows; what the recipe leaves in this process is taken away."""
    monkeypatch.chdir(tmp_path)
    Path("critique_recipe.py").write_text(RECIPE)
    Path("rows.jsonl").write_text('{"id": 1, "q": "Why?"}\n{"id": 2, "q": "How?"}\n')
    path = list(sys.path)
    yield tmp_path
    sys.modules.pop("critique_recipe", None)
    sys.path[:] = path
    registry._REGISTERED.pop("critique", None)


def script(*replies: str, name: str = "replies.jsonl") -> str:
    Path(name).write_text("".join(json.dumps(r) + "\n" for r in replies))
    return f"scripted:{name}"


def rows(run: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(run, "records.jsonl").read_text().splitlines()]


INPUT = ("--input", "rows.jsonl", "--field", "q")
COMMAND = ("run", "critique_recipe.py", *INPUT, "--concurrency", "1", "--workers", "0", "--quiet")


def test_it_runs_like_one_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    model = script("a", "b", "c", "d")
    assert main([*COMMAND, "--model", model, "--workers", "1"]) == 0
    assert [(r["prompt"], r["response"], r["meta"]) for r in rows("runs/critique")] == [
        ("Why?", "b", {"id": 1, "size": 1}),
        ("How?", "d", {"id": 2, "size": 1}),
    ]
    settings = registry.get("critique_recipe.py:critique")
    assert settings.spec == RunDirectory(Path("runs/critique")).settings.spec == "critique_recipe.py:critique"
    card = Path("runs/critique/card.md").read_text()
    assert "Critique: an answer" in card
    assert rf"critique\_recipe.py: `{hashlib.sha256(RECIPE.encode()).hexdigest()[:16]}`" in card
    assert main(["show", "runs/critique"]) == 0
    assert main(["export", "runs/critique", "--format", "trl"]) == 0
    assert len(Path("runs/critique/trl.jsonl").read_text().splitlines()) == 2
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["run", "critique_recipe.py", "--help"])
    told = capsys.readouterr().out
    assert "--rounds VALUE" in told
    assert "Critiques of each answer." in told
    assert "--corpus" not in told


def test_a_dropped_item_is_shown_with_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("run", "answer", *INPUT, "--concurrency", "1", "--quiet", "--model", script(" ", "Because."))
    assert main(list(words)) == 0
    dropped = json.loads(Path("runs/answer/dropped.jsonl").read_text())
    capsys.readouterr()
    assert main(["show", "runs/answer", dropped["item"][:6]]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"dropped: empty · item {dropped['item']} · answer\n")
    assert "[subject]" in told
    assert "Why?" in told
    assert main(["show", "runs/answer", dropped["item"][:6], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [dropped]
    assert main(["show", "runs/answer", "nowhere"]) == 1
    assert "no record or dropped item 'nowhere' (1 conversations)" in capsys.readouterr().err


def test_audit_says_what_it_can_prove(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--model", script("a", "b", "c", "d")]) == 0
    capsys.readouterr()
    assert main(["audit", "runs/critique"]) == 1
    told = capsys.readouterr()
    assert "trajectories" in told.err
    assert told.out == ""


def test_the_list_says_what_each_recipe_is_run_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    over = {row["name"]: row["over"] for row in json.loads(capsys.readouterr().out)}
    assert (over["agentgen"], over["answer"]) == ("passages", "rows")
    assert main(["list"]) == 0
    assert "what it does" in capsys.readouterr().out


def test_it_goes_on_where_it_was_and_a_new_round_costs_only_itself() -> None:
    assert main([*COMMAND, "--model", script("a", "b", "c", "d")]) == 0
    before = Path("runs/critique/records.jsonl").read_bytes()
    Path("runs/critique/records.jsonl").unlink()
    assert main([*COMMAND, "--model", script()]) == 0  # nothing is asked
    assert Path("runs/critique/records.jsonl").read_bytes() == before
    assert main(["run", "--config", "runs/critique", "--out", "runs/critique", "--quiet"]) == 0
    Path("critique_recipe.py").write_text(RECIPE.replace("rounds: int = 1", "rounds: int = 2"))
    del sys.modules["critique_recipe"]
    assert main([*COMMAND, "--rounds", "1", "--model", script()]) == 0  # a recipe's text may change


def test_a_moved_input_is_the_same_and_a_changed_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    model = script("a", "b", "c", "d")
    assert main([*COMMAND, "--model", model]) == 0
    Path("rows.jsonl").rename("moved.jsonl")
    words = [w if w != "rows.jsonl" else "moved.jsonl" for w in COMMAND]
    assert main([*words, "--model", model]) == 0
    Path("moved.jsonl").write_text('{"q": "Else?"}\n')
    assert main([*words, "--model", model]) == 2
    assert "input-hash was" in capsys.readouterr().err


def test_rows_added_at_the_end_continue_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--model", script("a", "b", "c", "d")]) == 0
    before = Path("runs/critique/records.jsonl").read_bytes()
    with Path("rows.jsonl").open("a") as more:
        more.write('{"id": 3, "q": "Else?"}\n')
    assert main([*COMMAND, "--model", script("e", "f")]) == 0  # two calls, for the new row
    after = Path("runs/critique/records.jsonl").read_bytes()
    assert after.startswith(before)
    assert [r["response"] for r in rows("runs/critique")] == ["b", "d", "f"]
    assert main([*COMMAND, "--model", script()]) == 0
    assert Path("runs/critique/records.jsonl").read_bytes() == after


def test_a_config_may_gain_and_lose_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--model", script("a", "b", "c", "d")]) == 0
    before = Path("runs/critique/records.jsonl").read_bytes()
    changed = RECIPE.replace('tags: tuple[str, ...] = ("a", "b")', 'style: str = "plain"\n    "How it is said."')
    Path("critique_recipe.py").write_text(changed)
    del sys.modules["critique_recipe"]
    assert main([*COMMAND, "--model", script()]) == 0
    assert Path("runs/critique/records.jsonl").read_bytes() == before
    assert main([*COMMAND, "--model", script(), "--style", "loud"]) == 2
    assert "style was 'plain' and is 'loud'" in capsys.readouterr().err


def test_a_bug_names_the_item_and_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--model", script("a", "b", "c", "bug")]) == 1
    told = capsys.readouterr().err
    assert "KeyError" in told
    assert "critique_recipe.py:26" in told
    assert "--only" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "critique_recipe.py"), "give --input rows.jsonl"),
        (("run", "critique_recipe.py", "--corpus", "x"), "over rows, not over a corpus"),
        (("run", "critique_recip.py"), "did you mean 'critique_recipe.py'"),
        (("run", "critique_recipe.py:criticise"), "holds no recipe 'criticise'; did you mean 'critique'"),
        (("run", "critique_recipe.py", "--input", "row.jsonl"), "did you mean 'rows.jsonl'"),
        (("run", "critique_recipe.py", "--input", "rows.jsonl"), "none of prompt, instruction"),
        (("run", "critique_recipe.py", "--input", "rows.jsonl", "--field", "p"), "no 'p'"),
        ((*COMMAND, "--tags", "x"), "has no argument '--tags'"),
        (("run", "agentgen", "--input", "rows.jsonl"), "over passages, not over rows"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(list(words)) in (1, 2)
    error = capsys.readouterr().err
    assert told in error
    assert error.startswith("cultivar: ")
    assert error.count("\n") == 1
    assert not Path("runs").exists()


def test_a_field_with_the_name_of_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    Path("critique_recipe.py").write_text(RECIPE.replace("rounds: int", "seed: int"))
    assert main(list(COMMAND)) == 2
    assert "its Config cannot have this field" in capsys.readouterr().err


@contextmanager
def endpoint() -> Iterator[tuple[str, list[int]]]:
    """An endpoint on loopback that counts requests: (URL, [held now, held at the same time at most, in all])."""
    held = [0, 0, 0]

    async def answer(request: web.Request) -> web.Response:
        held[0] += 1
        held[1] = max(held[:2])
        held[2] += 1
        body = await request.json()
        await asyncio.sleep(0.02)
        held[0] -= 1
        message = {"role": "assistant", "content": f"To {body['messages'][-1]['content']}"}
        return web.json_response({"model": "m", "choices": [{"finish_reason": "stop", "message": message}]})

    loop = asyncio.new_event_loop()
    runner = web.AppRunner(web.Application())
    runner.app.router.add_post("/v1/chat/completions", answer)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1", held
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()


def test_concurrency_bounds_the_calls_in_flight() -> None:
    Path("rows.csv").write_text("prompt\n" + "".join(f"row {n}\n" for n in range(24)))
    with endpoint() as (url, held):
        words = ["run", "answer", "--input", "rows.csv", "--n", "1", "--concurrency", "3", "--quiet"]
        assert main([*words, "--model", f"openai:m@{url}"]) == 0
    assert [r["response"] for r in rows("runs/answer")] == [f"To row {n}" for n in range(24)]
    assert held[1] == 3


def test_killed_and_started_again_it_ends_with_the_same_bytes() -> None:
    Path("rows.jsonl").write_text("".join(f'{{"q": "row {n}"}}\n' for n in range(60)))
    with endpoint() as (url, held):
        words = ["run", "critique_recipe.py", *INPUT, "--model", f"openai:m@{url}", "--concurrency", "4", "--quiet"]
        assert main([*words, "--workers", "0", "--out", "whole"]) == 0
        whole, held[2] = held[2], 0
        command = [sys.executable, "-m", "cultivar.cli", *words, "--workers", "0", "--out", "killed"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while held[2] < whole // 2 and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert not Path("killed/records.jsonl").exists()
        assert main([*words, "--workers", "0", "--out", "killed"]) == 0
    assert Path("killed/records.jsonl").read_bytes() == Path("whole/records.jsonl").read_bytes()
    assert whole == 120
    assert whole <= held[2] <= whole + 4  # what was in flight is asked again, and nothing else
