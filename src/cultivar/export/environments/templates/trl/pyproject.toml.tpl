[project]
name = "__NAME__"
version = "0.1.0"
description = "Planning tasks in synthesised worlds, for TRL's GRPOTrainer."
requires-python = ">=3.11"
dependencies = ["cultivar>=__VERSION__", "trl>=1.16,<2", "transformers>=5.13"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["__PACKAGE__"]
