"""Tasks and trajectories as a roll-out leaves them, made up for what is measured."""

from __future__ import annotations

from collections.abc import Sequence

from cultivar.core.records import Task, Trajectory, Turn


def task(number: int, group: str = "blocks", conditions: int = 3) -> Task:
    return Task(environment="e", goal=f"goal {number}", meta={"group": group, "conditions": conditions})


def played(of: Task, progress: Sequence[float], *, start: float = 0.0, invalid: int = 0, ended: str = "") -> Trajectory:
    """``progress[k]`` is the best until step k; it was solved if that ends at 1."""
    solved = bool(progress) and progress[-1] == 1.0
    meta = {
        "ended": ended or ("solved" if solved else "steps"),
        "steps": len(progress),
        "invalid": invalid,
        "progress": list(progress),
        "start": start,
    }
    turns = (Turn("user", "go"), Turn("assistant", "Action: go"))
    return Trajectory(task=of.id, turns=turns, success=solved, reward=float(solved), meta=meta)
