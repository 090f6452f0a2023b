"""Reading values out of a model's free reply: what ``parse`` functions share.

Replies are hostile: every reader here is linear in the length of the reply and bounded in the depth it accepts.
"""

from __future__ import annotations

import re

import orjson

from cultivar.core.errors import Unparsable
from cultivar.core.records import JSON

MAX_REPLY = 1_000_000
"""Characters of a reply that are looked at; a longer one is refused as such."""

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+.-]*)[^\n]*$", re.MULTILINE)


_TRAILING_COMMA = re.compile(r'"(?:[^"\\]|\\.)*+"|,(?=\s*[}\]])', re.DOTALL)
"""A string, which is left as it is, or a comma before a closing bracket, which many models write and JSON forbids."""


def _without_comma(match: re.Match[str]) -> str:
    return match.group() if match.group() != "," else ""


def fenced_blocks(reply: str) -> list[tuple[str, str]]:
    """The (language, body) of every fenced block, in order; a fence that is never closed runs to the end."""
    if len(reply) > MAX_REPLY:
        raise Unparsable(f"the reply is {len(reply):,} characters long; at most {MAX_REPLY:,} are read")
    blocks: list[tuple[str, str]] = []
    opened: tuple[str, str, int] | None = None
    for mark in _FENCE.finditer(reply):
        fence, language = mark.group(1), mark.group(2)
        if opened is None:
            opened = (fence, language.lower(), mark.end() + 1)
        elif not language and fence[0] == opened[0][0] and len(fence) >= len(opened[0]):
            blocks.append((opened[1], reply[opened[2] : mark.start()].rstrip("\n")))
            opened = None
    if opened is not None:
        blocks.append((opened[1], reply[opened[2] :]))
    return blocks


def fenced(reply: str, *languages: str) -> str:
    """The first fenced block in one of ``languages``, else the first block, else the reply itself, stripped."""
    blocks = fenced_blocks(reply)
    for language, body in blocks:
        if language in languages:
            return body.strip()
    return (blocks[0][1] if blocks else reply).strip()


def json_value(reply: str) -> JSON:
    """The JSON object or array of a reply, in a fence or amid prose; raises Unparsable saying what is wrong."""
    text = _TRAILING_COMMA.sub(_without_comma, fenced(reply, "json", "jsonc"))
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        first = str(error)
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    if not starts:
        raise Unparsable("there is no JSON object or array in the reply")
    start = min(starts)
    end = text.rfind("}" if text[start] == "{" else "]")
    try:
        return orjson.loads(text[start : end + 1])
    except orjson.JSONDecodeError:
        raise Unparsable(f"the JSON in the reply cannot be read: {first}") from None
