"""A tokenizer of words in plain Python, with as much of transformers' interface as rows with labels need.

It stands in where transformers is not installed; the same tests run over trained tokenizers where it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.export.families import FAMILIES, Family, template


@dataclass(frozen=True)
class Added:
    """An added token, as ``added_tokens_decoder`` has it."""

    text: str
    special: bool
    rstrip: bool = False
    lstrip: bool = False

    def __str__(self) -> str:
        return self.text


def refuse(message: str) -> None:
    raise TemplateError(message)


class Words:
    """A word with the space before it, a sign, or a run of white space is a token; added tokens come first."""

    is_fast = True

    def __init__(self, family: Family, chat_template: str) -> None:
        self.eos_token: str | None = family.eos or None
        self.pad_token: str | None = self.eos_token
        self.bos_token = family.bos
        self.model_max_length = 10**30
        self.chat_template: str | None = chat_template
        tokens = [
            *(Added(t, True, family.greedy) for t in family.special),
            *(Added(t, False) for t in family.added),
        ]
        self.added_tokens_decoder = dict(enumerate(tokens))
        self._ids: dict[str, int] = {str(token): number for number, token in enumerate(tokens)}
        added = "|".join(re.escape(token.text) + (r"\s*" if token.rstrip else "") for token in tokens)
        self._token = re.compile(rf"{added}| ?\w+|[^\w\s]|\s")
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
        environment.globals["raise_exception"] = refuse
        self._template = environment.from_string(chat_template)

    def apply_chat_template(
        self,
        messages: Sequence[Any],
        tools: Any = None,
        tokenize: bool = False,
        add_generation_prompt: bool = False,
    ) -> str:
        return self._template.render(
            messages=[{k: v for k, v in message.items() if v is not None} for message in messages],
            tools=tools,
            add_generation_prompt=add_generation_prompt,
            eos_token=self.eos_token,
            bos_token=self.bos_token,
        )

    def __call__(self, text: str, add_special_tokens: bool, return_offsets_mapping: bool) -> dict[str, list[Any]]:
        found = list(self._token.finditer(text))
        ids = [self._ids.setdefault(self._name(m.group()), len(self._ids)) for m in found]
        return {"input_ids": ids, "offset_mapping": [m.span() for m in found]}

    def _name(self, token: str) -> str:
        return token.rstrip() if token.rstrip() in self._ids else token


def words(name: str) -> Any:
    return Words(FAMILIES[name], template(name))


def trained_tokenizer(name: str, kind: str, *, exact: bool = False) -> Any:
    """A tokenizer of transformers, trained here on a few lines: "bytes" as Qwen and Llama 3 have it, "pieces" as Gemma
    and Mistral do (a mark for the space before a word, bytes for what is unknown).

    ``exact`` is one that tells the places of tokens with the spaces at their edges.
    """
    import tokenizers
    import transformers
    from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors, trainers

    family = FAMILIES[name]
    lines = [
        "You are of help. Open the door, please! Where is it? I think that the door is open.",
        '{"name": "open_door", "arguments": {"room": "hall", "times": 2}} user assistant system model tool',
        "Thought: I must walk.\nAction: walk to the hall.\n\nObservation: you are in the hall.\n  Naïve café 東京 🦩",
    ] * 4
    kinds: dict[str, Any] = {"special_tokens": [], "vocab_size": 600, "show_progress": False}
    if kind == "bytes":
        model = tokenizers.Tokenizer(models.BPE())
        model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.post_processor = processors.ByteLevel(trim_offsets=not exact)
        model.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **kinds)
    else:
        model = tokenizers.Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        model.normalizer = normalizers.Sequence([normalizers.Replace(" ", "▁")])
        kinds["special_tokens"] = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
        kinds["vocab_size"] = 900
        trainer = trainers.BpeTrainer(**kinds)
    model.train_from_iterator(lines, trainer)
    model.add_special_tokens(
        [AddedToken(t, special=True, rstrip=family.greedy, normalized=False) for t in family.special]
    )
    model.add_tokens([AddedToken(t, special=False, normalized=False) for t in family.added])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=model, eos_token=family.eos, pad_token=family.eos, bos_token=family.bos
    )
    fast.chat_template = template(name)
    return fast
