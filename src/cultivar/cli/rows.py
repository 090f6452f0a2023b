"""export: the rows that a trainer reads, and what they could not carry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cultivar.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from cultivar.export.masks import Masker
    from cultivar.export.rows import Exported


def add_export(commands: Any) -> argparse.ArgumentParser:
    export: argparse.ArgumentParser = commands.add_parser(
        "export", help="write a run's rows for a trainer", description="Exports rows."
    )
    export.add_argument("run", metavar="RUN")
    export.add_argument("--format", required=True, metavar="NAME", help="trl, trl-turns, openai or sharegpt")
    export.add_argument("--out", metavar="FILE", help="where to (default: RUN/NAME.jsonl)")
    add_row_flags(export)
    return export


def add_row_flags(parser: argparse.ArgumentParser) -> None:
    """What every command that writes rows takes."""
    masks = "write tokens with labels, so that exactly the marked turns are trained on (trl, trl-turns)"
    parser.add_argument("--masks", action="store_true", help=masks)
    parser.add_argument(
        "--tokenizer", metavar="PATH", help="with --masks: the folder or hub name of the model's tokenizer"
    )
    parser.add_argument(
        "--chat-template", metavar="FILE", help="with --masks: a chat template in place of the tokenizer's"
    )
    limit = "with --masks: the longest row in tokens (default: the tokenizer's own limit)"
    parser.add_argument("--max-length", type=int, metavar="N", help=limit)
    parser.add_argument(
        "--loss-report", metavar="FILE", help="where to write, as JSON, all that the rows could not carry"
    )


def export_command(given: argparse.Namespace) -> int:
    from cultivar.core.rundir import RunDirectory
    from cultivar.export.rows import export

    run = RunDirectory(Path(given.run)).require()
    out = Path(given.out) if given.out else run.path / f"{given.format}.jsonl"
    masker, notes = masker_of(given)
    return tell(given, export(run.path, given.format, out, masker=masker), notes)


def masker_of(given: argparse.Namespace) -> tuple[Masker | None, list[str]]:
    """What --masks asks for, with notes on its tokenizer; raises UsageError for flags that do not go together."""
    if not given.masks:
        for flag in ("tokenizer", "chat_template", "max_length"):
            if getattr(given, flag) is not None:
                raise UsageError(f"--{flag.replace('_', '-')} goes with --masks; add --masks")
        return None, []
    if not given.tokenizer:
        raise UsageError("--masks needs the tokenizer of the model that is to be trained; give --tokenizer PATH")
    if given.max_length is not None and given.max_length < 1:
        raise UsageError(f"--max-length {given.max_length}: give a number of tokens from 1")
    from cultivar.export.masks import Masker, load_tokenizer, pad_note

    template = None
    if given.chat_template:
        try:
            template = Path(given.chat_template).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--chat-template {given.chat_template} cannot be read: {error}") from None
    tokenizer = load_tokenizer(given.tokenizer, template)
    note = pad_note(tokenizer, given.tokenizer)
    return Masker(tokenizer, given.max_length), [note] if note else []


def tell(given: argparse.Namespace, result: Exported, notes: list[str]) -> int:
    """Prints what was written, and writes the loss report if one is asked for."""
    import orjson

    from cultivar.cli.printing import print_json
    from cultivar.core.files import write_whole

    if given.loss_report:
        report = orjson.dumps({**result.loss_report(), "notes": notes}, option=orjson.OPT_INDENT_2)
        write_whole(Path(given.loss_report), report.decode() + "\n")
    if given.json:
        print_json({**result.to_json(), "notes": notes} if notes else result.to_json())
    else:
        print("\n".join([result.told(), *notes]))
    return 0
