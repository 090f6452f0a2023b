"""Importing this registers the environment ``__PACKAGE__/Worlds-v0``."""

import gymnasium

from __PACKAGE__.worlds import WORLDS, Worlds

__all__ = ["WORLDS", "Worlds"]

gymnasium.register("__PACKAGE__/Worlds-v0", entry_point="__PACKAGE__.worlds:Worlds")
