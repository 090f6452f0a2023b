# The public names, for type checkers and editors: at run time each is imported when first used.

from cultivar.core.dataset import Dataset
from cultivar.core.errors import CultivarError, InputError, Unparsable, UsageError
from cultivar.core.protocols import Engine, Environment, Model
from cultivar.core.records import (
    Document,
    EnvironmentSpec,
    Instruction,
    Message,
    Preference,
    Ranking,
    Record,
    Sample,
    StepLabels,
    Task,
    Trajectory,
    Turn,
    Verdict,
)
from cultivar.core.registry import recipe
from cultivar.core.rundir import RunDirectory
from cultivar.core.scope import Scope

__version__: str
_PLACE: dict[str, str]

__all__ = [
    "CultivarError",
    "Dataset",
    "Document",
    "Engine",
    "Environment",
    "EnvironmentSpec",
    "InputError",
    "Instruction",
    "Message",
    "Model",
    "Preference",
    "Ranking",
    "Record",
    "RunDirectory",
    "Sample",
    "Scope",
    "StepLabels",
    "Task",
    "Trajectory",
    "Turn",
    "Unparsable",
    "UsageError",
    "Verdict",
    "recipe",
]
