"""The model to begin with: its tokenizer and limits, looked at before anything large is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cultivar.core.errors import InputError, UsageError
from cultivar.core.extras import needed
from cultivar.train.rows import Rows
from cultivar.train.settings import Settings

NO_LIMIT = 10**9
"""Tokenizers without a limit give a number above this one as theirs."""


@dataclass(frozen=True)
class Base:
    """``limit`` is in tokens, None where the model has none; ``notes`` are sentences for the user."""

    tokenizer: Any
    limit: int | None
    notes: tuple[str, ...] = ()


def open_base(settings: Settings, rows: Rows) -> Base:
    """Raises UsageError that says what the model or its tokenizer lacks for these rows."""
    transformers = needed("transformers", "train")
    name = settings.base
    if (Path(name) / "adapter_config.json").is_file() and not (Path(name) / "config.json").is_file():
        raise UsageError(
            f"--base {name} holds adapters without the weights that they belong to; train them with --merge, or give "
            "a folder into which they were merged"
        )
    try:
        config = transformers.AutoConfig.from_pretrained(name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        why = str(error).strip().split("\n")[0]
        raise UsageError(
            f"--base {name} cannot be loaded ({why}); give a folder with config.json, weights and tokenizer, or the "
            "name of a model on the hub"
        ) from None
    if settings.chat_template:
        tokenizer.chat_template = _read(settings.chat_template)
    if "input_ids" in rows.columns:
        _check_tokens(rows, len(tokenizer), name)
    elif not tokenizer.chat_template:
        raise UsageError(
            f"--base {name} has no chat template, without which messages are no text; name a file with one: "
            "--chat-template FILE.jinja"
        )
    notes = _pad(tokenizer, name)
    known = getattr(config.get_text_config(), "max_position_embeddings", None)
    own = tokenizer.model_max_length
    limits = [limit for limit in (settings.max_length, known, own) if limit and limit < NO_LIMIT]
    if settings.max_length and known and settings.max_length > known:
        raise UsageError(f"--max-length {settings.max_length}: {name} reads {known} tokens; give at most so many")
    return Base(tokenizer, min(limits) if limits else None, notes)


def _read(template: str) -> str:
    try:
        return Path(template).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--chat-template {template} cannot be read: {error}") from None


def _pad(tokenizer: Any, name: str) -> tuple[str, ...]:
    """Says what stands in for a missing pad token (TRL takes the end token); raises UsageError if nothing can."""
    if tokenizer.pad_token is not None:
        return ()
    if tokenizer.eos_token is None:
        raise UsageError(
            f"--base {name}: its tokenizer has no pad token and no end token to fill short rows with; set one: "
            f'tokenizer.pad_token = "..."; tokenizer.save_pretrained({name!r})'
        )
    return (f"{name} has no pad token: short rows are filled with its end token {tokenizer.eos_token!r}, unlearned",)


def _check_tokens(rows: Rows, size: int, name: str) -> None:
    for number, row in enumerate(rows.rows, 1):
        if not 0 <= min(row["input_ids"]) <= max(row["input_ids"]) < size:
            raise UsageError(
                f"row {number} has the token {max(row['input_ids'])}, and the tokenizer of {name} has {size:,}: the "
                f"rows were written for another model; write them again with --masks --tokenizer {name}"
            )
