"""AgentRefine: one model plays a world and who acts in it; errors stay in the context, masked (arXiv 2501.01702).

passage -> somebody's situation -> script (places, things, task, actions), checked by code
script -> the model plays master and player, with errors that the player puts right by what it observes
transcript -> checked turn by turn; at the first inconsistent one it is cut, and the model goes on from there
-> a conversation in which the turns that were errors are not trained on

Departures from the paper:
- The person whose situation it is comes out of a passage of yours; the paper takes personas of a collection.
- Actions are patterns with lists of values instead of regular expressions, so that a model cannot write a costly one.
- The checks of transcripts are ours (the paper names format, actions and errors): see ``environments.simulated``. They
  are stricter in two points: a refused action may be neither repeated nor allowed before something else was done, and
  an action that works names only what the player was told of. Errors that follow one another count as one put right.
- The player is told the patterns of the actions and not their values, so that names have to be observed.
- Any model plays; the paper has GPT-4o and DeepSeek-V2.5. Numbers that are not in the paper are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from cultivar.core.dataset import Dataset, Flat
from cultivar.core.errors import Unparsable
from cultivar.core.figures import Bars, Example, Histogram, Section, Tile
from cultivar.core.protocols import Engine
from cultivar.core.ranges import within
from cultivar.core.records import Document, Record, Trajectory
from cultivar.core.registry import recipe
from cultivar.core.scope import Scope
from cultivar.environments import simulated
from cultivar.environments.simulated import KINDS, Fault, Line, fault_of, read_lines, read_script, trajectory_of


@dataclass(frozen=True)
class Config:
    errors: int = 2
    "Errors that the player must make and put right."
    plays: int = 1
    "Transcripts of each script."
    repairs: int = 3
    "How often a transcript is cut at its first inconsistent turn and gone on with."
    retries: int = 2
    "How often a script, or a reply that cannot be read, is asked for again with what is wrong with it."
    temperature: float = 1.0
    "Of scripts and transcripts."

    def __post_init__(self) -> None:
        within(self, LEAST)


LEAST = {"errors": 0, "plays": 1, "repairs": 0, "retries": 0, "temperature": 0}

SCRIPT = """\
You write scripts for text adventures in which agents are trained. Read the passage, think of one person who could \
appear in it, and invent an everyday task of theirs that takes six to fifteen actions in a handful of places. It must \
not go straight: things are shut away, out of reach or needed in a certain order, so that somebody who acts without \
looking will make mistakes.

Write one JSON object:
{"title": a few words,
 "setting": two to four sentences in the second person: who the player is, where, and what surrounds them. Do not tell \
where everything is,
 "places": {place: [things to be found there at first, containers among them]},
 "inside": {container: [things that are in it]},
 "start": the place where the player is,
 "task": what the player has to bring about, in one sentence,
 "actions": [{"pattern": "take {thing} from {place}", "values": {"thing": [...], "place": [...]}}, ...]}

Every name stands in one place or container only, and is a few plain words. An action's values are names of places and \
things of this script, nothing else; an action that needs none has an empty object. Give three to twelve actions, with \
all that the task needs among them."""

PLAY = """\
Below is the script of a text adventure. Play it out, as both its master and its player, turn by turn.

The master knows the whole script. Its turns are {"role": "master", "thought": ..., "observation": ..., "error": ..., \
"done": ...}: it thinks about the state of the world and the last action, which the player never hears; then it says \
what the player now sees, with the names of things as they stand in the script, and never what is hidden. "error" is \
null if the last action was done, or else one of
- "parameter": no action of the script is of this form, or it does not take this value;
- "logical": a condition does not hold, such as a thing being shut or not in the player's hands;
- "location": the player is not where this has to be done.
An action that is an error changes nothing; the observation says what is wrong with it. "done" is true in the last \
turn, when the task is accomplished, and false before.

The player knows the setting, the task, the forms of the actions, where it starts, and what it has observed; nothing \
else. Its turns are {"role": "player", "thought": ..., "action": ...}: it thinks in a sentence or two, and does one \
action in the words of its form. It makes mistakes as one does who does not know the world yet; after an error it \
thinks about what the observation said, and does something else. It never does a refused action again before something \
has changed."""

ORDER = """\
the player makes an error and puts it right by what it does next; errors that follow one another count once. They are \
not all of one kind."""

REASONS = simulated.REASONS
LIMITS = (
    "No program executed these worlds: that an action works, and that the task is done, is what the model said of it.",
    "Errors were ordered; an agent's own errors may be others.",
    "Checked are forms, names and order of what was done; the state of the world is not followed.",
)


@dataclass(frozen=True)
class Played:
    """The rows of one script, and how many continuations each of its transcripts took."""

    rows: tuple[Record, ...]
    repairs: tuple[int, ...]

    def records(self) -> tuple[Record, ...]:
        return self.rows


async def play(script: simulated.Script, scope: Scope, config: Config) -> tuple[list[Line] | Fault, int]:
    """A transcript that keeps to the script, or what was wrong with the last one; and how often it was cut."""
    told = orjson.dumps(script.to_json(), option=orjson.OPT_INDENT_2).decode()
    order = f"\n\nIt happens at least {config.errors} times that {ORDER}" if config.errors else ""
    asked = f"{PLAY}{order}\n\nThe script:\n{told}\n\nAnswer with one JSON list of turns; "
    lines, fault = list[Line](), Fault(0, "unfinished", "")
    for cut in range(config.repairs + 1):
        end = "the master begins by saying what the player sees at the start."
        if lines:
            so_far = orjson.dumps([line.to_json() for line in lines]).decode()
            end = f"go on after these, beginning with the player's next turn, and do not repeat them:\n{so_far}\n"
        mend = f"\nWhat you wrote last could not be used: {fault.why}." if cut else ""
        sampling = {"retries": config.retries, "temperature": config.temperature}
        fresh = await scope.ask("master", f"{asked}{end}{mend}", parse=read_lines, n=None, **sampling)
        lines = fresh if fresh[: len(lines)] == lines else [*lines, *fresh]
        found = fault_of(script, lines, config.errors)
        if found is None:
            return lines, cut
        lines, fault = lines[: found.keep], found
    return fault, config.repairs


async def refine(passage: Document, scope: Scope, config: Config) -> Played:
    """One passage: a script, and the transcripts of it that hold."""
    prompt = f"{SCRIPT}\n\nThe passage:\n<<<\n{passage.text}\n>>>"
    sampling = {"retries": config.retries, "temperature": config.temperature}
    try:
        script = await scope.ask("author", prompt, parse=read_script, n=None, **sampling)
    except Unparsable as error:
        scope.drop("script-unusable", message=str(error))
    spec, rows, repairs = script.spec(passage.id), dict[str, Record](), list[int]()
    for number in range(config.plays):
        try:
            found, cuts = await play(script, scope.child(f"play-{number}"), config)
        except Unparsable as error:
            scope.discard("transcript-unreadable", spec, message=str(error))
            continue
        if isinstance(found, Fault):
            scope.discard(found.reason, spec, message=found.why)
            continue
        task, made = trajectory_of(script, found, spec, "agent-refine")
        rows |= {row.id: row for row in (spec, task, made)}
        repairs.append(cuts)
    if not rows:
        scope.drop("no-transcript", script=script.to_json())
    return Played(tuple(rows.values()), tuple(repairs))


def describe(played: Sequence[Played]) -> Dataset:
    rows = [row for one in played for row in one.rows if isinstance(row, Trajectory)]
    kinds, repairs = Counter(k for row in rows for k in row.meta["kinds"]), [n for one in played for n in one.repairs]
    masked, steps = sum(kinds.values()), sum(row.meta["steps"] for row in rows)
    tiles = (
        Tile("trajectories", len(rows), f"from {len(played):,} scripts"),
        Tile("errors, masked", masked, f"of {steps:,} actions"),
        Tile("transcripts without a repair", repairs.count(0), f"of {len(repairs):,}"),
    )
    figures = (
        Bars("Errors by kind", KINDS, {"errors": tuple(float(kinds[kind]) for kind in KINDS)}),
        Histogram.of("Errors of a trajectory", [len(row.meta["errors"]) for row in rows]),
        Histogram.of("Actions of a trajectory", [row.meta["steps"] for row in rows]),
        Histogram.of("Continuations of a transcript", repairs),
    )
    section = Section("Errors and repairs", figures, "An error is an action that the master refused, and said why.")
    examples = [Example.of(row, "Errors put right", {"errors": len(row.meta["errors"])}) for row in rows[:3]]
    reasons = {**REASONS, "no-transcript": "one transcript of a script holds, at least"}
    return Dataset(Flat([one.rows for one in played]), tiles, (section,), examples, reasons, LIMITS, ("agents",))


@recipe("agent-refine", paper="2501.01702", roles=("author", "master"))
async def run(engine: Engine, passages: Iterable[Document], config: Config = Config()) -> Dataset:
    return describe(await engine.map(refine, passages, config))
