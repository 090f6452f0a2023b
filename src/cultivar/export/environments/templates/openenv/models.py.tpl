"""What client and server say to each other."""

from openenv.core.env_server.types import Action, Observation


class WorldsAction(Action):
    """One action, as a sentence. It may stand at the end of a longer reply, on a line that begins with ``Action:``."""

    text: str


class WorldsObservation(Observation):
    """``reward`` is 1 once the goal holds and 0 before. ``metadata["task"]`` is the id of the task; after a reset
    ``metadata["instruction"]`` says how an agent is told to reply."""

    text: str = ""
    valid: bool = True
    """Whether the action was done; False if it could not be read or done."""
    progress: float = 0.0
    """The largest share of the goal's conditions that held so far."""
