"""What the numbers of a Config may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

Ranges: TypeAlias = Mapping[str, float | tuple[float, float]]
"""Field -> the least value, or a pair of least and most."""


def within(settings: object, ranges: Ranges) -> None:
    """Raises ValueError, in the words of the command line, for a field that is no number of its range.

    A field that is None was not given.
    """
    for name, given in ranges.items():
        least, most = given if isinstance(given, tuple) else (given, math.inf)
        value = getattr(settings, name)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            wanted = f"at least {least}" if most == math.inf else f"{least} to {most}"
            raise ValueError(f"--{name.replace('_', '-')} {value}: give {wanted}")
