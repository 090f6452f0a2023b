"""Training by the user's own command."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
import pytest

from cultivar.core.errors import InputError, UsageError
from cultivar.train.command import trained

ROWS = [{"messages": [{"role": "user", "content": "ü"}]}, {"messages": []}]
SCRIPT = """\
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
print("loss 0.1")
print("epoch 1", file=sys.stderr)
print(f"openai:{sys.argv[2]}-{len(rows)}@http://127.0.0.1:1/v1")
"""


def script(folder: Path, text: str) -> str:
    path = folder / "train it.py"
    path.write_text(text, "utf-8")
    return f"{sys.executable} '{path}' {{rows}} {{name}}"


def test_rows_go_in_and_a_spec_comes_out(tmp_path: Path) -> None:
    assert trained(script(tmp_path, SCRIPT), ROWS, str(tmp_path), "gen-1") == "openai:gen-1-2@http://127.0.0.1:1/v1"
    assert [orjson.loads(line) for line in (tmp_path / "gen-1.jsonl").read_bytes().splitlines()] == ROWS
    assert {"epoch 1", "loss 0.1"} <= set((tmp_path / "gen-1.log").read_text().splitlines())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys; print('openai:x@http://h/v1'); sys.exit(3)", "exit code 3"),
        ("print('openai:x@http://h/v1'); print('done, it went well')", "named no model"),
        ("", "named no model"),
    ],
)
def test_a_command_that_fails(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        trained(script(tmp_path, text), ROWS, str(tmp_path), "gen-1")
    assert (tmp_path / "gen-1.jsonl").exists()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("", "does not take the rows"),
        ("train.sh", "does not take"),
        ("x '{rows}", "quotation"),
        ("/no/such {rows}", "cannot be run"),
    ],
)
def test_a_command_that_is_none(tmp_path: Path, command: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        trained(command, ROWS, str(tmp_path), "gen-1")
