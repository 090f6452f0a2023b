from __PACKAGE__.worlds import WORLDS, Worlds, progress, rows

__all__ = ["WORLDS", "Worlds", "progress", "rows"]
