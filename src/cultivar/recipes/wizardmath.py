"""WizardMath (RLEIF): math problems evolved up and down, and rows for reward models (arXiv 2308.09583).

seed -> solve ; then for each round: problem -> versions (harder | easier) -> rank -> the best one -> solve
solve: several solutions -> do their answers agree? -> sample, preference -> label each step of a right and a wrong one

Rankings of versions train an instruction reward model, labelled steps a process reward model; the export writes both in
the formats of reward trainers. A seed's solutions are held against its reference where it has one.

Departures from the paper:
- It stops at the data: the paper trains both reward models and then a policy by PPO on their product.
- A solution is kept if its answer is that of most solutions (or of the reference); the paper checks the answers of the
  original problems alone, and leaves evolved ones to the reward models.
- A version that is not solved in agreement is evolved no further; the next round starts from the last one that was.
- 3 rounds of evolution where the paper has 8 (``--rounds``). Each draws one of the five operators; of its versions the
  best ranked goes on.
- The judge ranks in two orders, one the other's reverse, and versions between which the order decides are not told
  apart; the paper ranks once, with its own evolution model.
- Versions come from the evolver, and from others only if models are given for them by name (``evolver-2``); the paper
  always takes two.
- The labeller is told the answer that was agreed on, and a solution that ends otherwise with no step labelled incorrect
  is thrown away; the paper takes the labels as they come.
- Solutions without a stated last line have no vote, so nothing is learned from what was cut off.
- The paper's 1,500 open conversations and its few-shot examples are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from cultivar.core.dataset import Dataset, Flat
from cultivar.core.errors import Unparsable
from cultivar.core.extras import needed
from cultivar.core.figures import Example, Section, Table, Tile, turns_of
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import JSON, Instruction, Preference, Ranking, Record, Sample, StepLabels
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope, together
from cultivar.verify.consensus import agreement_bars
from cultivar.verify.math import final_answer, reference_answer, tally
from cultivar.verify.ranking import MOST, rank
from cultivar.verify.replies import bare, declines, fault
from cultivar.verify.steps import REASONS as STEP_REASONS
from cultivar.verify.steps import figures_of, label_steps, steps_of


@dataclass(frozen=True)
class Config:
    rounds: int = 3
    "Rounds of evolution of each problem; the paper uses 8."
    versions: int = 3
    "Versions of a problem that each evolver writes in a round, 1 to 4 (the paper: 2 to 4); 1 of one leaves no ranking."
    solutions: int = 5
    "Solutions sampled for each problem, 2 to 32."
    agreement: float = 0.6
    "Least share of the solutions that must give the same answer."
    labelled: int = 2
    "Solutions of each problem whose steps are labelled: one that is right first, then wrong ones; 0 for none."
    answers: str = "answer"
    "The key of a row's reference answer, a bare one or a worked solution, where it is not called reference."
    temperature: float = 0.8
    "Of versions and solutions, which must differ; judge and labeller are asked at 0."

    def __post_init__(self) -> None:
        within(self, {**RANGES, "temperature": (0, 5)})


TITLE = re.compile(r"\A(?:#{1,6} |\*\*)[^\n\d.?!*]{1,80}(?:\*\*)?\n\s*\n")
SOLVED = re.compile(r"####|\\boxed|^\W{0,4}(?:answer|solution)\W{0,2}[:=]", re.IGNORECASE | re.MULTILINE)
RANGES = {"rounds": (0, 64), "versions": (1, 4), "solutions": (2, 32), "labelled": (0, 32), "agreement": (0.01, 1)}

EVOLVE = """\
Write a math problem in place of the one below: {how} It must stand on its own, give everything that is needed to \
solve it, contradict itself nowhere, and have exactly one answer that can be written in one line. Use the language of \
the problem below. Reply with the text of the new problem alone: no heading, no remark, no solution and no answer.

The problem below:
{problem}"""

CONSTRAIN = "a harder one about the same situation, with one or two further conditions that change how it is solved."
CONCRETISE = """\
a harder one, in which particular people, things, quantities and circumstances take the place of what is said in \
general."""
REASON = "a harder one, whose answer needs more steps, each building on the one before; no mere padding."
SIMPLIFY = "an easier one about the same situation, with smaller numbers or fewer steps."
CHANGE = "an easier one about an altogether different topic, that needs other mathematics."
OPERATORS = {
    "add constraints": ("up", CONSTRAIN),
    "concretise": ("up", CONCRETISE),
    "increase reasoning": ("up", REASON),
    "simplify": ("down", SIMPLIFY),
    "change topic": ("down", CHANGE),
}
"""Operator -> the line of evolution, and what is asked for."""

SOLVE = """\
Solve this math problem. Write one step to a line: a calculation or a conclusion, in a full sentence, no headings. \
End with one line that holds #### and the final answer alone (a number or an expression, in the unit that the problem \
asks for, no words around it).

{problem}"""

CRITERIA = """\
first definition (all that is needed is given, and nothing contradicts itself); then precision (every quantity, unit \
and question is said exactly and can be read in one way only); then integrity (it is one whole problem that can be \
solved, does what was asked for, and does not give its answer away)."""

REASONS = STEP_REASONS | {
    "no-version": "one version, at least, is a problem: whole, not the one before, without its solution",
    "unranked": "the judge ranks every version",
    "order-decides": "the judge tells two versions apart, at least, in whichever order it reads them",
    "no-agreement": "enough solutions state the same answer (--agreement), and no other answer has as many",
    "reference-missed": "one of the sampled solutions, at least, ends with the reference answer",
    "no-step-is-wrong": "a solution with a wrong answer has a step that is labelled incorrect",
}
LIMITS = (
    "Agreement is no proof: solutions of one model can agree on a wrong answer, and do so most where it is weakest.",
    "Rankings and labels of steps are a model's opinion; a right answer with an incorrect step is kept as it is.",
    "No row was compared with a benchmark's problems: do that before training (cultivar.curate.decontaminate).",
)


@dataclass
class Grown:
    """What one seed gave: its rows, and of every problem that was solved its line, operator, votes and fate."""

    seed: str
    rows: list[Record] = field(default_factory=list)
    tried: list[dict[str, JSON]] = field(default_factory=list)

    def records(self) -> list[Record]:
        return self.rows


def read_problem(reply: str, parent: str) -> str:
    text = bare(reply, ("problem", "new problem", "new math problem", "math problem"))
    text = TITLE.sub("", text, count=1).strip()
    if declines(text) or text[:1] in ("{", "[") or not 20 <= len(text) <= 4000:
        raise Unparsable("that is no math problem of 20 to 4,000 characters")
    if SOLVED.search(text):
        raise Unparsable("the problem comes with its solution; write the problem alone")
    if text.casefold().split() == parent.casefold().split():
        raise Unparsable("that is the problem as it was; write another one")
    return text


async def evolve(origin: JSON, scope: Scope, config: Config, roles: Sequence[str], grown: Grown) -> str | None:
    """The version that is ranked best; the ranking becomes a row where the judge told versions apart."""
    old, (_, how) = origin["parent"], OPERATORS[origin["operator"]]
    request, read = EVOLVE.format(problem=old, how=how), partial(read_problem, parent=old)
    written: list[str] = []
    for role in roles:
        try:
            written += await scope.ask(role, request, parse=read, n=config.versions, temperature=config.temperature)
        except Unparsable as error:
            scope.discard("no-version", old, role=role, message=str(error))
    versions = list(dict.fromkeys(written))[:MOST]
    if len(versions) < 2:
        return versions[0] if versions else None
    try:
        ranked = await rank(scope, "judge", request, versions, criteria=CRITERIA, temperature=0.0)
    except Unparsable as error:
        scope.discard("unranked", versions, message=str(error))
        return versions[0]
    if len(ranked.apart) < 2:
        scope.discard("order-decides", versions)
    else:
        best_first = tuple(versions[index] for index in ranked.apart)
        grown.rows.append(Ranking(prompt=request, ranked=best_first, parents=(grown.seed,), meta=origin))
    return versions[ranked.order[0]]


async def solve(problem: Instruction, origin: JSON, scope: Scope, config: Config, grown: Grown) -> bool:
    """Rows from sampled solutions; whether enough of them agree (or one reaches the reference)."""
    ask = SOLVE.format(problem=problem.prompt)
    choices = await scope.ask("solver", ask, n=config.solutions, temperature=config.temperature)
    texts = [choice.text.strip() for choice in choices]
    answers = [None if fault(choice) else final_answer(choice.text, guess=False) for choice in choices]
    found = await scope.once("tally", tally, answers, problem.reference, config.agreement)
    right = [texts[k] for k in found["right"]]
    grown.tried.append({**origin, "votes": found["votes"], "kept": bool(right)})
    if not right:
        reason = "no-agreement" if problem.reference is None else "reference-missed"
        scope.discard(reason, problem, answers=answers, **origin)
        if problem.reference is None:
            return False
    wrong = [texts[k] for k in found["wrong"]]
    told: JSON = {"parents": (grown.seed,), "meta": {**origin, "answer": found["answer"], "votes": len(right)}}
    if right:
        asked, said = {"role": "user", "content": problem.prompt}, {"role": "assistant", "content": right[0]}
        grown.rows.append(Sample(messages=(asked, said), **told))
    if right and wrong:
        grown.rows.append(Preference(prompt=problem.prompt, chosen=right[0], rejected=wrong[0], **told))
    chosen = list(dict.fromkeys(right[:1] + wrong))[: config.labelled]
    work = (label(problem, text, text in right, told, scope.child(f"label-{k}")) for k, text in enumerate(chosen))
    grown.rows += [record for record in await together(*work) if record is not None]
    return bool(right)


async def label(problem: Instruction, text: str, right: bool, told: JSON, scope: Scope) -> StepLabels | None:
    """The labelled steps of a solution; None where they cannot be had, or cannot be true."""
    steps, answer = steps_of(text), told["meta"]["answer"]
    try:
        labels = await label_steps(scope, "labeller", problem.prompt, steps, answer, temperature=0.0)
    except Unparsable as error:
        scope.discard(error.reason, text, message=str(error))
        return None
    if not right and all(labels):
        scope.discard("no-step-is-wrong", text, answer=answer)
        return None
    meta = {**told["meta"], "right": right}
    return StepLabels(prompt=problem.prompt, steps=steps, labels=labels, parents=told["parents"], meta=meta)


async def grow(seed: Instruction, scope: Scope, config: Config, roles: Sequence[str]) -> Grown:
    """One seed: itself, then a problem for each round, each evolved from the last one that was solved."""
    grown, parent = Grown(seed.id), seed.prompt
    answer = seed.reference or seed.meta.get(config.answers)
    known = Instruction(prompt=seed.prompt, reference=reference_answer(str(answer)) if answer else None)
    await solve(known, {"line": "seed", "operator": "", "round": 0}, scope.child("seed"), config, grown)
    for number in range(1, config.rounds + 1):
        branch = scope.child(f"round-{number}")
        operator = branch.rng("operator").choice(list(OPERATORS))
        origin = {"line": OPERATORS[operator][0], "operator": operator, "round": number, "parent": parent}
        version = await evolve(origin, branch, config, roles, grown)
        if version is not None and await solve(Instruction(prompt=version), origin, branch, config, grown):
            parent = version
    return grown


@recipe("wizardmath", paper="2308.09583", roles=("evolver", "evolver-*", "judge", "solver", "labeller"))
async def run(engine: Engine, problems: Iterable[Instruction], config: Config = Config()) -> Dataset:
    needed("math_verify", "math")  # before the first call is paid for
    evolvers = ("evolver", *(role for role in engine.roles if role.startswith("evolver-")))
    return describe(await engine.map(grow, problems, config, evolvers), config)


def describe(grown: Sequence[Grown], config: Config) -> Dataset:
    records = Flat([each.rows for each in grown])
    tried = [problem for each in grown for problem in each.tried]
    good = [problem for problem in tried if problem["kept"]]
    posed, kept = (Counter((p["line"], p["operator"] or "-") for p in some) for some in (tried, good))
    rows = tuple((*key, posed[key], kept[key]) for key in sorted(posed))
    lines, asked = Counter(p["line"] for p in good), max(1, len(tried) * config.solutions)
    shares = f"{lines['seed']:,} seeds, {lines['up']:,} up, {lines['down']:,} down, of {len(tried):,} sampled"
    agree = f"{100 * sum(p['votes'] for p in tried) / asked:.0f} %"
    tiles = (Tile("problems", len(good), shares), Tile("agreement", agree, "solutions with the most frequent answer"))
    table = Table("Problems by line", ("line", "operator", "sampled", "kept"), rows)
    sections = (
        Section("Difficulty line", (table,), "Harder (up) or easier is what was asked for; nobody measured it."),
        Section("Agreement", (agreement_bars((p["votes"] for p in tried), config.solutions),)),
        Section("Steps", figures_of(record for record in records if isinstance(record, StepLabels))),
    )
    firsts = {r.meta["line"]: r for r in reversed(records) if isinstance(r, Sample)}
    examples = [Example(f"Line: {line}", turns_of(sample)) for line, sample in sorted(firsts.items())]
    return Dataset(records, tiles, sections, examples, REASONS, LIMITS, ("mathematics", "reward-model"))
