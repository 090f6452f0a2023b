"""Plans checked by somebody else's validator. Development only: skipped where unified-planning is not installed.

It is Apache-2.0 and used as a reference alone: pip install '.[reference]'
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.library import seeds
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.planner.search import plan

pytest.importorskip("unified_planning", reason="the reference unified-planning is not installed: '.[reference]'")

PAIRS = [(seed.name, number) for seed in seeds() for number in range(3)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "number"), PAIRS, ids=[f"{name}-{number + 1}" for name, number in PAIRS])
def test_plans_of_the_seed_library_are_valid_for_others_too(name: str, number: int, tmp_path: Path) -> None:
    import unified_planning.shortcuts as up  # type: ignore[import-not-found,unused-ignore]
    from unified_planning.engines import SequentialPlanValidator  # type: ignore[import-not-found,unused-ignore]
    from unified_planning.io import PDDLReader  # type: ignore[import-not-found,unused-ignore]

    seed = next(s for s in seeds() if s.name == name)
    domain = parse_domain(seed.domain_text).value
    assert domain is not None
    problem = parse_problem(seed.problems[number], domain).value
    assert problem is not None
    steps = plan(ground(domain, problem)).steps()
    files = [tmp_path / part for part in ("domain.pddl", "problem.pddl", "plan.txt")]
    lines = "\n".join(f"({' '.join((action, *args))})" for action, args in steps)
    for path, text in zip(files, (seed.domain_text, seed.problems[number], lines)):
        path.write_text(text, "utf-8")
    up.get_environment().credits_stream = None
    up.get_environment().error_used_name = False
    reader = PDDLReader()
    theirs = reader.parse_problem(str(files[0]), str(files[1]))
    validator = SequentialPlanValidator()
    validator.skip_checks = True
    answer = validator.validate(theirs, reader.parse_plan(theirs, str(files[2])))
    assert answer.status.name == "VALID", lines
    shorter = tmp_path / "shorter.txt"
    shorter.write_text("\n".join(lines.splitlines()[:-1]), "utf-8")
    assert validator.validate(theirs, reader.parse_plan(theirs, str(shorter))).status.name == "INVALID"
