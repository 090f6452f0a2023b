"""K-center, k-means and random selections of real rows: radius and Vendi score at equal size.

    python -m benchmarks.selection [--data ../shared/data] [--embedder words:512|minilm:] [--seeds 3]

The pool is that of LIMA and of the Self-Instruct seeds, prompt and answer embedded. K-center starts from ten random
rows. Each line is a mean over the seeds, the spread of the seeds behind it. A smaller radius covers better; "median
length" is that of the chosen rows in characters, beside that of the pool: a method that takes only odd rows shows here.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from cultivar.core.protocols import Model, Request
from cultivar.core.vectors import unpacked
from cultivar.curate.coverage import coverage
from cultivar.curate.distances import matrix
from cultivar.curate.select import central, k_center
from cultivar.llm.embedders import HashedWords, MiniLM
from cultivar.recipes.diverse_evol import Config, paired
from cultivar.sources.rows import read_rows

START = 10
SIZES = (50, 100, 200, 400)


async def embedded(model: Model, texts: list[str]) -> Any:
    replies = await asyncio.gather(*(model.complete(Request((), input=text)) for text in texts))
    await model.close()
    return matrix([unpacked(reply.text) for reply in replies])


def chosen(method: str, vectors: Any, size: int, rng: random.Random) -> list[int]:
    if method == "k-means":
        return central(vectors, size, rng)
    if method == "random":
        return rng.sample(range(len(vectors)), size)
    start = rng.sample(range(len(vectors)), START)
    return [*start, *k_center(vectors, size - START, start).picks]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--embedder", default="words:512")
    arguments.add_argument("--seeds", type=int, default=3)
    options = arguments.parse_args()
    files = [options.data / name for name in ("lima.jsonl", "self_instruct_seeds.jsonl")]
    if not all(path.is_file() for path in files):
        print(f"{options.data} does not hold {' and '.join(p.name for p in files)}; give --data")
        return 2
    pairs = [pair for row in chain(*map(read_rows, files)) if (pair := paired(row, Config())) is not None]
    texts = [f"{pair.prompt}\n\n{pair.reference}"[:2000] for pair in pairs]
    kind, _, size = options.embedder.partition(":")
    model: Model = MiniLM() if kind == "minilm" else HashedWords(int(size))
    vectors = asyncio.run(embedded(model, texts))
    print(f"{len(texts):,} rows, {model.name}; median length {statistics.median(map(len, texts)):,.0f}")
    print(f"{'rows':>5}  {'method':10}{'radius':>15}{'mean distance':>16}{'Vendi':>17}{'median length':>15}")
    for count in SIZES:
        for method in ("random", "k-means", "k-center"):
            picks = [chosen(method, vectors, count, random.Random(f"{method} {s}")) for s in range(options.seeds)]
            found = [coverage(vectors, rows) for rows in picks]
            lengths = statistics.mean(statistics.median(len(texts[at]) for at in rows) for rows in picks)
            cells = (told([getattr(one, name) for one in found]) for name in ("radius", "distance", "vendi"))
            print(
                f"{count:5}  {method:10}" + "".join(f"{cell:>16}" for cell in cells) + f"{lengths:15,.0f}", flush=True
            )
    return 0


def told(values: list[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} ±{spread:.3f}"


if __name__ == "__main__":
    sys.exit(main())
