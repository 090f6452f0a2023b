"""The client: one episode at a time over a WebSocket, which is a session of its own on the server."""

from typing import Any

from openenv.core import EnvClient
from openenv.core.client_types import StepResult
from openenv.core.env_server.types import State

from .models import WorldsAction, WorldsObservation


class WorldsClient(EnvClient[WorldsAction, WorldsObservation, State]):
    """``reset(task=ID)``, ``reset(split="train", index=N)`` or ``reset(seed=N)``; then ``step(WorldsAction(text=T))``."""

    def _step_payload(self, action: WorldsAction) -> dict[str, Any]:
        return {"text": action.text}

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[WorldsObservation]:
        reward, done = payload.get("reward"), payload.get("done", False)
        observation = WorldsObservation(**{**payload.get("observation", {}), "reward": reward, "done": done})
        return StepResult(observation=observation, reward=reward, done=done, metadata=payload.get("metadata"))

    def _parse_state(self, payload: dict[str, Any]) -> State:
        return State(**payload)
