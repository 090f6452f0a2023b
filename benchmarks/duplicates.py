"""Near-duplicates among short documents: seconds and recall, beside datasketch (MinHash and MinHashLSH).

    python -m benchmarks.duplicates [--reference PYTHON] [--documents 100000]

A tenth of the documents are copies of an earlier one: other case, other order of sentences, one word replaced, one word
dropped. All begin with the texts and make the same shingles of them; seconds are CPU seconds of one process. cultivar's
include the comparison of each candidate by its shingles, which datasketch does not do: what its sketches and bands say
is taken for a duplicate. Recall is over the copies whose true similarity reaches the threshold, the same for all; false
is what is named a duplicate of a text to which its true similarity is below the threshold, without the rule for texts
that one word tells apart.

``--reference`` names a Python that has ``datasketch`` (development-only; by default the running one), for example

    python3 -m venv refs && refs/bin/pip install datasketch numpy
    python -m benchmarks.duplicates --reference refs/bin/python

datasketch is measured in three ways: text by text, with its bulk sketches, and in bulk with our bands, for its own miss
most pairs near the threshold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cultivar.curate.duplicates import NEAR, banding, near_duplicates, similarity

BAR = 3.0
SOURCE = Path(__file__).resolve().parents[1] / "src"
WAYS: dict[str, tuple[bool, bool]] = {
    "datasketch, text by text": (False, False),
    "datasketch, bulk": (True, False),
    "datasketch, bulk, our bands": (True, True),
}
"""Name -> (bulk, our bands)."""


def documents(count: int) -> tuple[list[str], dict[int, int]]:
    """Texts of one to three sentences of 5 to 15 words (20 on average), and which is a copy of which."""
    rng = random.Random(4)
    vocabulary = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(30_000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    words = iter(rng.choices(vocabulary, weights, k=count * 50))
    texts: list[str] = []
    copies: dict[int, int] = {}
    for at in range(count):
        if at > 100 and rng.random() < 0.1:
            of = rng.randrange(at)
            while of in copies:
                of = rng.randrange(at)
            copies[at] = of
            texts.append(edited(texts[of], rng, next(words)))
        else:
            lengths = [rng.randint(5, 15) for _ in range(rng.randint(1, 3))]
            texts.append(" ".join(" ".join(next(words) for _ in range(n)).capitalize() + "." for n in lengths))
    return texts, copies


def edited(text: str, rng: random.Random, word: str) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return text.upper()
    if kind == 1:
        sentences = text.split(". ")
        return ". ".join([sentences[-1].rstrip("."), *sentences[:-1]]) + "."
    words = text.split(" ")
    at = rng.randrange(len(words))
    return " ".join(words[:at] + ([word] if kind == 2 else []) + words[at + 1 :])


def ours(texts: list[str]) -> tuple[float, dict[int, list[int]]]:
    start = time.process_time()
    found = list(near_duplicates(texts, one_word=False))
    seconds = time.process_time() - start
    return seconds, {at: [finding.evidence["of"]] for at, finding in enumerate(found) if finding}


def reference(python: str, texts: list[str], bulk: bool, our_bands: bool) -> dict[str, Any]:
    bands = list(banding(NEAR)) if our_bands else None
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps({"texts": texts, "threshold": NEAR, "bulk": bulk, "bands": bands}), "utf-8")
        script = str(Path(__file__).with_name("_duplicates_reference.py"))
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [python, script, str(job)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False, env=environment)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            answer: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
            return answer
    return {"missing": f"{python} ended without an answer: {done.stderr.strip()[-200:]}"}


def told(name: str, seconds: float, found: dict[int, list[int]], texts: list[str], copies: dict[int, int]) -> None:
    due = [at for at, of in copies.items() if similarity(texts[at], texts[of]) >= NEAR]
    recall = sum(copies[at] in found.get(at, ()) for at in due) / len(due)
    false = sum(max(similarity(texts[at], texts[of]) for of in alike) < NEAR for at, alike in found.items())
    rate = len(texts) / seconds
    print(f"{name:30}{seconds:9.2f} s{rate:10,.0f} texts/s   recall {recall:.4f} of {len(due):,}   false {false:,}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reference", default=sys.executable, metavar="PYTHON", help="a Python that has datasketch")
    parser.add_argument("--documents", type=int, default=100_000)
    options = parser.parse_args()
    texts, copies = documents(options.documents)
    seconds, found = ours(texts)
    told("cultivar", seconds, found, texts, copies)
    ratios = {}
    for name, (bulk, our_bands) in WAYS.items():
        answer = reference(options.reference, texts, bulk, our_bands)
        if "missing" in answer:
            print(f"skipped: {answer['missing']}")
            return 0
        told(name, answer["seconds"], {int(at): of for at, of in answer["found"].items()}, texts, copies)
        ratios[name] = answer["seconds"] / seconds
    print()
    for name, ratio in ratios.items():
        print(f"{name} / cultivar: x{ratio:.2f}; bar x{BAR:g}: {'met' if ratio >= BAR else 'MISSED'}")
    return 0 if ratios["datasketch, text by text"] >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
