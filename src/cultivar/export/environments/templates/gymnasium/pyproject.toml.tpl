[project]
name = "__NAME__"
version = "0.1.0"
description = "Planning tasks in synthesised worlds, as a Gymnasium environment."
requires-python = ">=3.11"
dependencies = ["cultivar>=__VERSION__", "gymnasium>=1.0,<2"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["__PACKAGE__"]
