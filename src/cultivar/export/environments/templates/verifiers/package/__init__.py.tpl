from __PACKAGE__.taskset import WorldsEnv, WorldsTaskset

__all__ = ["WorldsEnv", "WorldsTaskset"]
