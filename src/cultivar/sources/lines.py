"""The lines of a UTF-8 file, with messages that say what else it is if it is not one."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cultivar.core.errors import InputError

MAX_LINE = 16 * 2**20
"""Bytes of one line."""
HEAD = 8192
"""Bytes looked at to tell text from binary."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Lines:
    """Iterates over (line number from 1, line with its end). At most one line is in memory.

    ``fault`` is called for a line that is not UTF-8 or too long; if it returns, the line is left out.
    Raises InputError if the file cannot be opened, is empty, is binary or is in UTF-16 or UTF-32.
    """

    file: Path
    fault: Callable[[InputError], None]

    def __iter__(self) -> Iterator[tuple[int, str]]:
        try:
            with self.file.open("rb") as stream:
                self._check_head(stream.read(HEAD))
                stream.seek(0)
                yield from self._decode(stream)
        except OSError as error:
            raise InputError(
                f"{self.file} cannot be read: {error.strerror}; to allow it: chmod u+r {self.file}"
            ) from error

    def _check_head(self, head: bytes) -> None:
        if not head:
            raise InputError(f"{self.file} is empty (0 bytes); delete it or put text into it")
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                raise InputError(f"{self.file} is {encoding}, and has to be UTF-8; {self._conversion(encoding)}")
        if b"\0" in head:
            raise InputError(
                f"{self.file} is binary (a zero byte at offset {head.index(0)}), and has to be text in UTF-8; "
                "convert it (a PDF: pdftotext FILE.pdf FILE.txt) or take it out of the corpus"
            )

    def _decode(self, stream: BinaryIO) -> Iterator[tuple[int, str]]:
        offset, number = 0, 0
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            start, offset = offset, offset + len(line)
            if len(line) > MAX_LINE and not line.endswith(b"\n"):
                self.fault(
                    InputError(
                        f"{self.file}, line {number} is longer than {MAX_LINE >> 20} MiB; "
                        f"break the lines: fold -s -w 1000 {self.file} > {self._beside('folded')}"
                    )
                )
                offset += _skip_line(stream)
                continue
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
                start = offset - len(line)
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                self.fault(InputError(self._not_utf8(number, start + error.start, line)))
                continue
            yield number, text

    def _not_utf8(self, number: int, offset: int, line: bytes) -> str:
        try:
            line.decode("windows-1252")
            guess = "WINDOWS-1252"
        except UnicodeDecodeError:
            guess = "ISO-8859-1"
        return (
            f"{self.file}, line {number}: the byte at offset {offset} is not UTF-8, perhaps {guess}; "
            f"{self._conversion(guess)}"
        )

    def _conversion(self, encoding: str) -> str:
        return f"convert it: iconv -f {encoding} -t UTF-8 {self.file} > {self._beside('utf8')}"

    def _beside(self, word: str) -> Path:
        return self.file.with_name(f"{self.file.stem}.{word}{self.file.suffix}")


def _skip_line(stream: BinaryIO) -> int:
    """Reads to behind the next line end; how many bytes that was."""
    skipped = 0
    while part := stream.readline(HEAD):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
