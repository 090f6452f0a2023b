"""ExpertPrompting: answers given under the identity of an expert whom the model imagines first (arXiv 2305.14688).

instruction -> identity of an expert for it (three demonstrations) -> answer under it -> echo of the identity removed
rows: instruction and answer; the identity is in meta alone

Departures from the paper:
- An identity is checked: one that does not speak to a "you", is generic, or is one of the demonstrations, is asked for
  again with the reason, and its row is dropped in the end. The paper takes any.
- Answers that are refused, cut off or empty are dropped, and so are those that speak as the expert beyond the opening.
- The demonstrations, the prompts and the rules for the echo are ours; the prompt asks for no introduction.
- Comparing (``--compare``) scores both answers in both orders and calls a disagreement a tie; lengths are shown beside
  the wins, because judges favour what is longer.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from cultivar.core.dataset import Dataset
from cultivar.core.errors import Unparsable
from cultivar.core.figures import Example, Histogram, Section, Table, Tile, turns_of
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import JSON, Instruction, Sample, Turn
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope
from cultivar.evaluate.pairs import Pair, section
from cultivar.verify.echo import in_a_voice, speaks_as, without_echo
from cultivar.verify.judge import compare
from cultivar.verify.replies import bare, declines, fault


@dataclass(frozen=True)
class Config:
    identity: Literal["expert", "static", "none"] = "expert"
    """Under what an answer is given: an identity imagined for the instruction, one fixed sentence for all, or nothing
    (the two baselines of the paper)."""
    compare: int = 0
    """Rows whose answer is judged against one that is given under nothing, in both orders (three more calls each; the
    paper compares 500); a larger number continues a run."""
    temperature: float | None = None
    "Of identities and answers; the endpoint's own if not given. The judge is asked at 0."
    reply_tokens: int = 2048
    "Tokens of an identity or an answer at most."
    repairs: int = 2
    "How often an identity may be asked for again."

    growing: ClassVar[tuple[str, ...]] = ("compare",)

    def __post_init__(self) -> None:
        within(self, {"compare": 0, "reply_tokens": 1, "repairs": 0, "temperature": 0})
        if self.compare and self.identity == "none":
            raise ValueError("--compare needs an identity to compare: give --identity expert or static")

    @property
    def sampling(self) -> dict[str, JSON]:
        given = {"temperature": self.temperature} if self.temperature is not None else {}
        return {**given, "max_tokens": self.reply_tokens}


IMAGINE = """\
Somebody is going to answer each of the instructions below. For each of them, the person who could do it best is \
described: what they know, what they have done, and how they go about it, as far as it matters for this very \
instruction. Three descriptions are there; write the one that is missing, for the last instruction alone. Speak to \
that person as "you", in one paragraph that begins with "You are". Be specific: a description that would fit another \
instruction as well is a bad one. Do not answer the instruction.

Instruction: Why does my bread come out flat although the dough rose well in the bowl?
Description: You are a baker who has run the oven of a village bakery for twenty years and now teaches beginners at \
home ovens. You have seen thousands of loaves collapse, and you tell over-proofed dough from slack shaping and from a \
cold stone by one look at the crumb. You ask yourself what happened between the bowl and the oven, name the likeliest \
cause first, and say how to check it with the next loaf.

Instruction: Write a SQL query that finds customers who bought in every month of last year.
Description: You are a database engineer who looks after the reporting of a large web shop. You have written \
hundreds of queries over orders by month, and you know where they break: months without a sale, time zones, customers \
who registered late. You count distinct months rather than rows, prefer a query that a colleague can read over a \
clever one, and say which columns you assume.

Instruction: Summarise the following paragraph on the Congress of Vienna in two sentences.
Description: You are a historian of nineteenth-century diplomacy who edits the entries of a school encyclopaedia. You \
know the Congress of Vienna from its protocols and letters, so that you see at once which of a paragraph's claims \
carry it. You keep names and dates that matter, drop the anecdotes, add no judgement that the text does not make, and \
never use a sentence more than you are given.

Instruction: {instruction}
Description:"""

UNDER = """\
{identity}

That is who you are. Answer the following instruction as this person would. Do not introduce yourself, and \
do not speak of your profession or your experience.

{instruction}"""

STATIC = "Imagine that you are an expert in the field that the instruction below belongs to."

REASONS = {
    "identity-person": 'an identity speaks to the expert, in a paragraph that begins with "You are"',
    "identity-length": "an identity has 15 to 300 words",
    "identity-generic": "an identity is that of an expert for this instruction, no assistant's, and no demonstration's",
    "unparsable": "the reply with an identity is whole: not refused, cut off or empty",
    "refused": "neither the endpoint nor the model refuses to answer",
    "cut-off": "an answer ends by itself, not at its token limit",
    "empty": "an answer has text",
    "echo": "an answer does not speak of being an expert beyond an opening that can be taken off",
    "vanilla-refused": "the answer to compare with is not refused (the row stays)",
    "vanilla-cut-off": "the answer to compare with ends by itself (the row stays)",
    "vanilla-empty": "the answer to compare with has text (the row stays)",
    "unreadable-score": "the judge gives scores that can be read (the row stays)",
}
SHOWN = 20
"""Openings that the report shows."""
LIMITS = (
    "Nobody looked whether an answer is right; an expert who is imagined may claim what is not so.",
    "Compared are rows alone: an answer under an identity that was dropped (a refusal, an echo) cost no win.",
    "Identities and echoes are recognised in English alone, refusals in ten languages.",
    "What an expert says of himself within an answer is found where it is said as experts say it, and not otherwise.",
)

_ASSISTANT = re.compile(
    r"you(?:['’]re| are) (?:an? )?(?:[\w-]+,? ){0,4}?(?:(?:helpful|knowledgeable|friendly|capable|intelligent|useful|"
    r"ai|virtual|digital|polite|honest) assistant\b|ai (?:model|system|chatbot)\b|chatbot\b|language model\b)",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"you(?:['’]re| are) (?:an? )?(?:[\w-]+,? ){0,4}?expert (?:in|on) (?:this|the|that|any|every|all|your|various|"
    r"many) (?:relevant |given )?(?:field|domain|subject|topic|area|matter)s?\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"(?:^|[:!]\s+)[\"“*_>\s]*(you(?:['’]re| are) )", re.IGNORECASE | re.MULTILINE)


def read_identity(reply: str) -> str:
    """One paragraph in the second person that is no assistant's; raises Unparsable with a key of ``REASONS``."""
    text = bare(reply, ("description",))
    if not (begins := _BEGINS.search(text)):
        raise Unparsable('the description does not begin with "You are"; speak to the person', "identity-person")
    text = " ".join(text[begins.start(1) :].partition("\nInstruction:")[0].split()).strip('"”*_')
    if not 15 <= (words := len(text.split())) <= 300:
        raise Unparsable(f"the description has {words} words; give one paragraph of 40 to 100", "identity-length")
    why = {
        "describe a person, no assistant": _ASSISTANT.match(text),
        "that would fit any instruction; describe the expert for this very one": _GENERIC.match(text),
        "that is an example's; describe the expert for the last instruction": text[:60] in IMAGINE,
    }
    for told, wrong in why.items():
        if wrong:
            raise Unparsable(told, "identity-generic")
    return text


async def expert(row: Instruction, scope: Scope, config: Config) -> Sample:
    """An answer under an identity, of which no message says anything."""
    identity = {"expert": "", "static": STATIC, "none": ""}[config.identity]
    if config.identity == "expert":
        asked = IMAGINE.format(instruction=row.prompt)
        try:
            identity = await scope.ask(
                "imaginer", asked, parse=read_identity, retries=config.repairs, **config.sampling
            )
        except Unparsable as error:
            scope.drop(error.reason, message=str(error))
    prompt = UNDER.format(identity=identity, instruction=row.prompt) if identity else row.prompt
    choice = await scope.ask("answerer", prompt, **config.sampling)
    if why := fault(choice) or ("refused" if declines(choice.text) else None):
        scope.drop(why, identity=identity, answer=choice.text)
    answer = choice.text.strip()
    if identity and not in_a_voice(row.prompt):
        answer = without_echo(without_echo(answer, identity), identity)
        if speaks_as(answer, identity):
            scope.drop("echo", identity=identity, answer=choice.text)
    messages = ({"role": "user", "content": row.prompt}, {"role": "assistant", "content": answer})
    opening = choice.text.strip()
    meta = {**row.meta, "identity": identity, "echo": opening[: len(opening) - len(answer)]}
    return Sample(messages=messages, parents=(row.id,), meta=meta)


async def compared(sample: Sample, scope: Scope, config: Config) -> Pair:
    """The answer against one to the bare instruction, by a judge that sees neither identity nor order."""
    prompt, answer = (str(message["content"]) for message in sample.messages)
    choice = await scope.ask("answerer", prompt, **config.sampling)
    if why := fault(choice):
        scope.drop(f"vanilla-{why}", answer=choice.text)
    try:
        found = await compare(scope, "judge", prompt, answer, choice.text, temperature=0)
    except Unparsable as error:
        scope.drop(error.reason, message=str(error))
    return Pair(found.winner, found.agreed, len(answer.split()), len(choice.text.split()))


def describe(samples: Sequence[Sample], pairs: Sequence[Pair], config: Config) -> Dataset:
    answers = [str(sample.messages[-1]["content"]) for sample in samples]
    echoes = [
        (str(sample.meta["echo"]).strip(), answer) for sample, answer in zip(samples, answers) if sample.meta["echo"]
    ]
    figures: list[Histogram | Table] = [Histogram.of("Words of an answer", [len(answer.split()) for answer in answers])]
    if echoes:
        figures.append(Table("Openings taken off", ("taken off", "what is left"), tuple(echoes[:SHOWN])))
    sections = [Section("Answers", tuple(figures))]
    if pairs:
        sections.append(section(pairs, f"{config.identity} identity", "no identity"))
    tiles = [Tile("answers", len(samples)), Tile("echoes taken off", len(echoes))]
    if config.identity == "expert":
        identities = {sample.meta["identity"] for sample in samples}
        tiles.append(Tile("identities", len(identities), "different ones; one for each answer at best"))
    return Dataset(samples, tiles, sections, [example(sample) for sample in samples[:3]], REASONS, LIMITS)


def example(sample: Sample) -> Example:
    turns = list(turns_of(sample))
    if sample.meta["identity"]:
        turns.insert(0, Turn("tool", str(sample.meta["identity"])))  # no role of the row's own
    return Example("An answer", tuple(turns), speakers={"tool": "Identity (in no row)"})


@recipe("expertprompting", paper="2305.14688", roles=("imaginer", "answerer", "judge"))
async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    samples = await engine.map(expert, rows, config)
    chosen = heapq.nsmallest(config.compare, samples, key=lambda sample: sample.id)  # an id is as good as a draw
    pairs = await engine.map(compared, chosen, config)
    return describe(samples, pairs, config)
