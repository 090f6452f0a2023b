"""How many competition problems the in-process planner solves, of those that Fast Downward solved.

    python benchmarks/planner.py [--only SUITE] [--sample N] [--seconds 10] [--independent] [--jobs 1]

Each problem runs in a process of its own with 2 GB of memory; its CPU seconds include the start of Python, reading,
grounding, search and validation. The reference is lama-first, ``shared/data/ipc/fast_downward.json``.
``--independent PYTHON`` names a Python that has ``unified-planning``; every plan is then checked by it as well.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "ipc"
MEMORY = 2 << 30

INDEPENDENT = """
import sys
from unified_planning.io import PDDLReader
from unified_planning.engines import SequentialPlanValidator
import unified_planning.shortcuts as up
up.get_environment().credits_stream = None
up.get_environment().error_used_name = False
reader = PDDLReader()
problem = reader.parse_problem(sys.argv[1], sys.argv[2])
plan = reader.parse_plan(problem, sys.argv[3])
validator = SequentialPlanValidator()
validator.skip_checks = True
print(validator.validate(problem, plan).status.name)
"""


def solve(domain_file: Path, problem_file: Path, seconds: float) -> dict[str, Any]:
    """One problem, in this process. The search stops half a second early, so that there is time to validate."""
    from cultivar.environments.pddl.grounding.ground import GroundingLimit, ground
    from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
    from cultivar.environments.pddl.planner.search import plan
    from cultivar.environments.pddl.simulation.simulate import Simulator

    domain = parse_domain(domain_file.read_text())
    if domain.value is None:
        return {"status": "refused", "why": domain.diagnostics[0].message}
    problem = parse_problem(problem_file.read_text(), domain.value)
    if problem.value is None:
        return {"status": "refused", "why": problem.diagnostics[0].message}
    parsed = time.process_time()
    try:
        task = ground(domain.value, problem.value, max_seconds=seconds - 0.5 - parsed)
    except GroundingLimit as limit:
        return {"status": "limit", "why": str(limit), "parsed": parsed}
    grounded = time.process_time()
    answer: dict[str, Any] = {
        "parsed": parsed,
        "grounded": grounded,
        "operators": len(task.operators),
        "facts": len(task.facts),
    }
    found = plan(task, max_seconds=seconds - 0.5 - grounded)
    answer |= {"status": found.status, "expanded": found.expanded, "optimal": found.optimal}
    if found.status == "solved":
        verdict = Simulator(task).validate(found.steps())
        answer |= {"plan": len(found), "steps": [str(op) for op in found.operators], "cost": found.cost}
        if not verdict.valid:
            answer |= {"status": "invalid", "why": verdict.message}
    return answer | {"seconds": time.process_time()}


def run(key: str, seconds: float, independent: str | None) -> dict[str, Any]:
    """One problem, in a process of its own."""
    suite, number = key.split("/")
    files = [SHARED / suite / f"{number}-domain.pddl", SHARED / suite / f"{number}-problem.pddl"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        # The kernel counts CPU time in ticks, which err on a busy machine: the exact count is compared below.
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(1.2 * seconds), math.ceil(1.2 * seconds) + 1))

    command = [sys.executable, __file__, "--solve", *map(str, files), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    if done.returncode:
        return {
            "key": key,
            "status": "crash",
            "why": (done.stderr.strip().splitlines() or [f"signal {done.returncode}"])[-1],
        }
    answer: dict[str, Any] = {"key": key} | json.loads(done.stdout)
    if answer["status"] == "solved" and answer["seconds"] > seconds:
        answer["status"] = "late"
    if independent and answer["status"] == "solved":
        with tempfile.NamedTemporaryFile("w", suffix=".plan") as plan_file:
            plan_file.write("\n".join(answer["steps"]) + "\n")
            plan_file.flush()
            answer["independent"] = second_opinion(independent, [*map(str, files), plan_file.name])
    return answer


def second_opinion(python: str, files: list[str]) -> str:
    try:
        check = subprocess.run([python, "-c", INDEPENDENT, *files], capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "no answer in 120 s"
    last = (check.stdout or check.stderr).strip().splitlines()
    return last[-1] if last else "no answer"


def report(answers: list[dict[str, Any]], reference: dict[str, Any]) -> None:
    suites: dict[str, list[dict[str, Any]]] = {}
    for answer in answers:
        suites.setdefault(answer["key"].split("/")[0], []).append(answer)
    ratios = []
    print(f"{'suite':34} {'ours':>5} {'lama':>5}  length ratio  CPU seconds")
    for suite, rows in suites.items():
        solved = [r for r in rows if r["status"] == "solved"]
        both = [r["plan"] / reference[r["key"]]["plan"] for r in solved if reference[r["key"]]["plan"]]
        ratios += both
        theirs = sum(reference[r["key"]]["plan"] is not None for r in rows)
        mean = f"{geometric(both):.2f}" if both else "-"
        print(f"{suite:34} {len(solved):5} {theirs:5}  {mean:>12}  {' '.join(_time(r) for r in rows)}")
    known = [a for a in answers if reference[a["key"]]["plan"] is not None]
    found = sum(a["status"] == "solved" for a in known)
    extra = sum(a["status"] == "solved" for a in answers) - found
    share = 100 * found / max(len(known), 1)
    print(f"\nsolved {found} of the {len(known)} that lama-first solved ({share:.1f}%), and {extra} that it did not")
    if ratios:
        print(f"plan length against lama-first: {geometric(ratios):.3f} (geometric mean of {len(ratios)})")
    print(f"proved cheapest: {sum(a.get('optimal', False) for a in answers)}")
    checked = Counter(a["independent"] for a in answers if "independent" in a)
    if checked:
        print(f"independent validator: {dict(checked)}")
    for a in answers:
        if a["status"] != "solved":
            print(f"  {a['key']}: {a['status']} {a.get('why', '')[:160]}")


def geometric(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def _time(answer: dict[str, Any]) -> str:
    return f"{answer['seconds']:.1f}" if answer["status"] == "solved" else answer["status"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="run the suites whose name starts with this")
    parser.add_argument("--sample", type=int, default=1, help="run every N-th problem")
    parser.add_argument("--offset", type=int, default=0, help="start at this problem")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds for each problem, all included")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--independent", metavar="PYTHON", help="a Python with unified-planning, to check plans too")
    parser.add_argument("--out", type=Path, help="write the answers there, as JSON lines")
    parser.add_argument("--solve", nargs=2, type=Path, metavar=("DOMAIN", "PROBLEM"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.solve:
        print(json.dumps(solve(args.solve[0], args.solve[1], args.seconds)))
        return
    if not SHARED.is_dir():
        sys.exit(f"the competition problems are not here: {SHARED}")
    reference = json.loads((SHARED / "fast_downward.json").read_text())
    keys = [k for k in reference if not args.only or k.startswith(args.only)][args.offset :: args.sample]
    with ThreadPoolExecutor(args.jobs) as pool:
        answers = list(pool.map(lambda key: run(key, args.seconds, args.independent), keys))
    if args.out:
        args.out.write_text("".join(json.dumps(a) + "\n" for a in answers))
    report(answers, reference)


if __name__ == "__main__":
    main()
