"""datasketch over the same texts: run by a Python that has it, with cultivar's source on its path for the shingles."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cultivar.curate.duplicates import shingles, words_of

PERMUTATIONS = 128


def sketches(texts: list[str], bulk: bool) -> Iterator[Any]:
    """Begins with the texts, as cultivar does: the same words and shingles, by the same functions."""
    MinHash = importlib.import_module("datasketch").MinHash
    parts = ([part.encode() for part in shingles(words_of(text))] for text in texts)
    if bulk:
        yield from MinHash.generator(parts, num_perm=PERMUTATIONS)
        return
    for part in parts:
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch(part)
        yield sketch


def measure(texts: list[str], threshold: float, bulk: bool, bands: list[int] | None) -> dict[str, Any]:
    """CPU seconds, and for each text the kept text that it may duplicate, which is its sketch's word alone."""
    index = importlib.import_module("datasketch").MinHashLSH(
        threshold=threshold, num_perm=PERMUTATIONS, params=bands and tuple(bands)
    )
    found: dict[int, list[int]] = {}
    start = time.process_time()
    for at, sketch in enumerate(sketches(texts, bulk)):
        alike = index.query(sketch)
        if alike:
            found[at] = alike
        else:
            index.insert(at, sketch)
    return {"seconds": time.process_time() - start, "found": found, "bands": [index.b, index.r]}


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        datasketch = importlib.import_module("datasketch")
    except ImportError:
        print("RESULT " + json.dumps({"missing": "datasketch is not installed for " + sys.executable}))
        return
    answer = measure(job["texts"], job["threshold"], job["bulk"], job["bands"])
    print("RESULT " + json.dumps({**answer, "version": datasketch.__version__}))


if __name__ == "__main__":
    main()
