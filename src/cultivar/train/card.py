"""The card of a training: which rows went into which model, by which command; JSON for programs, Markdown for people.

The JSON is written when a training begins, too: with it a continued training knows that it is the same one.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

import cultivar
from cultivar.core.errors import InputError, UsageError
from cultivar.core.files import write_whole
from cultivar.core.records import JSON
from cultivar.core.text import number, one_line, shown
from cultivar.train.rows import Rows
from cultivar.train.settings import FREE, Settings

PACKAGES = ("torch", "transformers", "tokenizers", "trl", "peft", "accelerate", "datasets")
JSON_NAME, MARKDOWN_NAME = "train-card.json", "train-card.md"

Card = dict[str, JSON]


def versions() -> dict[str, str]:
    found = {"cultivar": cultivar.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def begun(method: str, settings: Settings, rows: Rows, source: Mapping[str, JSON], command: str) -> Card:
    """``source`` says where the rows are from."""
    return {
        "method": method,
        "base": settings.base,
        "rows": {**source, **rows.to_json()},
        "settings": asdict(settings),
        "command": command,
        "versions": versions(),
        "finished": False,
    }


def read_card(folder: Path) -> Card | None:
    """The card of a training that was begun in this folder; raises InputError if it cannot be read."""
    path = folder / JSON_NAME
    if not path.exists():
        return None
    try:
        found = orjson.loads(path.read_bytes())
        if not isinstance(found["settings"], dict) or not isinstance(found["rows"], dict):
            raise ValueError("its settings and rows are no objects")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no card of a training ({error}); give another --out") from None
    return dict(found)


def same(old: Card, new: Card, folder: Path) -> None:
    """Raises UsageError saying how a begun training differs from what is asked for."""
    words = {"method": "it was", "base": "--base was"}
    found = [f"{said} {old.get(name)}" for name, said in words.items() if old.get(name) != new[name]]
    for name, value in new["settings"].items():
        was = old["settings"].get(name)
        if name in old["settings"] and name not in (*FREE, "base") and was != value:
            found.append(f"--{name.replace('_', '-')} was {shown(was)} and is {shown(value)}")
    if old["rows"].get("ids") != new["rows"]["ids"] or old["rows"].get("columns") != new["rows"]["columns"]:
        found.append(f"it has other rows ({old['rows'].get('count')} then, {new['rows']['count']} now)")
    if found:
        raise UsageError(
            f"{folder} holds another training: {'; '.join(found)}. Give the same settings to go on with it, or another "
            "--out"
        )


def write_card(folder: Path, card: Card) -> None:
    write_whole(folder / JSON_NAME, orjson.dumps(card, option=orjson.OPT_INDENT_2).decode() + "\n")
    write_whole(folder / MARKDOWN_NAME, markdown(card))


def markdown(card: Card) -> str:
    rows, result = card["rows"], card.get("result", {})
    left_out = {f"left out: {what}": count for what, count in rows.get("left_out", {}).items()}
    where = {
        name: rows[name]
        for name in ("run", "recipe", "environments", "format", "masks", "files")
        if rows.get(name) is not None
    }
    facts = {**where, "rows": rows["count"], "columns": rows["columns"], "hash of their ids": rows["ids"], **left_out}
    lines = [
        f"# {card['method'].upper()} of {_code(card['base'])}",
        "",
        "Finished." if card["finished"] else "Not finished: the same command goes on from the last checkpoint.",
        *("## Rows", _table(facts)),
        *("## What came out", _table(result) if result else "Nothing yet."),
        *("## Settings", _table({k: v for k, v in card["settings"].items() if v is not None})),
        *("## Made by", _fenced(card["command"]), _table(card["versions"])),
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def _table(facts: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {_code(_cell(value))} |" for name, value in facts.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _cell(value: JSON) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return number(value) if isinstance(value, int | float) else shown(value)


def _code(text: str) -> str:
    """A code span that no text leaves: paths and names may hold anything."""
    return "`" + one_line(text, 300).replace("`", "'").replace("|", "/") + "`"


def _fenced(text: str) -> str:
    return "```sh\n" + one_line(text, 2_000).replace("```", "'''") + "\n```"
