"""Steps per second of the simulator, beside pymimir's grounded mode and unified-planning's sequential simulator.

    python -m benchmarks.simulation [--reference PYTHON] [--seconds 1] [--only WORD]

A step lists the applicable actions, draws a random number, takes one of them, applies it and tests the goal. All
simulators replay the same random walks; that they list the same actions in every state is checked before the clock
starts. Seconds are CPU seconds of one process. ``--reference`` names a Python that has ``pymimir`` and
``unified-planning`` (both development-only; by default the running one), for example

    python3 -m venv refs && refs/bin/pip install pymimir unified-planning
    python -m benchmarks.simulation --reference refs/bin/python

pymimir is measured twice: by its documented interface, and by the C++ objects beneath it ("core"). The problems are
five of the seed library and, where they are at hand, competition problems in ``shared/data/ipc``.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cultivar
from benchmarks._simulation_references import REFERENCES, digest
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.simulation.simulate import Simulator

LIBRARY = Path(cultivar.__file__).parent / "environments" / "pddl" / "library"
SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "ipc"
SEEDS = ("canal-flight", "cave-survey", "market-garden", "rolling-upgrade", "violin-workshop")
COMPETITION = (
    "depot/2",
    "elevators-opt08-strips/1",
    "rovers/3",
    "freecell/1",
    "sokoban-opt11-strips/1",
    "childsnack-opt14-strips/1",
    "barman-sat14-strips/1",
    "parking-opt11-strips/1",
    "recharging-robots-opt23-adl/1",
    "transport-sat14-strips/1",
)
BARS = {"pymimir": 0.5, "unified-planning": 200.0}

Walk = list[tuple[str, str]]


def problems() -> dict[str, tuple[Path, Path]]:
    found = {name: (LIBRARY / name / "domain.pddl", LIBRARY / name / "problems" / "3.pddl") for name in SEEDS}
    if SHARED.is_dir():
        found.update({n: (SHARED / f"{n}-domain.pddl", SHARED / f"{n}-problem.pddl") for n in COMPETITION})
    return found


def load(domain_file: Path, problem_file: Path) -> Simulator:
    domain = parse_domain(domain_file.read_text("utf-8"))
    assert domain.value is not None, domain.diagnostics
    problem = parse_problem(problem_file.read_text("utf-8"), domain.value)
    assert problem.value is not None, problem.diagnostics
    return Simulator(ground(domain.value, problem.value))


def random_walks(simulator: Simulator, count: int = 10, length: int = 50) -> tuple[list[Walk], float]:
    """Walks of (chosen action, digest of the applicable ones), and how many were applicable on average."""
    rng, walks, branches = random.Random(7), [], 0
    for _ in range(count):
        state, walk = simulator.initial, []
        for _ in range(length):
            operators = simulator.applicable(state)
            if not operators:
                break
            branches += len(operators)
            op = rng.choice(operators)
            walk.append((str(op), digest(map(str, operators))))
            state = simulator.apply(state, op)
        walks.append(walk)
    return walks, branches / sum(map(len, walks))


def measure(simulator: Simulator, walks: list[Walk], seconds: float) -> float:
    """Steps per CPU second."""
    found = []
    for walk in walks:
        state, where = simulator.initial, []
        for chosen, _ in walk:
            operators = simulator.applicable(state)
            where.append([str(op) for op in operators].index(chosen))
            state = simulator.apply(state, operators[where[-1]])
        found.append((where, state))
    fresh = Simulator(simulator.task)  # what the walks above left in tables does not count
    rng, steps, start = random.Random(0), 0, time.process_time()
    while time.process_time() - start < seconds:
        for where, last in found:
            state = fresh.initial
            for position in where:
                operators = fresh.applicable(state)
                rng.random()
                state = fresh.apply(state, operators[position])
                fresh.is_goal(state)
            steps += len(where)
            assert state == last
    return steps / (time.process_time() - start)


def references(python: str, files: tuple[Path, Path], walks: list[Walk], seconds: float) -> dict[str, dict[str, Any]]:
    job = {"domain": str(files[0]), "problem": str(files[1]), "walks": walks, "seconds": seconds}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job), "utf-8")
        script = str(Path(__file__).with_name("_simulation_references.py"))
        done = subprocess.run([python, script, str(path)], capture_output=True, text=True, timeout=600, check=False)
    lines = [line.removeprefix("RESULT ") for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    return {answer["name"]: answer for answer in map(json.loads, lines)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reference", default=sys.executable, metavar="PYTHON", help="a Python with the references")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds for each simulator and problem")
    parser.add_argument("--only", default="", metavar="WORD", help="problems whose name contains this")
    options = parser.parse_args()
    ratios: dict[str, list[float]] = {name: [] for name in REFERENCES}
    notes: dict[str, None] = {}
    print(f"{'problem':32}{'operators':>10}{'choices':>9}{'cultivar':>11}" + "".join(f"{n:>26}" for n in REFERENCES))
    for name, files in problems().items():
        if options.only not in name:
            continue
        simulator = load(*files)
        walks, branching = random_walks(simulator)
        speed = measure(simulator, walks, options.seconds)
        line = f"{name:32}{len(simulator.task.operators):10}{branching:9.1f}{speed:9.0f}/s"
        answers = references(options.reference, files, walks, options.seconds)
        for reference in REFERENCES:
            answer = answers.get(reference, {"refused": "it ended without an answer"})
            if "steps_per_second" in answer:
                ratios[reference].append(speed / answer["steps_per_second"])
                line += f"{answer['steps_per_second']:12.4g}/s (x{ratios[reference][-1]:8.3g})"
            else:
                line += f"{'-':>26}"
                why = answer.get("missing") or f"{name}: {reference} refused: {answer.get('refused')}"
                notes[why] = None
        print(line, flush=True)
    print()
    met = [summary(reference, found) for reference, found in ratios.items() if found]
    for note in notes:
        print(f"skipped: {note}")
    return 0 if all(met) else 1


def summary(reference: str, ratios: list[float]) -> bool:
    """Print how many times faster than a reference; whether its bar is met by every problem."""
    bar, least = BARS.get(reference, 0.0), min(ratios)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    verdict = f"; bar x{bar:g}: {'met' if least >= bar else 'MISSED'}" if bar else ""
    print(f"cultivar / {reference}: x{mean:.2f} (geometric mean), x{least:.2f} (least of {len(ratios)}){verdict}")
    return least >= bar


if __name__ == "__main__":
    sys.exit(main())
