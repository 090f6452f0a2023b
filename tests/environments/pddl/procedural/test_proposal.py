"""The proposer as a whole: any passage, the same result everywhere, structures that differ."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.environments.pddl.auditing.audit_domain import audit_domain
from cultivar.environments.pddl.auditing.canonical import domain_key, problem_key
from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.narrate import Narrator
from cultivar.environments.pddl.parsing.parse import parse_domain, parse_problem
from cultivar.environments.pddl.parsing.write import write_domain, write_problem
from cultivar.environments.pddl.planner.search import plan
from cultivar.environments.pddl.procedural import propose

PASSAGE = "The gardener waters the roses and carries the seedlings into the greenhouse before the frost."

GRIPPER = """(define (domain gripper) (:requirements :strips :typing) (:types room ball hand)
  (:predicates (at ?r - room) (in ?b - ball ?r - room) (free ?h - hand) (carry ?b - ball ?h - hand))
  (:action move :parameters (?a ?b - room) :precondition (at ?a) :effect (and (at ?b) (not (at ?a))))
  (:action pick :parameters (?b - ball ?r - room ?h - hand) :precondition (and (in ?b ?r) (at ?r) (free ?h))
    :effect (and (carry ?b ?h) (not (in ?b ?r)) (not (free ?h))))
  (:action drop :parameters (?b - ball ?r - room ?h - hand) :precondition (and (carry ?b ?h) (at ?r))
    :effect (and (in ?b ?r) (free ?h) (not (carry ?b ?h)))))"""


@given(st.text(max_size=120), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_any_passage_gives_a_checked_domain_with_a_clear_language(passage: str, seed: int) -> None:
    made = propose(passage, random.Random(seed))
    assert parse_domain(write_domain(made.domain)).value == made.domain
    assert [d for d in check_language(made.domain, made.language) if d.severity == "error"] == []
    assert [f for f in audit_domain(made.domain) if f.drops] == []
    problem = made.sample(random.Random(seed), seed % 6 + 1)
    assert parse_problem(write_problem(problem), made.domain).value == problem


def test_the_same_passage_and_seed_give_the_same_in_every_process() -> None:
    script = (
        "import random; from cultivar.environments.pddl.procedural import propose\n"
        "from cultivar.environments.pddl.parsing.write import write_domain, write_problem\n"
        f"for seed in range(6):\n    p = propose({PASSAGE!r}, random.Random(seed))\n"
        "    print(write_domain(p.domain), p.description, p.language.to_json(), p.title)\n"
        "    print(write_problem(p.sample(random.Random(seed), seed + 1)))\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": h}, capture_output=True, check=True
        ).stdout
        for h in ("1", "2")
    ]
    assert said[0] == said[1] and len(said[0]) > 10_000


def test_a_proposal_can_be_pickled_and_sampled_in_any_order() -> None:
    made = propose(PASSAGE, random.Random(5))
    copy = pickle.loads(pickle.dumps(made))
    made.sample(random.Random(1), 6)
    assert made.sample(random.Random(2), 3) == copy.sample(random.Random(2), 3)


def test_structures_differ_and_none_is_gripper() -> None:
    keys = [domain_key(propose(PASSAGE, random.Random(seed)).domain) for seed in range(60)]
    assert len(set(keys)) >= 55
    gripper = parse_domain(GRIPPER).value
    assert gripper is not None and domain_key(gripper) not in keys


def test_sizes_steer_the_length_of_plans() -> None:
    means = []
    for size in (1, 3, 5):
        lengths = []
        for seed in range(10):
            made = propose(PASSAGE, random.Random(seed))
            found = plan(ground(made.domain, made.sample(random.Random(seed), size)), max_expansions=10_000)
            if found.status == "solved":
                lengths.append(len(found))
        assert len(lengths) >= 8
        means.append(sum(lengths) / len(lengths))
    assert all(longer > 1.3 * shorter for shorter, longer in pairwise(means)), means


def test_tasks_of_one_size_differ() -> None:
    made = propose(PASSAGE, random.Random(3))
    keys = {problem_key(made.domain, made.sample(random.Random(seed), 2)) for seed in range(10)}
    assert len(keys) >= 9


def test_the_theme_follows_the_passage() -> None:
    assert propose(PASSAGE, random.Random(0)).theme == "garden"


def test_who_directs_others_can_say_so_without_quoting() -> None:
    quoted = told = 0
    for seed in range(60):
        made = propose(PASSAGE, random.Random(seed))
        if made.draft.solo:
            continue
        narrator = Narrator(ground(made.domain, made.sample(random.Random(seed), 2)), made.language).inner_voice
        for operator in {op.name: op for op in narrator.task.operators}.values():
            said = narrator.doing(operator.name, operator.args)
            told += said.startswith("have the ")
            quoted += said.startswith('do "')
    assert told > 50
    assert quoted == 0
