"""Results of a map in the order of the items, whatever the order of arrival and however many there are.

The first few thousand stay in memory; what comes after goes to a file that has no name, beside the journal, so that a
run of a million items holds twelve bytes of each.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TypeVar, overload

from cultivar.core.errors import InputError

T = TypeVar("T")
HELD = 4096
"""Values that stay in memory."""


class Spool(Sequence[T]):
    """A sequence that is filled by number (``put``) or at its end (``append``), and read in the order of the numbers.

    A value that was written to the file comes back as a copy, made anew by each reading; what cannot be pickled stays
    in memory. Raises InputError where the disk refuses.
    """

    def __init__(self, folder: Path, *, held: int = HELD) -> None:
        self._folder, self._most = folder, held
        self._held: dict[int, T] = {}
        self._file: IO[bytes] | None = None
        self._end = 0
        self._at: array[int] = array("q")
        self._size: array[int] = array("I")
        self._order: array[int] | None = None
        self._next = 0

    def append(self, value: T) -> None:
        self.put(self._next, value)

    def put(self, number: int, value: T) -> None:
        self._order = None
        self._next = max(self._next, number + 1)
        if len(self._held) < self._most:
            self._held[number] = value
            return
        try:
            raw = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError):
            self._held[number] = value
            return
        missing = number + 1 - len(self._at)
        if missing > 0:
            self._at.extend([-1] * missing)
            self._size.extend([0] * missing)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=1 << 18)  # noqa: SIM115
            self._file.write(raw)
        except OSError as error:
            raise self._refused(error) from None
        self._at[number], self._size[number] = self._end, len(raw)
        self._end += len(raw)

    def remove(self, numbers: Iterable[int]) -> None:
        """Forgets the values of these numbers."""
        self._order = None
        for number in numbers:
            if self._held.pop(number, None) is None and number < len(self._at):
                self._at[number] = -1

    def numbered(self) -> Iterator[tuple[int, T]]:
        """(number, value), in the order of the numbers."""
        for number in self._sorted():
            yield number, self._get(number)

    def _sorted(self) -> array[int]:
        if self._order is None:
            filed = (n for n, at in enumerate(self._at) if at >= 0)
            self._order = array("q", sorted(array("q", [*self._held, *filed])) if self._held else filed)
            try:
                if self._file is not None:
                    self._file.flush()
            except OSError as error:
                raise self._refused(error) from None
        return self._order

    def _get(self, number: int) -> T:
        if number in self._held:
            return self._held[number]
        assert self._file is not None
        value: T = pickle.loads(os.pread(self._file.fileno(), self._size[number], self._at[number]))
        return value

    def _refused(self, error: OSError) -> InputError:
        return InputError(
            f"results cannot be kept in {self._folder}: {error.strerror}; make room and run the same command again "
            "(what was answered is kept)"
        )

    def __len__(self) -> int:
        return len(self._sorted())

    def __iter__(self) -> Iterator[T]:
        for number in self._sorted():
            yield self._get(number)

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> list[T]: ...

    def __getitem__(self, at: int | slice) -> T | list[T]:
        chosen = self._sorted()[at]
        return self._get(chosen) if isinstance(chosen, int) else [self._get(number) for number in chosen]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list | tuple | Spool):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self):,} values: {', '.join(repr(value) for value in self[:3])}{', ...' * (len(self) > 3)}>"
