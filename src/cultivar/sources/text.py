"""Text and files -> Document passages, one at a time.

    .txt .text .md .markdown .rst    paragraphs, split into passages
    .jsonl .ndjson                   one JSON row a line
    .json                            a list of rows, or one row
    .csv .tsv                        one row a line below a header

A row is a string, or an object whose text stands in ``field``: a string, or a conversation, of which the first message
is taken (what was asked, not what was answered). Rows without text are left out, and so is every exact repetition.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from cultivar.core.errors import InputError, UsageError, did_you_mean
from cultivar.core.records import JSON, Document
from cultivar.sources.lines import Lines
from cultivar.sources.passages import LONGEST, passages, size

SHIPPED = Path(__file__).parent / "corpus" / "fields.jsonl"
"""128 short passages over as many fields of work and life, written for the project."""
FIELDS = ("text", "content", "instruction", "prompt", "question", "conversations", "messages")
"""Where a row's text is looked for if no field is named; the first that the row has is taken."""
MAX_JSON = 64 * 2**20
"""Bytes of a .json file, which has to be read in one piece."""
MAX_PARAGRAPH = 2**14
"""Characters; a longer paragraph is split at the end of a line."""

OnError = Callable[[InputError], None]
PLAIN, ROWS, WHOLE, TABLE = ("txt", "text", "md", "markdown", "rst"), ("jsonl", "ndjson"), ("json",), ("csv", "tsv")
SUFFIXES = tuple(f".{name}" for name in (*PLAIN, *ROWS, *WHOLE, *TABLE))


def read_corpus(
    path: Path | None = None, *, field: str | None = None, on_error: OnError | None = None
) -> Iterator[Document]:
    """The passages of a file or of a directory, in an order that depends on names and content alone.

    ``path`` None is the corpus that ships with cultivar. Of a directory, every file with a known suffix is read,
    recursively, hidden ones left out; a file that is named itself may have any suffix and is then taken as plain text.
    ``field`` names the key or column that holds the text of a row.

    ``on_error`` is called with each fault (a broken line, a file that cannot be read) and reading goes on behind it;
    None raises the first. Nothing to read at all is always raised.

    A document's ``source`` is the file's path within the corpus and the passage's number in it, counted from 1.
    Raises UsageError if there is no such path, else InputError, before the first passage where that can be known.
    """
    root = SHIPPED if path is None else path
    return _documents(root, _files(root), field, on_error or _raise)


def _raise(error: InputError) -> None:
    raise error


def _documents(root: Path, files: list[tuple[str, Path]], field: str | None, fault: OnError) -> Iterator[Document]:
    seen: set[bytes] = set()
    for name, file in files:
        number = 0
        try:
            for title, text in _read(_Source(name, file, field, fault)):
                number += 1
                digest = hashlib.sha256(text.encode()).digest()[:16]
                if digest not in seen:
                    seen.add(digest)
                    yield Document(text=text, title=title, source=f"{name}#{number}")
        except InputError as error:
            fault(error)
    if not seen:
        raise InputError(f"the corpus {root} holds no text: put at least one passage into it, or name another one")


def _files(root: Path) -> list[tuple[str, Path]]:
    """(name within the corpus, file) of everything to be read."""
    try:
        if root.is_file():
            return [(_printable(root.name), root)]
        if not root.exists():
            near = did_you_mean(root.name, sorted(p.name for p in root.absolute().parent.glob("*")))
            raise UsageError(f"there is no corpus at {root}{near or '; name a file or a directory that exists'}")
    except OSError as error:
        raise UsageError(f"{root} cannot be looked at: {error.strerror}; name another file or directory") from error
    if not root.is_dir():
        raise UsageError(f"{root} is neither a file nor a directory; copy what it delivers to a file and name that")
    found, other = [], set()
    for folder, names, files in os.walk(root, onerror=_closed):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder, name)
            if name.startswith(".") or not file.is_file():
                continue
            if file.suffix.lower() in SUFFIXES:
                found.append((_printable(file.relative_to(root).as_posix()), file))
            else:
                other.add(file.suffix or name)
    if not found:
        there = f"only {', '.join(sorted(other)[:8])}" if other else "no files"
        raise InputError(
            f"the directory {root} holds {there}, and none that can be read ({' '.join(SUFFIXES)}); "
            "convert them (a PDF: pdftotext FILE.pdf FILE.txt) or name a single file to have it read as plain text"
        )
    return found


def _printable(name: str) -> str:
    """The name in plain Unicode: a file's name can be any bytes, a record's text cannot."""
    return os.fsencode(name).decode("utf-8", "replace")


def _closed(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read: {error.strerror}; to allow it: chmod u+rX {error.filename}")


@dataclass(frozen=True, slots=True)
class _Source:
    """One file to be read. ``name`` is how documents call it, ``file`` how messages do."""

    name: str
    file: Path
    field: str | None
    fault: OnError

    def lines(self) -> Lines:
        return Lines(self.file, self.fault)


def _read(source: _Source) -> Iterator[tuple[str, str]]:
    """(title, text) of every passage of a file."""
    suffix = source.file.suffix.lower().lstrip(".")
    if suffix in ROWS:
        rows = _jsonl_rows(source)
    elif suffix in WHOLE:
        rows = _json_rows(source)
    elif suffix in TABLE:
        rows = _table_rows(source, "\t" if suffix == "tsv" else ",")
    else:
        yield from _plain(source)
        return
    for where, row in rows:
        try:
            title, text = _text_of(row, where, source.field)
        except InputError as error:
            source.fault(error)
            continue
        if size(text) <= LONGEST:
            if text:
                yield title, text
        else:
            for passage in passages(_paragraphs(text.splitlines(keepends=True))):
                yield title, passage


def _plain(source: _Source) -> Iterator[tuple[str, str]]:
    """Passages of a text file; their title is a heading in its first line, else the file's name."""
    title = source.file.stem
    paragraphs = _paragraphs(text for _, text in source.lines())
    first = next(paragraphs, "")
    if first.startswith("#"):
        title = first.splitlines()[0].strip("# ") or title
    for passage in passages(itertools.chain((first,), paragraphs)):
        yield title, passage


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    current: list[str] = []
    length = 0
    for line in lines:
        if line.strip() and length < MAX_PARAGRAPH:
            current.append(line)
            length += len(line)
            continue
        if current:
            yield "".join(current)
        current, length = ([line], len(line)) if line.strip() else ([], 0)
    if current:
        yield "".join(current)


def _jsonl_rows(source: _Source) -> Iterator[tuple[str, JSON]]:
    for number, line in source.lines():
        if not line.strip():
            continue
        where = f"{source.file}, line {number}"
        try:
            yield where, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            source.fault(
                InputError(
                    f"{where}, column {error.colno}: not valid JSON ({error.msg}); each line has to be one object "
                    'such as {"text": "..."}: mend or delete this one'
                )
            )


def _json_rows(source: _Source) -> Iterator[tuple[str, JSON]]:
    file = source.file
    if file.stat().st_size > MAX_JSON:
        raise InputError(
            f"{file} has more than {MAX_JSON >> 20} MiB, too much to be read in one piece; "
            f"make it one row a line: jq -c '.[]' {file} > {file.with_suffix('.jsonl')}"
        )
    text = "".join(line for _, line in source.lines())
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"{file}, line {error.lineno}, column {error.colno}: not valid JSON ({error.msg}); mend it there, "
            "or name the file .jsonl if every line is an object of its own"
        ) from None
    for number, row in enumerate(value if isinstance(value, list) else [value], 1):
        yield f"{file}, row {number}", row


def _table_rows(source: _Source, delimiter: str) -> Iterator[tuple[str, JSON]]:
    at = 0

    def lines() -> Iterator[str]:
        nonlocal at
        for number, line in source.lines():
            at = number
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            source.fault(InputError(f"{source.file}, line {at}: not a readable row ({error}); check its quotes"))
            continue
        where = f"{source.file}, line {at}"
        if cells is None:
            return
        if header is None:
            header = [name.strip() for name in cells]
        elif len(cells) == len(header):
            yield where, dict(zip(header, cells))
        elif cells:
            source.fault(
                InputError(
                    f"{where}: {len(cells)} cells where the header has {len(header)}; quote the cells that contain "
                    f"{delimiter!r} or delete this row"
                )
            )


def _text_of(row: JSON, where: str, field: str | None) -> tuple[str, str]:
    """(title, text) of a row; the text is empty if the row's is."""
    if isinstance(row, str):
        return "", row.strip()
    if not isinstance(row, dict):
        raise InputError(f"{where}: a row has to be an object or a string, and this is {type(row).__name__}")
    key = field or next((name for name in FIELDS if name in row), None)
    if key is None or key not in row:
        there = ", ".join(repr(name[:40]) for name in list(row)[:8]) or "nothing"
        wanted = f"no {key!r}{did_you_mean(key, row)}" if key else f"none of {', '.join(FIELDS)}"
        raise InputError(f"{where}: the row has {wanted} (it has {there}); say which one holds the text: --field NAME")
    title = row.get("title")
    return (title.strip() if isinstance(title, str) else ""), _first_text(row[key], where, key)


def _first_text(value: JSON, where: str, key: str) -> str:
    if isinstance(value, list) and value:
        value = value[0]
        if isinstance(value, dict):
            value = value.get("content", value.get("value"))
    if value is None or value == []:
        return ""
    if not isinstance(value, str):
        raise InputError(
            f"{where}: {key!r} has to be text or a list of messages, and is {type(value).__name__}; "
            "name another key: --field NAME"
        )
    return value.strip()
