"""Replies that a real model gave to the recipe's prompts: two worlds, read and judged as they were then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from cultivar.core.errors import Unparsable
from cultivar.core.records import EnvironmentSpec
from cultivar.environments.pddl.assess import (
    assess,
    examine_domain,
    examine_language,
    examine_problem,
    read_domain,
    spec_of,
)
from cultivar.recipes.agentgen import read_description

ROWS = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "agentgen.jsonl").open("rb")]
WORLDS = sorted({row["environment"] for row in ROWS})


def replies(world: str, *kinds: str) -> list[dict[str, Any]]:
    return [row for row in ROWS if row["environment"] == world and row["kind"] in kinds]


def environment(world: str) -> EnvironmentSpec:
    description, domain_reply, language_reply = (
        replies(world, kind)[-1]["reply"] for kind in ("specification", "domain", "language")
    )
    domain, text = examine_domain(domain_reply)
    language = examine_language(language_reply, domain)
    return spec_of(text, language, title=domain.name, description=read_description(description), parents=())


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_read_at_the_first_attempt(world: str) -> None:
    spec = environment(world)
    assert len(spec.data["language"]["actions"]) >= 8


@pytest.mark.parametrize("world", WORLDS)
def test_its_problems_are_judged_as_they_were(world: str) -> None:
    spec = environment(world)
    domain = read_domain(spec.data["domain"])
    demands = {"expansions": 3_000, "optimal_expansions": 200}
    for row in replies(world, "problem", "variation"):
        if row["outcome"] == "unsolved":
            continue  # it takes 20,000 states to give up
        found = assess(spec, examine_problem(row["reply"], domain), demands, 1)
        gate = found["findings"][0]["gate"] if found["findings"] else "accepted"
        # Random walks are drawn from another seed here, and an easy task may fall on either side of the share.
        assert gate == row["outcome"] or {gate, row["outcome"]} == {"accepted", "random-walk"}


SLIPS = [orjson.loads(line) for line in (Path(__file__).parent / "recordings" / "agentgen_slips.jsonl").open("rb")]


@pytest.mark.parametrize("world", sorted({row["environment"] for row in SLIPS}))
def test_a_careless_model_is_told_what_to_mend(world: str) -> None:
    """Replies with the slips that smaller models make: each is refused with a reason, or read for what it says."""
    rows = [row for row in SLIPS if row["environment"] == world]
    domain, told = None, []
    for row in rows:
        try:
            if row["kind"] == "domain":
                domain, _ = examine_domain(row["reply"])
            elif row["kind"] == "language":
                assert domain is not None
                examine_language(row["reply"], domain)
            elif row["kind"] in ("problem", "variation"):
                assert domain is not None
                examine_problem(row["reply"], domain)
        except Unparsable as refused:
            told.append(str(refused))
    assert told
    for said in told:
        assert "line " in said or "arg" in said or "no sentence" in said, said
