"""Evol-Instruct: instructions made harder, and rarer, over rounds, with elimination (WizardLM, arXiv 2304.12244).

seed -> (operator drawn -> child -> eliminated? -> answer -> eliminated?) x rounds
an eliminated child puts its parent back for the next round; a survivor takes its parent's place
rows: the seeds and the survivors of all rounds

Departures from the paper:
- Every chain goes through its rounds by itself; the paper takes the whole pool through round after round. Nothing
  crosses from one chain to another, so the rows are the same.
- The rules are tried in the order of what they cost, the answer is asked for last, and the first that applies counts.
- Eliminated too: a child that is cut off, refused or empty, repeats a prompt of its chain, adds more than three times
  the words that it was allowed, loses words of its parent (in depth), answers its parent, or lacks data of which it
  speaks (the equality judge may say so); an answer that is cut off, missing, or a short refusal.
- What models put around a rewrite (a preamble, a heading, a fence, quotes) is taken off before it is judged for leaked
  words; words of the template that the parent has are no leak.
- "Complicate input" draws one of eight kinds of data. Its examples, all prompts and the stop words are ours.
- Seeds are answered by the same model (``--seeds``); difficulty is judged on a sample of the chains (``--difficulty``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from cultivar.core.dataset import Dataset
from cultivar.core.errors import Dropped, Unparsable
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import JSON, Instruction
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope, together
from cultivar.evaluate.evolution import Chain, Step, describe, folded, sampled
from cultivar.verify.judge import framed, rate
from cultivar.verify.replies import apologises, bare, declines, fault, leaked, only_stop_words


@dataclass(frozen=True)
class Config:
    rounds: int = 4
    "Rounds of evolution (4 in the paper); a larger number continues a run."
    words: int = 20
    "Words that a rewrite may add, as the prompt says; three times as many are tolerated."
    seeds: Literal["answered", "reference", "none"] = "answered"
    """Whether seeds are rows too: answered by the model, with the reference of their row (answered where there is
    none), or not."""
    difficulty: int = 100
    "Chains whose prompts are judged for difficulty before and after each round; 0 for none, a larger number continues."
    temperature: float = 1.0
    "Of rewrites and answers; judges are asked at 0."
    top_p: float = 0.9
    "Of rewrites and answers."
    reply_tokens: int = 2048
    "Tokens of a rewrite or an answer at most."

    growing: ClassVar[tuple[str, ...]] = ("rounds", "difficulty")

    def __post_init__(self) -> None:
        within(self, {"rounds": 1, "words": 2, "difficulty": 0, "temperature": 0, "reply_tokens": 1})
        if not 0 < self.top_p <= 1:
            raise ValueError(f"--top-p {self.top_p}: give a number above 0, at most 1")

    @property
    def sampling(self) -> dict[str, JSON]:
        return {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.reply_tokens}


HEADERS = ("given prompt", "rewritten prompt", "created prompt")
"""The words of our templates that must not stand in a child."""

REWRITE = """\
You rewrite prompts. Make the one below somewhat harder for a strong chat assistant. It has to stay sensible: people \
understand it, and could answer it.

How: {method}

Tables, code and whatever else is given with it stay as they are. Stay brief: the rewrite is {least} to {words} words \
longer, not more. The words "given prompt" and "rewritten prompt" do not occur in it. Do not answer the prompt. Reply \
with the rewrite alone.

Given prompt:
<<<
{given}
>>>
Rewritten prompt:"""
CONSTRAINT = "put in one more constraint or requirement that an answer has to meet."
DEEPEN = "where it asks about some matter, ask further: into its depth, and into what lies beside it."
CONCRETISE = "put specific concepts in the place of general ones."
REASON = "if a few simple thoughts would solve it, ask explicitly for reasoning over several steps."
METHODS = {"constraint": CONSTRAINT, "deepen": DEEPEN, "concretise": CONCRETISE, "reason": REASON}

COMPLICATE = """\
You rewrite prompts so that they come with data. Keep the task of the prompt, and put {data} into it which an answer \
has to read and use: short, complete, true to its format, and needed for the answer. Outside the data add {least} to \
{words} words at most. The words "given prompt" and "rewritten prompt" do not occur in the rewrite. Do not answer the \
prompt. Reply with the rewrite alone.

Three examples, each with data of another kind.

Given prompt:
<<<
Which of my plants needs water first?
>>>
Rewritten prompt:
Which of my plants needs water first, and when? Their last watering and the days that each can go without, in JSON:
[{{"plant": "fern", "watered": "2024-05-02", "days": 3}}, {{"plant": "aloe", "watered": "2024-04-20", "days": 21}}, \
{{"plant": "basil", "watered": "2024-05-03", "days": 1}}]

Given prompt:
<<<
How do I find out who borrowed the most books?
>>>
Rewritten prompt:
Write a query that gives the three readers who borrowed the most books in 2023, and say what it returns for these rows.
CREATE TABLE loans (reader TEXT, book TEXT, taken DATE);
INSERT INTO loans VALUES ('Ada', 'Emma', '2023-02-11'), ('Ben', 'Dune', '2022-12-30'), ('Ada', 'Ulysses', '2023-07-01');

Given prompt:
<<<
Explain why a loop can run forever.
>>>
Rewritten prompt:
Explain for which values of n this loop runs forever, and mend it without another variable.
while n != 1:
    n = n // 2 if n % 2 == 0 else n + 2

Now this one, with {data}.

Given prompt:
<<<
{given}
>>>
Rewritten prompt:"""
DATA = "XML;a SQL table;Python code;an HTML page;a shell session;JSON;a mathematical formula;a table of figures"

BROADEN = """\
You invent prompts. Take the one below as inspiration for a brand-new prompt of the same field that is rarer: \
something that fewer people would think of asking. It is about as long and about as hard as the one below, and \
sensible: people understand it, and could answer it. The words "given prompt" and "created prompt" do not occur in it. \
Do not answer the prompt. Reply with the new one alone.

Given prompt:
<<<
{given}
>>>
Created prompt:"""

COMPARE = """\
Two prompts for a chat assistant stand between lines that carry the mark {mark}; nothing in them is said to you. Do \
they amount to the same?

Equal: they state the same constraints and requirements, and they ask for the same depth and breadth.
Not Equal: in one of these they differ.
No Request: the second one asks for nothing; it is an answer to the first, or a remark about it.
Incomplete: the second one speaks of code, a table or a text that should come with it, and does not hold it.

{material}

Reply with the verdict alone: Equal, Not Equal, No Request or Incomplete."""
HARD = """\
how hard it is to do well what the prompt asks for: the knowledge, the steps of reasoning and the care that it takes, \
not its length. 1 is what anybody does at once, 10 what experts have to work for"""

OPERATORS = (*METHODS, "complicate", "breadth")
SHORT = 80
"""Words that an answer has which may say "sorry"."""
MOST_DATA = 250
"""Words that a child with data may add."""
REASONS = {
    "no-gain": "a child asks for more, or for something else, than its parent (the equality judge says Not Equal)",
    "sorry": 'an answer that says "sorry" has 80 words at least',
    "stop-words": "an answer is more than punctuation and stop words",
    "leaked": "a child holds none of the words of the prompt's template",
    "unchanged": "a child repeats no prompt of its chain",
    "too-long": "a child adds at most three times the words that it was allowed (250 with data)",
    "too-short": "a child that is not in breadth has at most as many words less than its parent as it may add",
    "no-request": "a child asks for something, and does not answer its parent",
    "incomplete": "a child holds the code, table or text of which it speaks",
    "rewrite-refused": "the evolver does not refuse to rewrite",
    "rewrite-cut-off": "a rewrite ends by itself, not at its token limit",
    "rewrite-empty": "a rewrite has text",
    "answer-refused": "neither the endpoint refuses to answer nor an answer of fewer than 80 words",
    "answer-cut-off": "an answer ends by itself, not at its token limit",
    "answer-empty": "an answer has text",
    "unparsable": "the equality judge gives a verdict that can be read, of a rewrite that can be",
    "unreadable-score": "the judge of difficulty gives a number that can be read (the row stays)",
}
LIMITS = (
    "Nobody looked whether an answer is right: a row is kept if no rule of elimination applies to it.",
    'The rules on words ("sorry", stop words, remarks) know English alone; refusals are known in ten languages.',
    "Difficulty is what the judge says of a prompt that it sees alone, on a sample of the chains.",
    "Rows of different chains were not compared with each other: seeds that are alike may meet in their children, and "
    "the figures count those that are the same word for word.",
)


_ANSWER = re.compile(r"\W*(?:(?:(?:the|my|your) )?(?:answer|solution|response) ?(?:\W*:|is\b)|a\d?:\s)", re.IGNORECASE)
_OTHER = r"(?P<other>not[\s_-]*equal|unequal|not\s(?:\w+\s){1,2}equal|\w+n['’]t\s(?:\w+\s)?equal)"
_VERDICT = rf"{_OTHER}|(?P<none>no[\s_-]*request)|(?P<partial>incomplete)|(?P<same>equal)"
_SAID = re.compile(rf"\b(?:{_VERDICT})\b", re.IGNORECASE)
_ALONE = re.compile(
    rf"^[^\w\n]*(?:(?:(?:final|my) )?verdict[^\w\n]+)?(?:{_VERDICT})[^\w\n]*$", re.IGNORECASE | re.MULTILINE
)


VERDICTS = {"same": "no-gain", "none": "no-request", "partial": "incomplete"}


def read_verdict(reply: str) -> str:
    """Is the second prompt the "same", an "other", "none" or "partial"?

    What a line of its own says counts, or else what all of the reply says.
    """
    text = bare(reply)
    for pattern in (_ALONE, _SAID):
        found = {str(match.lastgroup) for match in pattern.finditer(text)}
        if len(found) == 1:
            return found.pop()
    raise Unparsable(
        "there is no single verdict; write Equal, Not Equal, No Request or Incomplete in a line of its own"
    )


def request(parent: str, operator: str, kind: str, config: Config) -> str:
    allowed = {"least": config.words // 2, "words": config.words, "given": parent}
    if operator == "breadth":
        return BROADEN.format(given=parent)
    if operator == "complicate":
        return COMPLICATE.format(data=kind, **allowed)
    return REWRITE.format(method=METHODS[operator], **allowed)


async def rewritten(pool: Sequence[str], operator: str, number: int, scope: Scope, config: Config) -> str:
    """A child of the last prompt of the pool; drops what the rules eliminate without an answer."""
    parent, kind = pool[-1], scope.rng("data", number).choice(DATA.split(";"))
    choice = await scope.ask("evolver", request(parent, operator, kind, config), **config.sampling)
    child = bare(choice.text, HEADERS)
    refused = "refused" if declines(child) and not declines(parent) else None
    if why := fault(choice) or refused or (None if child else "empty"):
        scope.drop(f"rewrite-{why}", child=choice.text)
    if word := leaked(child, [header for header in HEADERS if not leaked(parent, [header])]):
        scope.drop("leaked", child=child, words=word)
    if folded(child) in map(folded, pool):
        scope.drop("unchanged", child=child)
    most = max(MOST_DATA if operator == "complicate" else 0, 3 * config.words)
    if (more := len(child.split()) - len(parent.split())) > most:
        scope.drop("too-long", child=child, added=more)
    if operator != "breadth" and -more > config.words:
        scope.drop("too-short", child=child, lost=-more)
    if _ANSWER.match(child):
        scope.drop("no-request", child=child)
    mark, material = framed({"first prompt": parent, "second prompt": child})
    asked = COMPARE.format(mark=mark, material=material)
    try:
        verdict = await scope.ask("judge", asked, parse=read_verdict, temperature=0)
    except Unparsable as error:
        scope.drop(error.reason, child=child, message=str(error))
    if verdict != "other":
        scope.drop(VERDICTS[verdict], child=child)
    return child


async def answered(prompt: str, scope: Scope, config: Config) -> str:
    choice = await scope.ask("answerer", prompt, **config.sampling)
    if why := fault(choice):
        scope.drop(f"answer-{why}", child=prompt, answer=choice.text)
    if declines(choice.text) and len(choice.text.split()) < SHORT:
        scope.drop("answer-refused", child=prompt, answer=choice.text)
    if apologises(choice.text, SHORT):
        scope.drop("sorry", child=prompt, answer=choice.text)
    if only_stop_words(choice.text):
        scope.drop("stop-words", child=prompt, answer=choice.text)
    return choice.text


async def evolved(rows: Chain, scope: Scope, config: Config) -> None:
    """The seed through all rounds: the pool's last prompt is the one that evolves."""
    pool = [rows.seed.prompt]
    for number in range(1, config.rounds + 1):
        operator = scope.rng("operator", number).choice(OPERATORS)
        try:
            child = await rewritten(pool, operator, number, scope, config)
            answer = await answered(child, scope, config)
        except (Dropped, Unparsable) as lost:
            evidence = lost.evidence if isinstance(lost, Dropped) else {"message": str(lost)}
            scope.discard(lost.reason, round=number, operator=operator, parent=pool[-1], **evidence)
            rows.steps.append(Step(number, operator, pool[-1], "", lost.reason))
            continue
        rows.survived(Step(number, operator, pool[-1], child), answer)
        pool.append(child)


async def seeded(rows: Chain, scope: Scope, config: Config) -> dict[str, JSON]:
    """The seed as a row, if it is to be one; gives what is to be discarded, if its answer is none."""
    given = rows.seed.reference if config.seeds == "reference" else None
    try:
        if config.seeds != "none":
            rows.answered(given or await answered(rows.seed.prompt, scope, config))
    except Dropped as lost:
        return {"reason": lost.reason, "round": 0, **lost.evidence}
    return {}


async def chain(seed: Instruction, scope: Scope, config: Config) -> Chain:
    rows = Chain(seed)
    _, lost = await together(evolved(rows, scope, config), seeded(rows, scope, config))
    if lost:
        scope.discard(**lost)  # after what the rounds discarded, whoever ended first
    return rows


async def difficulty(prompt: Instruction, scope: Scope) -> tuple[str, float]:
    try:
        return prompt.prompt, await rate(scope, "judge", prompt.prompt, "", criteria=HARD, temperature=0)
    except Unparsable as error:
        scope.drop("unreadable-score", message=str(error))


@recipe("evol-instruct", paper="2304.12244", roles=("evolver", "judge", "answerer"))
async def run(engine: Engine, seeds: Iterable[Instruction], config: Config = Config()) -> Dataset:
    chains = await engine.map(chain, seeds, config)
    rated = await engine.map(difficulty, sampled(chains, config.difficulty))
    return replace(describe(chains, OPERATORS, dict(rated)), reasons=REASONS, limits=LIMITS)
