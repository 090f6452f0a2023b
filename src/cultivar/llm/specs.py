"""Model specs: what stands after --model and --role.

openai:NAME@http://host:port/v1    any OpenAI-compatible endpoint
openai:NAME                        api.openai.com, or $OPENAI_BASE_URL
scripted:FILE                      replies from a file, for tests and demonstrations
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cultivar.core.errors import UsageError, did_you_mean
from cultivar.core.protocols import Model

SCHEMES = ("openai", "scripted")
FORM = "write openai:NAME@http://host:port/v1"


def open_model(spec: str, *, concurrency: int = 256, batches: Path = Path("batches")) -> Model:
    """The model that a spec names; raises UsageError for a spec that is none. Batches are noted in ``batches``."""
    scheme, colon, rest = spec.partition(":")
    if not colon or not rest:
        raise UsageError(f"{spec!r} names no model; {FORM}")
    if scheme == "scripted":
        from cultivar.testing import ScriptedModel

        return ScriptedModel.from_file(Path(rest))
    if scheme != "openai":
        raise UsageError(f"{spec!r}: there is no kind of model {scheme!r}{did_you_mean(scheme, SCHEMES)} {FORM}")
    name, _, url = rest.partition("@")
    url = url or os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or not name:
        raise UsageError(f"{spec!r}: {url!r} is no endpoint's URL; {FORM}")
    if parts.username or parts.password:
        raise UsageError(f"{parts.hostname}: keys do not go into a model's URL; export OPENAI_API_KEY instead")
    from cultivar.llm.client import ChatModel

    return ChatModel(name, url, concurrency=concurrency)


def open_models(
    model: str | None,
    roles: Sequence[str],
    known: Sequence[str],
    *,
    concurrency: int,
    batches: Path = Path("batches"),
) -> dict[str, Model]:
    """Role -> model (``*`` for every other role) from ``--model`` and ``--role NAME=SPEC``; equal specs are shared."""
    specs: dict[str, str] = {"*": model} if model else {}
    for given in roles:
        role, equals, spec = given.partition("=")
        if not equals:
            raise UsageError(f"--role {given!r}: write --role ROLE=openai:NAME@http://host:port/v1")
        if role not in known:
            raise UsageError(f"this recipe has no role {role!r}{did_you_mean(role, known)} Roles: {', '.join(known)}")
        specs[role] = spec
    opened = {spec: open_model(spec, concurrency=concurrency, batches=batches) for spec in sorted(set(specs.values()))}
    return {role: opened[spec] for role, spec in specs.items()}


def spec_names(models: Mapping[str, Model]) -> dict[str, str]:
    """Role -> the name that goes into run.toml: never a key."""
    return {role: model.name for role, model in models.items()}
