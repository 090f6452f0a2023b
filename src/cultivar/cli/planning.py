"""check, plan, validate: PDDL files from the command line."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Literal

from cultivar.cli.printing import print_json
from cultivar.core.errors import InputError
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.grounding.ground import GroundingLimit, ground
from cultivar.environments.pddl.model import Domain, Problem
from cultivar.environments.pddl.parsing.diagnostics import render_all
from cultivar.environments.pddl.parsing.parse import extract_pddl, parse_domain, parse_problem
from cultivar.environments.pddl.parsing.syntax import MAX_BYTES
from cultivar.environments.pddl.parsing.write import write_domain, write_problem
from cultivar.environments.pddl.simulation.simulate import Simulator, read_plan


def read_text(path: str) -> str:
    """The text of a file; raises InputError saying what is wrong with it."""
    try:
        with Path(path).open("rb") as source:
            raw = source.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise InputError(f"{path} is larger than the {MAX_BYTES:,} bytes that a PDDL file may have")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text (byte {error.start}); convert it with: iconv -f ENCODING -t utf-8 {path}"
        ) from None


def pddl_in(text: str, kind: Literal["domain", "problem"]) -> str:
    """PDDL out of a model's reply, with what stands before it blanked, so that positions are those of the file.

    A file that begins as PDDL does is taken as it is: whatever stands after its end is then seen and reported.
    """
    begins = text.lstrip()
    if "```" not in text and begins[:1] in ("(", ";"):
        return text
    found = extract_pddl(text, kind)
    before = text[: max(0, text.find(found))]
    return re.sub(r"[^\n]", " ", before) + found


def load(domain_path: str, problem_path: str) -> tuple[Domain, Problem]:
    """A checked pair; raises InputError with all diagnostics."""
    domain = parse_domain(pddl_in(read_text(domain_path), "domain"))
    if domain.value is None:
        raise InputError(f"{domain_path} is no good domain:\n{render_all(domain.diagnostics, domain_path)}")
    problem = parse_problem(pddl_in(read_text(problem_path), "problem"), domain.value)
    if problem.value is None:
        raise InputError(f"{problem_path} is no good problem:\n{render_all(problem.diagnostics, problem_path)}")
    return domain.value, problem.value


def grounded(domain: Domain, problem: Problem, *, max_seconds: float | None = None) -> GroundTask:
    try:
        return ground(domain, problem, max_seconds=max_seconds)
    except GroundingLimit as limit:
        raise InputError(f"the problem {problem.name} is too large to be grounded: {limit}") from None


def check_command(given: argparse.Namespace) -> int:
    domain = parse_domain(pddl_in(read_text(given.domain), "domain"))
    reports = [(given.domain, domain.value is not None, domain.diagnostics)]
    if domain.value is not None:
        for path in given.problems:
            problem = parse_problem(pddl_in(read_text(path), "problem"), domain.value)
            reports.append((path, problem.value is not None, problem.diagnostics))
    good = all(ok for _, ok, _ in reports)
    if given.json:
        files = [{"file": f, "good": ok, "diagnostics": [d.to_json() for d in found]} for f, ok, found in reports]
        print_json({"good": good, "files": files})
        return 0 if good else 1
    for path, ok, found in reports:
        if found:
            print(render_all(found, path))
        print(f"{path}: {'good' if ok else 'not good'}")
    if domain.value is None and given.problems:
        print("the problems were not looked at: they are read against a good domain")
    return 0 if good else 1


def plan_command(given: argparse.Namespace) -> int:
    from cultivar.environments.pddl.planner.external import plan_external
    from cultivar.environments.pddl.planner.search import plan

    if given.timeout <= 0:
        raise InputError(f"--timeout {given.timeout:g}: give a number of seconds above 0")
    domain, problem = load(given.domain, given.problem)
    if given.planner == "own":
        task = grounded(domain, problem, max_seconds=given.timeout)
        found = plan(task, optimal=given.optimal, max_seconds=given.timeout)
    else:
        texts = write_domain(domain), write_problem(problem)
        found = plan_external(*texts, optimal=given.optimal, max_seconds=given.timeout)
    lines = [f"({' '.join((name, *args))})" for name, args in found.steps()]
    if given.json:
        print_json(
            {"status": found.status, "plan": lines, "cost": found.cost, "optimal": found.optimal}
            | {"expanded": found.expanded, "seconds": round(found.seconds, 3)}
        )
    elif found.status == "solved":
        print("\n".join(lines))
        print(f"; cost {found.cost}, {len(lines)} steps{', proved optimal' if found.optimal else ''}")
    elif found.status == "unsolvable":
        print("; proved unsolvable: no sequence of actions reaches the goal")
    else:
        print(
            f"; no plan found within {given.timeout:g} CPU seconds ({found.expanded:,} states); try a larger --timeout"
        )
    return 0 if found.status == "solved" else 1


def validate_command(given: argparse.Namespace) -> int:
    domain, problem = load(given.domain, given.problem)
    steps = read_plan(read_text(given.plan))
    result = Simulator(grounded(domain, problem)).validate(steps)
    good = result.valid and result.reached_goal
    if given.json:
        print_json(
            {"good": good, "steps": len(steps), "failed_step": result.failed_step, "message": result.message}
            | {"cost": result.cost}
        )
    else:
        print(f"valid: {len(steps)} steps, cost {result.cost}" if good else f"not valid: {result.message}")
    return 0 if good else 1
