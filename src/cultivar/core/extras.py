"""Packages that only some work needs: imported when it begins, so that everything else runs without them."""

from __future__ import annotations

import importlib
from typing import Any

from cultivar.core.errors import UsageError


def needed(module: str, extra: str) -> Any:
    """The module, imported; raises UsageError with the command that installs it where it is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise UsageError(
            f"this needs {module.split('.')[0]}, which is not installed; type: pip install 'cultivar[{extra}]'"
        ) from None
