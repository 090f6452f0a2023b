"""Answer: one reply to each prompt, kept whole; the simplest recipe.

row -> prompt -> reply -> sample

There is no paper. Departures from asking in a loop: replies that are cut off, refused or empty are dropped with their
reason, and nothing that was answered is ever asked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cultivar.core.dataset import Dataset, Flat
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import JSON, Instruction, Sample
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope
from cultivar.verify.replies import fault


@dataclass(frozen=True)
class Config:
    system: str = ""
    "System prompt; empty for none."
    temperature: float | None = None
    "Sampling temperature; the endpoint's own if not given."
    reply_tokens: int | None = None
    "Tokens of a reply at most; the endpoint's own limit if not given."
    n: int = 1
    "Replies to each prompt."
    cut_off: bool = False
    "Keep replies that ended at their token limit."

    def __post_init__(self) -> None:
        within(self, {"n": 1, "reply_tokens": 1})


REASONS = {
    "cut-off": "a reply ends by itself, not at its token limit (--cut-off keeps such replies)",
    "refused": "the endpoint or the model did not refuse the request",
    "empty": "a reply has text",
    "no-reply-kept": "one reply of several is whole, at least",
}
LIMITS = ("Nobody looked whether an answer is right: a reply is kept if it is whole.",)


async def answer(row: Instruction, scope: Scope, config: Config) -> list[Sample]:
    """The replies to one prompt that are whole; what else the row held goes with each of them."""
    system = [{"role": "system", "content": config.system}] if config.system else []
    messages: list[JSON] = [*system, {"role": "user", "content": row.prompt}]
    sampling: dict[str, JSON] = {}
    if config.temperature is not None:
        sampling["temperature"] = config.temperature
    if config.reply_tokens is not None:
        sampling["max_tokens"] = config.reply_tokens
    samples: list[Sample] = []
    choices = await scope.ask("answerer", messages, n=config.n, **sampling)
    for choice in choices:
        reason = fault(choice, cut_off=config.cut_off)
        if reason is not None:
            if config.n == 1:
                scope.drop(reason, reply=choice.text, finish=choice.finish)
            scope.discard(reason, row, reply=choice.text, finish=choice.finish)
            continue
        meta = {**row.meta, **({"reasoning": choice.reasoning} if choice.reasoning else {})}
        spoken = (*messages, {"role": "assistant", "content": choice.text})
        samples.append(Sample(messages=spoken, parents=(row.id,), meta=meta))
    if not samples:
        scope.drop("no-reply-kept", replies=len(choices))
    return samples


@recipe("answer", roles=("answerer",))
async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    answered = await engine.map(answer, rows, config)
    return Dataset(Flat(answered), reasons=REASONS, limits=LIMITS)
