"""A small run as a recipe would leave it: a museum's courier, a handful of rooms, three trajectories, a full report."""

from __future__ import annotations

import random
from pathlib import Path

import orjson

from cultivar.core.figures import Bars, Cost, Drop, Example, Histogram, Provenance, Report, Section, Table, Tile
from cultivar.core.records import Document, EnvironmentSpec, Preference, Record, Sample, Task, Trajectory, Turn

SYSTEM = "You are an agent in a world of text. Answer each observation with one action, written as 'Action: ...'."
ROOMS = ("loading bay", "conservation studio", "sculpture hall", "print room", "cold store")
WORKS = ("bronze heron", "harbour chart", "lacquer box", "wax seal")
BUCKETS = ("3-4", "5-6", "7-9", "10-13", "14-19", "20+")


def trajectory(works: int, *, thoughts: bool = True, seed: int = 0) -> Trajectory:
    """Carry ``works`` pieces, one at a time, each to its room."""
    rng = random.Random(seed)
    todo = [(work, rng.choice(ROOMS[1:])) for work in WORKS[:works]]
    goal = "; ".join(f"the {work} is in the {room}" for work, room in todo)
    first = (
        "You are the courier of a small museum. You can walk between rooms that share a door, lift a work that stands "
        "in your room, and set down the work that you carry. You carry one work at a time; the cold store opens only "
        "with the brass key.\n\n"
        f"Goal: {goal}.\n"
        f"Observation: You are in the loading bay, with the {', the '.join(w for w, _ in todo)}. Your hands are free."
    )
    turns = [Turn("system", SYSTEM), Turn("user", first, progress=0.0)]
    for done, (work, room) in enumerate(todo, 1):
        steps = [
            (f"Lift the {work}.", f"it must be in the {room}, and I carry nothing", f"You hold the {work}."),
            (f"Walk to the {room}.", f"the {work} belongs there", f"You are in the {room}. You hold the {work}."),
            (
                f"Set down the {work}.",
                f"this makes true that the {work} is in the {room}",
                f"The {work} is in the {room}.",
            ),
            (
                "Walk to the loading bay.",
                "the next work waits there",
                "You are in the loading bay. Your hands are free.",
            ),
        ]
        for number, (action, why, seen) in enumerate(steps[: 3 if done == works else 4]):
            thought = f"I {action[0].lower()}{action[1:-1]}: {why}." if thoughts else None
            said = f"Thought: {thought}\nAction: {action}" if thought else f"Action: {action}"
            progress = (done if number >= 2 else done - 1) / works
            turns.append(Turn("assistant", said, thought, action, progress, progress, train=True))
            turns.append(Turn("user", f"Observation: {seen}", reward=progress, progress=progress))
    return Trajectory(
        task=f"task{works:012d}", turns=tuple(turns), success=True, reward=1.0, agent="planner", parents=("a" * 16,)
    )


def records() -> list[Record]:
    """One record of each kind that a run may hold, and three trajectories."""
    answer: dict[str, object] = {"role": "assistant", "content": "A plan that is replayed and found to hold."}
    return [
        Document(text="Couriers walk works of art between rooms.", source="museum.md"),
        EnvironmentSpec(family="pddl", name="museum courier", description="Rooms, doors, works of art."),
        Task(environment="b" * 16, goal="the bronze heron is in the print room"),
        *(trajectory(works, thoughts=works != 2, seed=works) for works in (1, 2, 4)),
        Sample(messages=({"role": "user", "content": "What is a validated plan?"}, answer)),
        Preference(prompt="Name a room.", chosen="The print room.", rejected="Blue.", meta={"judge": "swap"}),
    ]


def write_run(folder: Path, found: list[Record] | None = None) -> Path:
    """A run directory with ``records.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [orjson.dumps(record.to_json()) + b"\n" for record in (records() if found is None else found)]
    (folder / "records.jsonl").write_bytes(b"".join(lines))
    return folder


def difficulty(rng: random.Random) -> Section:
    lengths = [min(38, 3 + int(rng.expovariate(0.13))) for _ in range(512)]
    before, after = (58.2, 24.6, 12.1, 4.3, 0.8, 0.0), (14.1, 17.4, 22.3, 19.9, 15.6, 10.7)
    curve = Bars(
        "Tasks by length of the best plan known",
        BUCKETS,
        {"stage 1 alone": before, "after Bi-Evol": after},
        unit="%",
        note="Equal counts (256 tasks each). Entropy of the curve: 1.61 bits at stage 1, 2.55 after (2.58 is even).",
    )
    walks = Histogram.of("Solved by a random walk", [rng.betavariate(0.6, 9) for _ in range(512)], bins=20)
    return Section(
        "Difficulty",
        (curve, Histogram.of("Plan lengths", lengths, unit="steps of the best plan known"), walks),
        "Measured by planning, not guessed. Bi-Evol goes on where buckets are empty.",
    )


def diversity(rng: random.Random) -> Section:
    similar = [rng.betavariate(2, 9) for _ in range(378)]
    mechanics = (
        "move on a graph",
        "carry with capacity",
        "locks and keys",
        "containers",
        "queues and stacks",
        "cleaning",
    )
    table = Table(
        "Environments",
        ("name", "theme", "actions", "predicates", "tasks", "median plan"),
        tuple(
            (
                f"{theme} {i}",
                theme,
                rng.randint(4, 9),
                rng.randint(5, 14),
                rng.randint(12, 20),
                rng.randint(4, 17) / 2 + 3,
            )
            for i, theme in enumerate(
                ("museum", "orchard", "harbour", "bakery", "archive", "clinic", "theatre", "rail yard")
            )
        ),
    )
    return Section(
        "Diversity of the environments",
        (
            Histogram.of(
                "Lexical: cosine similarity of two specifications",
                similar,
                bins=20,
                note="TF-IDF, all pairs; mean 0.18.",
            ),
            Bars("Structural: mechanics in use", mechanics, {"environments": (21, 17, 9, 8, 6, 5)}),
            table,
        ),
    )


DROPS = (
    Drop("solved-by-random-walk", 41, "A random walk must not solve the task more than 20% of the time.", "tasks"),
    Drop("plan-too-short", 23, "The best plan must be at least 3 steps long.", "tasks"),
    Drop("duplicate-task", 12, "No task may equal another up to renaming of its objects.", "tasks"),
    Drop("delete-free", 3, "An environment in which nothing is ever undone is no planning problem.", "environments"),
    Drop("language-clash", 1, "Two different facts must never give the same sentence.", "environments"),
)


def report() -> Report:
    rng = random.Random(7)
    return Report(
        title="Planning trajectories from 128 passages",
        about="Environments were proposed from short passages on fields of work and life, proved solvable and not "
        "trivial, and their tasks solved by a planner. Every trajectory was replayed from its text alone.",
        provenance=Provenance(
            recipe="agentgen",
            paper="2408.00764",
            command="cultivar run agentgen --environments 28 --tasks 20 --seed 1 --out runs/demo",
            config={"environments": 28, "tasks": 20, "min_plan": 3, "thoughts": "template", "buckets": list(BUCKETS)},
            seed=1,
            versions={"cultivar": "0.1.0", "python": "3.11"},
        ),
        counts={"document": 28, "environment": 28, "task": 512, "trajectory": 512},
        tiles=(
            Tile("environments accepted", 28, "of 32 proposed"),
            Tile("tasks accepted", 512, "of 588 proposed"),
            Tile("trajectories replayed", 512, "from text alone, reward 1"),
            Tile("mutated plans rejected", "99.1%", "2,004 of 2,022"),
            Tile("model calls", 0, "procedural proposer"),
            Tile("CPU", "61.4 s", "2 processes", volatile=True),
        ),
        sections=(difficulty(rng), diversity(rng)),
        drops=DROPS,
        costs=(
            Cost("propose", 96, 181_224, 60_121, 1.2042, 3.1),
            Cost("tasks", 1_180, 902_771, 344_020, 6.81, 22.9),
            Cost("solve and replay", cpu_seconds=35.4),
        ),
        examples=tuple(
            Example.of(
                trajectory(works, thoughts=works != 2, seed=works), title, {"plan": 4 * works - 1, "bucket": bucket}
            )
            for works, title, bucket in (
                (1, "Museum courier: one work", "3-4"),
                (2, "Museum courier: two works, act-only", "7-9"),
                (4, "Museum courier: four works", "14-19"),
            )
        ),
        limits=(
            "All text is made from templates; its English is plain and repetitive.",
            "Plans are the best known, not always optimal.",
        ),
        license="apache-2.0",
        tags=("planning", "agents"),
    )
