"""Labels of tokens: how many are wrong, and what they cost.

    python -m benchmarks.masks                      plain tokenizers of words (nothing else is installed)
    PYTHONPATH=src PYTHON -m benchmarks.masks       with transformers: trained tokenizers as well

Every family of chat templates x every kind of conversation x every choice of flagged turns, each token's label against
the text put together by hand. The cost is a ratio against writing and tokenizing the same conversation once.
"""

from __future__ import annotations

import importlib.util
import time
from collections import Counter

from tests.export import test_masks as matrix
from tests.export.families import FAMILIES

from cultivar.cli.printing import table
from cultivar.export.chat import ChatTurn, Unwritable
from cultivar.export.masks import IGNORED, Masker

LENGTHS = (2, 15, 60)


def wrong(kinds: list[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for family, has in FAMILIES.items():
        conversations = tokens = labels = bad = refused = 0
        for name, chat, kind in matrix.MATRIX:
            if name != family or kind not in kinds:
                continue
            turns, tools = matrix.CHATS[chat], matrix.TOOLS if chat in matrix.NEEDS_TOOLS else []
            tokenizer = matrix.tokenizer_of(family, kind)
            exact = tokenizer if kind == "words" else matrix.tokenizer_of(family, kind, exact=True)
            for which in matrix.flags(turns):
                try:
                    found = Masker(tokenizer).masked(matrix.flagged(turns, which), tools, Counter())
                except Unwritable:
                    refused += 1
                    continue
                _, hand = matrix.by_hand(exact, has.pieces(matrix.plain(turns), tools), which)
                conversations += 1
                tokens += len(hand)
                labels += sum(label != IGNORED for label in hand)
                bad += sum(a != b for a, b in zip(found.labels, hand, strict=True))
        rows.append((family, f"{conversations:,}", f"{refused:,}", f"{tokens:,}", f"{labels:,}", f"{bad:,}"))
    return rows


def cost(kind: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for family in ("chatml", "qwen3", "harmony"):
        tokenizer = matrix.tokenizer_of(family, kind)
        for length in LENGTHS:
            seen = "you are in the hall, with the door open. " * 6
            said = [matrix.said("user", seen), matrix.said("assistant", "Thought: I must walk.\nAction: walk")] * length
            turns = [ChatTurn(turn.message, turn.message.role == "assistant") for turn in said]
            masker, messages = Masker(tokenizer), matrix.plain(tuple(turns))
            started = time.process_time()
            for _ in range(5):
                found = masker.masked(turns, [], Counter())
            middle = time.process_time()
            for _ in range(5):
                text = tokenizer.apply_chat_template(messages, tokenize=False)
                tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            ended = time.process_time()
            ratio = (middle - started) / (ended - middle)
            each = f"{(middle - started) / 5 * 1e3:.1f} ms"
            rows.append((family, str(length * 2), f"{len(found.input_ids):,}", each, f"{ratio:.1f}"))
    return rows


def main() -> None:
    kinds = list(matrix.KINDS) if importlib.util.find_spec("transformers") else ["words"]
    print(f"tokenizers: {', '.join(kinds)}\n")
    print(table(wrong(kinds), header=("family", "rows", "refused", "tokens", "with a label", "wrong")))
    print()
    print(table(cost(kinds[-2:][0]), header=("family", "turns", "tokens", "CPU a row", "times plain tokenizing")))


if __name__ == "__main__":
    main()
