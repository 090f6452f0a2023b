"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cultivar.core.errors import InputError, UsageError


class Draft:
    """A temporary file beside ``path`` that takes a name when it is finished.

    A reader sees the old file or the new one, never a half; a crash leaves at worst a ``.draft-*`` file. Raises
    UsageError if ``path`` is a folder, InputError where the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file to write, such as {path / 'rows.jsonl'}")
        self.path = path
        with _refusals_of(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".draft-", dir=path.parent)
        self._file = os.fdopen(handle, "wb")
        self._temporary = Path(name)

    def write(self, data: bytes) -> None:
        with _refusals_of(self.path):
            self._file.write(data)

    def finish(self, path: Path | None = None) -> None:
        """Give the file its name: ``path``, or the one it was opened for."""
        target = path or self.path
        with _refusals_of(target):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            # mkstemp makes files that only their owner may read; a result gets the permissions of any new file.
            umask = os.umask(0)
            os.umask(umask)
            self._temporary.chmod(0o666 & ~umask)
            self._temporary.replace(target)

    def discard(self) -> None:
        """Leave no trace; does nothing after ``finish``."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: str | Iterable[bytes]) -> None:
    """Write a text as UTF-8 (what UTF-8 cannot hold, lone surrogates, becomes ``?``), or chunks as they come."""
    draft = Draft(path)
    try:
        for chunk in [content.encode("utf-8", "replace")] if isinstance(content, str) else content:
            draft.write(chunk)
        draft.finish()
    finally:
        draft.discard()


@contextlib.contextmanager
def _refusals_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; free some space or name another place to write to, "
            "and run the same command again (what was answered is kept)"
        ) from error
