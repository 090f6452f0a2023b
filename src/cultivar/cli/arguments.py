"""Parsing the command line: argparse, with errors of one sentence, and flags made of a recipe's Config."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cultivar.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from cultivar.core.registry import Recipe


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of printing a usage block and leaving the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs["allow_abbrev"] = False
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        found = re.match(r"argument (?:command|COMMAND): invalid choice: '(.*?)'", message)
        if found and self._subparsers is not None:
            known = [name for action in self._subparsers._group_actions for name in (action.choices or ())]
            raise UsageError(
                f"there is no command {found.group(1)!r}{did_you_mean(found.group(1), known)} "
                f"Commands: {', '.join(known)} (see: cultivar --help)"
            )
        choice = re.match(r"argument (\S+): invalid choice: (\S+) \(choose from (.*)\)", message)
        if choice:
            message = f"{choice.group(1)} {choice.group(2)}: choose {choice.group(3)}".replace("'", "")
        missing = re.match(r"the following arguments are required: (.*)", message)
        if missing:
            message = f"{missing.group(1)} is missing"
        raise UsageError(f"{message} (see: {self.prog} --help)")

    def parse_all(self, words: Sequence[str]) -> argparse.Namespace:
        """Like parse_args, but that an unknown flag gets the nearest known one."""
        found, rest = self.parse_known_args(words)
        if rest:
            chosen = self._chosen(getattr(found, "command", None))
            known = [name for action in chosen._actions for name in action.option_strings]
            word = rest[0].partition("=")[0]
            near = did_you_mean(word, known)
            raise UsageError(f"{chosen.prog} has no argument {word!r}{near} (see: {chosen.prog} --help)")
        return found

    def _chosen(self, command: str | None) -> argparse.ArgumentParser:
        for action in self._subparsers._group_actions if self._subparsers is not None else ():
            if action.choices and command in action.choices:
                found: argparse.ArgumentParser = dict(action.choices)[command]
                return found
        return self


def add_config_flags(parser: argparse.ArgumentParser, name: str, config: type[Any]) -> None:
    """One flag for each field of a Config, with its documentation and its default."""
    from cultivar.core.registry import options  # takes longer to import than all else that --help needs

    group = parser.add_argument_group(f"settings of {name}")
    for option in options(config):
        flag = f"--{option.name.replace('_', '-')}"
        help_text = f"{option.doc} (default: {option.default})".replace("%", "%%")
        if option.choices:
            group.add_argument(flag, choices=option.choices, default=None, help=help_text)
        elif isinstance(option.default, bool):
            group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=help_text)
        else:
            group.add_argument(
                flag, type=_reader(option.annotation, option.default), default=None, help=help_text, metavar="VALUE"
            )


def _reader(annotation: str, default: Any) -> Any:
    for kind in (int, float):
        if isinstance(default, kind):
            return kind
    if default is None:
        for kind in (int, float):
            if kind.__name__ in annotation:
                return kind
    return str


def config_of(recipe: Recipe, given: argparse.Namespace, stored: dict[str, Any] | None = None) -> Any:
    """The Config that the flags, or else the stored settings, or else the defaults, make."""
    from dataclasses import fields

    chosen = {k: v for k, v in (stored or {}).items() if k in {f.name for f in fields(recipe.config)}}
    for field in fields(recipe.config):
        value = getattr(given, field.name, None)
        if value is not None:
            chosen[field.name] = value
    try:
        return recipe.config(**chosen)
    except ValueError as error:
        raise UsageError(f"{error} (see: cultivar run {recipe.spec} --help)") from None
