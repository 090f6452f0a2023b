"""export --environments: a run's environments and tasks as a package of another library."""

from __future__ import annotations

import argparse
from pathlib import Path

from cultivar.cli.printing import print_json
from cultivar.core.errors import UsageError
from cultivar.core.rundir import RunDirectory

ROW_FLAGS = ("format", "masks", "tokenizer", "chat_template", "max_length", "loss_report")


def environments_command(given: argparse.Namespace) -> int:
    from cultivar.export.environments.package import export_environments

    for flag in ROW_FLAGS:
        if getattr(given, flag):
            raise UsageError(f"--{flag.replace('_', '-')} is for rows; leave it out with --environments")
    if not given.out:
        raise UsageError("--environments needs a folder to write to; give --out DIR")
    package = export_environments(RunDirectory(Path(given.run)).require(), given.environments, Path(given.out))
    if given.json:
        print_json(package.to_json())
    else:
        print(package.told())
    return 0
