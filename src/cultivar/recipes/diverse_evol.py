"""DiverseEvol: a small, diverse training set that a model chooses by its own embeddings (arXiv 2311.08182).

pool -> random first rows -> (train from the base model -> embed the pool -> K-center greedy picks) x rounds -> rows

Departures from the paper:
- Training is a command of the user's (``--train``), begun anew for each round. Without it the embedder stays as it is:
  the rounds then only grow one selection in one fixed space, which is K-center greedy and no self-evolution.
- The embedding is what the embedder's endpoint gives for prompt and answer; the paper takes the mean of the last hidden
  states of the model in training, over its own template, of at most 512 tokens (``--characters``).
- Nothing is trained on the last selection: that is left to whoever uses the rows. Nothing is evaluated.
- Of the baselines in the authors' code, entropy and Vendi are left out. Least confidence and margin are measured on a
  reply that is sampled at temperature 0 (geometric mean of its tokens' probabilities; mean gap of the two best tokens),
  not on logits. K-means takes the row nearest to each centre.
- Copies, and rows without an answer, leave the pool first. Rows that a round cannot embed cannot be picked in it.
- Each round is measured beside random selections of its size.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, TypeAlias

from cultivar.core.dataset import Dataset
from cultivar.core.errors import InputError, UsageError
from cultivar.core.extras import needed
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import JSON, Instruction, Sample
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope
from cultivar.curate.coverage import Compared, compared, selection
from cultivar.curate.distances import Vectors, matrix
from cultivar.curate.select import central, gaps_in_order, k_center
from cultivar.curate.uncertainty import confidence, margin
from cultivar.train.command import command_words, trained

Vector: TypeAlias = "array[float]"
ANSWERS = ("reference", "response", "output", "answer", "completion")
"""Where a row's answer is looked for if no key is named."""
INPUTS = ("input", "context")
"""What belongs to a row's prompt besides its instruction (Alpaca's and Dolly's name for it)."""
PROBED = 16
"""Rows that the student is asked about first; if it gives no log-probabilities, it is not asked about the rest."""
UNSURE = {"least-confidence": confidence, "margin": margin}


@dataclass(frozen=True)
class Config:
    first: int = 100
    "Rows drawn at random before the first round."
    rounds: int = 10
    "Rounds of growth; a larger number continues a run."
    growth: int = 100
    "Rows that each round adds."
    method: Literal["k-center", "random", "k-means", "least-confidence", "margin"] = "k-center"
    "How a round chooses: the paper's k-center, or one of the baselines that it is compared with."
    train: str = ""
    """Command that trains the base model on the rows chosen so far and prints the spec of what it made, such as
    "python train.py --data {rows} --name {name}"; that model embeds the pool for the next round. Without it the
    embedder stays as it is."""
    answer: str = ""
    "Key of a row's answer; the first of reference, response, output, answer, completion that it has if not given."
    characters: int = 2000
    "Characters of a row that are embedded, its prompt first."
    reply_tokens: int = 512
    "Tokens of the replies by which least-confidence and margin judge."

    growing: ClassVar[tuple[str, ...]] = ("rounds",)

    def __post_init__(self) -> None:
        within(self, dict.fromkeys(("first", "rounds", "growth", "characters", "reply_tokens"), 1))


REASONS = {
    "no-answer": "a row has an answer (--answer names its key)",
    "copy": "no row before it has the same prompt and answer",
    "no-direction": "the embedding is not zero throughout",
    "no-logprobs": "the reply comes with the log-probabilities that the method needs",
}
LIMITS = (
    "K-center takes what is unlike everything else: noise, foreign languages and broken rows first. Clean the pool.",
    "What is diverse is diverse to the embedder; coverage and Vendi score are measured by the embedder that chose.",
    "Nobody looked whether an answer is right, or whether a model learns more from these rows than from others.",
)
FIXED = "No model was trained between the rounds: they grew one selection in one space, which is not self-evolution."


@dataclass
class Grown:
    """``chosen`` holds round, rank and distance by the row's id, in the order of the picks; ``measured`` the coverage
    after each round, ``last`` the vectors in which the last one chose, and the numbers of all that is chosen."""

    chosen: dict[str, dict[str, JSON]]
    measured: list[Compared] = field(default_factory=list)
    last: tuple[Vectors, list[int]] | None = None


def paired(row: Instruction, config: Config) -> Instruction | None:
    """The row with its input in the prompt and its answer as the reference; None if it has no answer."""
    held: Mapping[str, JSON] = {"reference": row.reference, **row.meta}
    one = held.get("instances")
    if isinstance(one, list) and one and isinstance(one[0], dict):
        held = {**held, **one[0]}
    keys = (config.answer,) if config.answer else ANSWERS
    key = next((k for k in keys if isinstance(held.get(k), str) and held[k].strip()), None)
    if key is None:
        return None
    prompt = "\n\n".join([row.prompt, *(held[k] for k in INPUTS if isinstance(held.get(k), str) and held[k].strip())])
    meta = {k: v for k, v in row.meta.items() if k not in (key, *INPUTS, "instances", "messages")}
    return Instruction(prompt=prompt, reference=held[key], parents=(row.id,), meta=meta)


async def enter(row: Instruction, scope: Scope, config: Config) -> tuple[Instruction, Vector | None]:
    """The row as it stands in the pool, embedded unless a trained model will do that."""
    pair = paired(row, config)
    if pair is None:
        scope.drop("no-answer", keys=sorted(row.meta)[:20])
    return pair, None if config.train else (await embed(pair, scope, config))[1]


async def embed(pair: Instruction, scope: Scope, config: Config) -> tuple[str, Vector]:
    vector = await scope.embed("embedder", f"{pair.prompt}\n\n{pair.reference}"[: config.characters])
    if not any(vector):
        scope.drop("no-direction")
    return pair.id, array("f", vector)


async def unsure(pair: Instruction, scope: Scope, config: Config) -> tuple[str, float | None]:
    """How sure the student is of its own reply to the row, None if that is not to be told."""
    sampling: dict[str, JSON] = {"temperature": 0.0, "max_tokens": config.reply_tokens, "logprobs": True}
    reply = await scope.ask("student", pair.prompt, top_logprobs=2, **sampling)
    found = UNSURE[config.method](reply.logprobs)
    if found is None:
        scope.discard("no-logprobs", pair, reply=reply.text[:200], finish=reply.finish)
    return pair.id, found


async def sureness(engine: Engine, left: list[Instruction], config: Config, stage: str) -> dict[str, float | None]:
    """Of each row by its id; the least sure rows are picked."""
    found = list(await engine.map(unsure, left[:PROBED], config, stage=stage))
    if found and all(score is None for _, score in found):
        raise UsageError(
            f"--method {config.method}: the student's first {len(found)} replies came without the log-probabilities of "
            "their tokens; its endpoint has to answer logprobs and top_logprobs: give another, or another --method"
        )
    return dict([*found, *await engine.map(unsure, left[PROBED:], config, stage=stage)])


def picked(
    config: Config, space: Vectors, held: Sequence[int], scores: Sequence[float | None], rng: random.Random
) -> tuple[list[int], list[float | None]]:
    """What a round picks, and how far each pick was from all that was chosen before. Rows are numbers in ``space``."""
    if config.method == "k-center":
        grown = k_center(space, config.growth, held)
        return grown.picks, list(grown.distances)
    free = sorted(set(range(len(space))) - set(held))
    if config.method == "k-means":
        picks = central(space, config.growth, rng, held)
    elif config.method == "random":
        picks = rng.sample(free, min(config.growth, len(free)))
    else:
        ranked = sorted((score, at) for at in free if (score := scores[at]) is not None)
        picks = [at for _, at in ranked[: config.growth]]
    return picks, gaps_in_order(space, picks, held)


async def evolve(
    engine: Engine, pool: Mapping[str, Instruction], vectors: Mapping[str, Vector], config: Config
) -> Grown:
    """The rounds: what is chosen out of ``pool`` (by id), in the order in which it was."""
    names = [] if engine.stopping else engine.rng("first").sample(list(pool), min(config.first, len(pool)))
    found = Grown({name: {"round": 0, "rank": rank, "distance": None} for rank, name in enumerate(names, 1)})
    scores: dict[str, float | None] = {}
    for number in range(1, config.rounds + 1):
        if len(found.chosen) == len(pool):
            break
        learner = engine
        if config.train and not engine.stopping:
            lessons = [{"messages": list(sample(pool[name]).messages)} for name in found.chosen]
            stage = f"train-{number}"
            spec = await engine.once(stage, trained, config.train, lessons, str(engine.folder), stage)
            learner = engine.using(embedder=spec, student=spec)
            vectors = dict(await learner.map(embed, list(pool.values()), config, stage=f"embed-{number}"))
        if config.method in UNSURE and (config.train or number == 1):
            left = [pair for name, pair in pool.items() if name not in found.chosen]
            scores = await sureness(learner, left, config, f"unsure-{number}")
        names = [name for name in pool if name in vectors]
        held = [at for at, name in enumerate(names) if name in found.chosen]
        if engine.stopping or not held:
            break  # what a round chooses depends on all of the pool: a part of it is not enough
        space, known = stacked([vectors[name] for name in names]), [scores.get(name) for name in names]
        if number == 1:
            found.measured.append(compared(space, held, engine.rng("random", 0)))
        picks, apart = picked(config, space, held, known, engine.rng("round", number))
        for at, gap in zip(picks, apart, strict=True):
            told = None if gap is None else round(gap, 6)
            found.chosen[names[at]] = {"round": number, "rank": len(found.chosen) + 1, "distance": told}
        found.measured.append(compared(space, held + picks, engine.rng("random", number)))
        found.last = (space, held + picks)
    return found


def stacked(vectors: Sequence[Vector]) -> Vectors:
    try:
        return matrix(vectors)
    except ValueError as error:
        raise InputError(f"the embedder's vectors cannot be compared: {error}") from None


def sample(pair: Instruction, **meta: JSON) -> Sample:
    messages = ({"role": "user", "content": pair.prompt}, {"role": "assistant", "content": pair.reference})
    return Sample(messages=messages, parents=pair.parents, meta={**pair.meta, **meta})


@recipe("diverse-evol", paper="2311.08182", roles=("embedder", "student"), whole=True)
async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    needed("numpy", "curate")  # before anything is paid for
    if config.train:
        command_words(config.train)
    elif config.method in UNSURE and not engine.has_model("student"):
        raise UsageError(
            f"--method {config.method} asks the student; add --role student=openai:NAME@http://host:port/v1"
        )
    pool: dict[str, Instruction] = {}
    vectors: dict[str, Vector] = {}
    for pair, vector in await engine.map(enter, rows, config, stage="pool"):
        if pool.setdefault(pair.id, pair) is not pair:
            engine.discard("copy", pair)
        if vector is not None:
            vectors[pair.id] = vector
    found = await evolve(engine, pool, vectors, config)
    records = [sample(pool[name], **told) for name, told in found.chosen.items()]
    report = selection(records, list(pool.values()), found.measured, found.last, config.method)
    limits = LIMITS + (() if config.train else (FIXED,))
    return replace(report, reasons=REASONS, limits=limits, tags=("data-selection",))
