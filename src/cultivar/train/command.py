"""Training by a command of the user's own: rows go into a file, the command trains, and names the model it serves.

    --train "python train.py --data {rows} --name {name}"

``{rows}`` is the file of rows (JSON lines; chat messages, or what the recipe says), ``{name}`` the generation's name.
The command runs without a shell, with the user's own rights. What it prints goes to a log beside the rows; the last
line on its standard output is the spec of the model that it made (openai:NAME@http://host:port/v1).
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import orjson

from cultivar.core.errors import InputError, UsageError
from cultivar.core.files import write_whole
from cultivar.core.records import JSON

FORM = 'write --train "python train.py --data {rows} --name {name}"'


def trained(command: str, rows: Sequence[JSON], folder: str, name: str) -> str:
    """The spec of the model that the command made of the rows.

    The rows stand in ``folder``/``name``.jsonl, what the command said in ``name``.log beside it. Raises UsageError for
    a command that cannot be run, InputError if it fails or names no model.
    """
    words = command_words(command)
    path, log = Path(folder) / f"{name}.jsonl", Path(folder) / f"{name}.log"
    write_whole(path, (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    filled = [word.replace("{rows}", str(path)).replace("{name}", name) for word in words]
    try:
        with log.open("wb") as said:
            done = subprocess.run(filled, stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL, check=False)
            said.write(done.stdout)
    except OSError as error:
        raise UsageError(f"--train: {filled[0]!r} cannot be run ({error.strerror}); {FORM}") from None
    lines = done.stdout.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if done.returncode:
        raise InputError(f"--train ended with exit code {done.returncode}; {log} holds what it said")
    if not re.fullmatch(r"[a-z]+:\S{1,500}", last):
        raise InputError(
            f"--train named no model: the last line of its output is {last[:100]!r}; print a spec such as "
            "openai:NAME@http://host:port/v1 there"
        )
    return last


def command_words(command: str) -> list[str]:
    """The command, split as a shell would; raises UsageError if it is none or does not take the rows."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--train {command!r}: {error}; {FORM}") from None
    if not words or not any("{rows}" in word for word in words):
        raise UsageError(f"--train {command!r} does not take the rows; {FORM}")
    return words
