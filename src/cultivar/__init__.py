"""cultivar: verified training data for language-model agents and assistants, grown out of raw text.

The names below are the public interface for recipes; each comes from one module and is imported when first used, so
that ``import cultivar`` costs nothing. Stages (``cultivar.environments``, ``cultivar.export``, ...) and the fakes of
``cultivar.testing`` are imported by their own names.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "cultivar.core.dataset": ("Dataset",),
    "cultivar.core.errors": ("CultivarError", "InputError", "Unparsable", "UsageError"),
    "cultivar.core.protocols": ("Engine", "Environment", "Model"),
    "cultivar.core.records": (
        "Document",
        "EnvironmentSpec",
        "Instruction",
        "Message",
        "Preference",
        "Ranking",
        "Record",
        "Sample",
        "StepLabels",
        "Task",
        "Trajectory",
        "Turn",
        "Verdict",
    ),
    "cultivar.core.registry": ("recipe",),
    "cultivar.core.rundir": ("RunDirectory",),
    "cultivar.core.scope": ("Scope",),
}
_PLACE = {name: module for module, names in _PLACES.items() for name in names}

__all__ = sorted(_PLACE)


def __getattr__(name: str) -> Any:
    if name not in _PLACE:
        raise AttributeError(f"module 'cultivar' has no attribute {name!r}")
    return getattr(import_module(_PLACE[name]), name)
