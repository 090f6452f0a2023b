"""AgentGen: environments out of text, tasks by Bi-Evol, planning trajectories (arXiv 2408.00764).

passage -> specification -> domain -> language       each checked, and mended with our diagnostics
environment -> problems, then easier | harder | sideways -> plan -> gates -> trajectory
accepted environments join the library that the next round takes its examples from

Departures from the paper:
- Difficulty is measured by the planner, and evolution goes where the measured curve is empty; the paper draws blindly.
- Environments and tasks pass the gates of ``environments.pddl.auditing``; the paper keeps what its planner solves.
- An environment whose language cannot be mended is dropped; the paper falls back on the names of predicates.
- Problems too are mended with our diagnostics; the paper drops those that cannot be read.
- A trajectory counts only if its plan replays through text alone.
- Without a model a procedural proposer stands in for every call (``environments.pddl.procedural``, ours).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import ClassVar, Literal

from cultivar.core.dataset import Dataset
from cultivar.core.errors import Unparsable, UsageError
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import Document, EnvironmentSpec, Record, Task, Trajectory
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope, together
from cultivar.environments.pddl.accepted import Accepted
from cultivar.environments.pddl.assess import (
    Demands,
    examine_domain,
    examine_language,
    examine_problem,
    read_domain,
    spec_of,
    step_facts_of,
)
from cultivar.environments.pddl.demonstrate import read_thoughts
from cultivar.environments.pddl.evolution.curve import Order, curve, steer
from cultivar.environments.pddl.library import seeds
from cultivar.environments.pddl.proposer import ProceduralProposer, Proposer
from cultivar.environments.pddl.summary import describe
from cultivar.sources.rounds import rounds


@dataclass(frozen=True)
class Config:
    environments: int = 30
    "Accepted environments wanted; a larger number continues a run."
    tasks: int = 20
    "Accepted tasks wanted in each environment: half of them posed freely, half evolved."
    round_size: int = 16
    "Environments proposed between two enlargements of the library of examples (about 50 in the paper)."
    proposer: Literal["auto", "model", "procedural"] = "auto"
    "Who proposes: model, procedural, or auto (model if one is given)."
    evolve: bool = True
    "Bi-Evol; without it every task is posed freely."
    repairs: int = 3
    "How often a domain or a language may be mended; the paper's number."
    min_plan: int = 3
    "Least length of a task's best plan."
    max_random: float = 0.5
    "Largest share of random walks that may solve a task."
    thoughts: Literal["none", "template", "model"] = "none"
    "Thoughts before actions: none (as in the paper), template (from the plan's causal links), or model."
    observations: Literal["full", "delta", "partial"] = "full"
    """What a turn shows: full (the paper's), delta (what changed) or partial (what the agent can see; the planner that
    demonstrates sees everything, and may go straight to what the agent has not seen yet)."""
    temperature: float = 0.7
    "Of problems and variations, which must differ; domains and languages are asked for at 0."

    growing: ClassVar[tuple[str, ...]] = ("environments",)

    def __post_init__(self) -> None:
        within(self, LEAST)


LEAST = {"environments": 1, "tasks": 1, "round_size": 1, "min_plan": 1, "max_random": 0, "repairs": 0, "temperature": 0}
WAVE = 5
"""Variations ordered at once; the measured curve is looked at between waves."""
TRIES = 3
"""Proposals per task wanted before an environment is left with fewer."""

SPECIFY = """\
You design worlds in which planning agents are trained. Read the passage and invent one such world that belongs to \
it: a job that somebody there has to do step by step, where steps depend on each other and can be undone or spoil \
something.

The passage:
<<<
{passage}
>>>

Write the description of the world in the same three parts as this example of another world:
<<<
{example.description}
>>>

First a paragraph in the second person that says who the agent is and what it is there to do. Then "The actions \
defined in this domain include:" and four to nine bullets, each an action with its arguments in angle brackets, what \
must hold before, and what holds and what no longer holds afterwards. Then "You have the following restrictions on \
your actions:" and bullets. Everything must be discrete and certain: no numbers to compute, no durations, no chance. \
Every action acts on objects that differ from task to task. Write the description alone."""

IMPLEMENT = """\
Write the world described below as a PDDL domain with :strips and :typing and, only where the world needs them, \
negative preconditions, quantifiers and conditional effects; no numbers, durations or preferences. Give every \
parameter a type. Add parameters and predicates that the description leaves out, and split an action in two where \
that is clearer. Actions have consequences: most of them make something false that mattered, and what one action \
makes true another can undo. Names are plain English words joined by hyphens.

Here is how another world was written.
<<<
{example.description}
>>>
```pddl
{example.data[domain]}
```

The world to be written:
<<<
{description}
>>>

Answer with the whole domain in one ```pddl block."""

SPEAK = """\
An agent that knows no PDDL will act in the world below through sentences. Give one English sentence template for \
every predicate and for every action of the domain. {{arg1}} stands for the first parameter, {{arg2}} for the second, \
in the order in which the domain declares them; every parameter must appear once. A predicate's template states a \
fact ("{{arg1}} is on {{arg2}}"); an action's is a command ("Put {{arg1}} on {{arg2}}"). Objects have telling names \
such as "tram 7" or "red bolt", so put no noun for their type before a placeholder. No two templates may give the \
same sentence.

The world:
<<<
{description}
>>>

```pddl
{domain}
```

Answer with one JSON object in a ```json block: {{"predicates": {{name: template}}, "actions": {{name: template}}}}."""

POSE = """\
Write one planning problem for this PDDL domain: solvable, with its goal false at the start and at least {least} \
steps away. The goal is a conjunction of a few facts. Name objects so that the name alone tells what they are \
("red-bolt", "tram-7"). This is number {number} of several problems that are written apart from each other, so do not \
write the first one that comes to mind: choose objects, an initial state and a goal that another author would not.

```pddl
{domain}
```

Answer with the whole problem in one ```pddl block."""

EVOLVE = """\
Below are a PDDL domain and a problem for it whose best plan has {length} steps. Write another problem for the same \
domain: {method}. Objects, initial state and goal may all change. It must be solvable, its goal must be false at the \
start, and its best plan should have {wanted} steps.

```pddl
{domain}
```

```pddl
{problem}
```

Answer with the whole new problem in one ```pddl block."""

THINK = """\
An agent is at work in a world. Below are its goal, what it observes at the start, and the actions that it is about \
to take; below each action stands what it makes so, which later action needs that, and the condition of the goal that \
it leads to. For every action write what the agent thinks just before it takes it: one or two sentences in plain \
English that say what it wants to achieve with this step. "I" is the agent; where it has somebody else do something, \
it thinks "I have Anna ...". Say nothing that does not follow from what is given, and do not write "Action:".

{goal}

At the start: {start}

{facts}

Answer with one JSON object in a ```json block, from each action's number to its thought: {{"1": "...", ...}}, \
{count} in all."""

METHODS = {
    "harder": ("use more objects", "make the goal harder to reach, with conditions that get in each other's way"),
    "easier": ("use fewer objects", "make the goal easier to reach"),
    "sideways": ("change what holds at the start", "place things elsewhere", "ask for other facts of the same kind"),
}


class ModelProposer:
    """The paper's calls: author of specification, domain, language and problems."""

    def __init__(self, passage: Document, config: Config) -> None:
        self.passage, self.config = passage, config

    async def environment(self, scope: Scope, library: Sequence[EnvironmentSpec]) -> EnvironmentSpec:
        example = scope.rng("example").choice(library)
        specify = SPECIFY.format(passage=self.passage.text, example=example)
        description = await scope.ask("author", specify, parse=read_description, temperature=self.config.temperature)
        implement = IMPLEMENT.format(example=example, description=description)
        repairs = self.config.repairs
        domain, text = await scope.ask("author", implement, parse=examine_domain, retries=repairs, temperature=0.0)
        speak, read = SPEAK.format(domain=text, description=description), partial(examine_language, domain=domain)
        language = await scope.ask("author", speak, parse=read, retries=repairs, temperature=0.0)
        parents = (self.passage.id, example.id)
        return spec_of(text, language, title=domain.name, description=description, parents=parents, proposer="model")

    async def problem(self, spec: EnvironmentSpec, scope: Scope) -> str:
        number = scope.path.rpartition("-")[2]
        prompt = POSE.format(domain=spec.data["domain"], least=self.config.min_plan, number=number)
        return await self._problem(prompt, spec, scope)

    async def variation(self, spec: EnvironmentSpec, parent: Task, order: Order, scope: Scope) -> str | None:
        prompt = EVOLVE.format(
            domain=spec.data["domain"],
            problem=parent.data["problem"],
            length=parent.meta["difficulty"]["plan_length"],
            method=scope.rng("method").choice(METHODS[order.direction]),
            wanted=order.bucket.replace("+", " or more").replace("-", " to "),
        )
        return await self._problem(prompt, spec, scope)

    async def _problem(self, prompt: str, spec: EnvironmentSpec, scope: Scope) -> str:
        read = partial(examine_problem, domain=read_domain(spec.data["domain"]))
        sampling = {"retries": self.config.repairs, "temperature": self.config.temperature}
        return str(await scope.ask("author", prompt, parse=read, n=None, **sampling))


def read_description(reply: str) -> str:
    """A description, without a fence around it; raises Unparsable if it is not one of actions."""
    text = reply.strip().strip("<>").strip()
    if not 300 <= len(text) <= 10_000:
        why = f"the description has {len(text)} characters; 300 to 10,000 are wanted"
        raise Unparsable(why, "description-length")
    if sum(line.lstrip().startswith(("-", "*", "•")) for line in text.splitlines()) < 3:
        raise Unparsable("the actions are not listed, one bullet to an action", "description-form")
    return text


async def pose(accepted: Accepted, proposer: Proposer, scope: Scope, wanted: int) -> None:
    """Stage 1: problems with nothing asked of them, until enough are accepted or too many were tried."""
    tried = 0
    while len(accepted) < wanted and tried < TRIES * wanted:
        branches = [scope.child(f"pose-{tried + k}") for k in range(wanted - len(accepted))]
        tried += len(branches)
        work = (accepted.examine(proposer.problem(accepted.spec, s), s) for s in branches)
        for branch, found in zip(branches, await together(*work)):
            accepted.admit(found, branch, {"stage": "posed"})


async def evolve(accepted: Accepted, proposer: Proposer, scope: Scope, config: Config) -> None:
    """Stage 2, Bi-Evol: variations of accepted tasks, ordered where the measured curve is emptiest."""
    failed: Counter[str] = Counter()
    tried, most = 0, TRIES * (config.tasks - len(accepted))
    while accepted and len(accepted) < config.tasks and tried < most:
        counts = Counter(curve(accepted.lengths))
        orders: list[Order] = []
        for k in range(min(WAVE, config.tasks - len(accepted))):
            order = steer(counts, accepted.lengths, scope.rng("order", tried + k), failed=failed)
            if order is not None:
                counts[order.bucket] += 1
                orders.append(order)
        branches = [scope.child(f"evolve-{tried + k}") for k in range(len(orders))]
        tried += len(orders)
        work = (
            accepted.examine(proposer.variation(accepted.spec, accepted.tasks[o.seed], o, s), s)
            for o, s in zip(orders, branches)
        )
        for order, branch, found in zip(orders, branches, await together(*work)):
            origin = {"stage": "evolved", "direction": order.direction, "seed": accepted.tasks[order.seed].id}
            task = accepted.admit(found, branch, origin)
            failed[order.bucket] += task is None or task.meta["difficulty"]["bucket"] != order.bucket


async def think(task: Task, trajectory: Trajectory, spec: EnvironmentSpec, scope: Scope) -> Trajectory:
    """The thoughts of a model that is told what each step is for; act-only where it cannot be made to give them."""
    facts = await scope.once("facts", step_facts_of, spec, task)
    start = trajectory.turns[1].content.rpartition("Observation: ")[2]
    prompt = THINK.format(goal=task.goal, start=start, facts="\n".join(facts), count=len(facts))
    try:
        return await scope.ask("thinker", prompt, parse=partial(read_thoughts, trajectory=trajectory))
    except Unparsable as error:
        scope.discard(error.reason, message=str(error))
        return trajectory


async def grow(
    passage: Document, scope: Scope, config: Config, library: Sequence[EnvironmentSpec], model: bool
) -> Accepted:
    """One passage: an environment, its tasks, and a trajectory for each."""
    proposer: Proposer = ModelProposer(passage, config) if model else ProceduralProposer(passage)
    try:
        spec = await proposer.environment(scope.child("environment"), library)
    except Unparsable as error:
        scope.drop(error.reason, message=str(error))
    thoughts = config.thoughts if config.thoughts != "model" else "none"  # a model's are put in at the end
    accepted = Accepted(spec, Demands(config.min_plan, config.max_random, thoughts, config.observations))
    await pose(accepted, proposer, scope, (config.tasks + 1) // 2 if config.evolve else config.tasks)
    if config.evolve:
        await evolve(accepted, proposer, scope, config)
    findings = accepted.audit(least=max(1, config.tasks // 4))
    if findings:
        scope.drop(findings[0].gate, message=findings[0].message, **findings[0].evidence)
    if config.thoughts == "model":
        branches = [scope.child(f"think-{k}") for k in range(len(accepted))]
        pairs = zip(accepted.tasks, accepted.trajectories, branches)
        accepted.trajectories = list(await together(*(think(t, j, spec, s) for t, j, s in pairs)))
    return accepted


@recipe("agentgen", paper="2408.00764", roles=("author", "thinker"))
async def run(engine: Engine, passages: Iterable[Document], config: Config = Config()) -> Dataset:
    model = config.proposer == "model" or (config.proposer == "auto" and engine.has_model("author"))
    if config.thoughts == "model" and not engine.has_model("thinker"):
        raise UsageError("--thoughts model needs a model: add --model openai:NAME@http://host:port/v1")
    library = [seed.spec() for seed in seeds()]
    enough = len(library) + config.environments
    taken: dict[str, EnvironmentSpec] = {}
    records: list[Record] = []
    proposed = 0
    for number, batch in enumerate(rounds(passages, config.round_size), 1):
        examples, waiting = tuple(library), iter(batch)
        while (todo := list(islice(waiting, enough - len(library)))) and not engine.stopping:
            proposed += len(todo)
            for grown in await engine.map(grow, todo, config, examples, model, stage=f"round-{number}"):
                if same := next((taken[key] for key in grown.structures if key in taken), None):
                    engine.discard("duplicate-environment", grown.spec, same_as=same.id, name=same.name)
                    continue
                taken.update(dict.fromkeys(grown.structures, grown.spec))
                library.append(grown.spec)
                records += grown.records()
        if len(library) >= enough or proposed >= TRIES * config.environments or engine.stopping:
            break
    return describe(records, proposed)
