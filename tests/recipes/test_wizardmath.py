"""A world of sums: a problem says "a + b", versions of it are counted, solutions are right or not as the test says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from cultivar.core.errors import Unparsable
from cultivar.core.protocols import Reply, Request
from cultivar.core.records import Instruction, Preference, Ranking, Sample, StepLabels
from cultivar.engines.outcomes import records_of
from cultivar.recipes.wizardmath import OPERATORS, REASONS, Config, Grown, read_problem, run
from cultivar.testing import FunctionModel, reply, try_recipe

pytest.importorskip("math_verify", reason="the extra 'math' is not installed")

SEEDS = [
    Instruction(prompt="Tom has 3 + 4 apples. How many are there?", reference="#### 7"),
    Instruction(prompt="Ann has 10 + 5 pears. How many are there?"),
]
SMALL = Config(rounds=2, versions=3, solutions=5)


def text_of(request: Request) -> str:
    return str(request.messages[0]["content"])


def role_of(request: Request) -> str:
    opening = {"Write a math problem": "evolver", "Solve this": "solver", "Here is a task": "judge"}
    return next((role for start, role in opening.items() if text_of(request).startswith(start)), "labeller")


def sum_of(text: str) -> int:
    found = re.findall(r"(\d+) \+ (\d+)", text) or [(0, 0)]
    return sum(map(int, found[-1]))


def solution(total: int, *, slip: bool = False) -> str:
    return f"We add both numbers.\nThat gives {total}{' (a slip)' if slip else ''}.\n#### {total}"


class World:
    """``right`` of the 5 solutions are right; the others give different wrong answers. ``best`` picks the version that
    the judge likes, by its text."""

    def __init__(self, right: int = 4, best: str = "version 2", honest: bool = True) -> None:
        self.right, self.best, self.honest = right, best, honest

    def __call__(self, request: Request) -> str | Reply:
        role = role_of(request)
        if role in ("evolver", "solver"):
            return self.evolve(request) if role == "evolver" else self.solve(request)
        return self.judge(request) if role == "judge" else self.label(request)

    def evolve(self, request: Request) -> Reply:
        total = sum_of(text_of(request))
        texts = (f"Here is the new problem:\nIn version {k}, Eve has {total} + {k} nuts. How many?" for k in (1, 2, 3))
        return reply(*[*texts][: request.n])

    def solve(self, request: Request) -> Reply:
        total = sum_of(text_of(request))
        good, bad = [solution(total)] * self.right, [solution(total + k, slip=True) for k in range(1, 6)]
        return reply(*(bad[: self.right < 5] + good + bad[1:])[: request.n])

    def judge(self, request: Request) -> str:
        shown = re.findall(r"^([A-H]):\n<<<\n(.*?)\n>>>", text_of(request), re.MULTILINE | re.DOTALL)
        order = sorted(shown, key=lambda pair: (self.best not in pair[1], pair[1]))
        return orjson.dumps({"ranking": [letter for letter, _ in order]}).decode()

    def label(self, request: Request) -> str:
        steps = re.findall(r"^\d+\. (.*)", text_of(request), re.MULTILINE)
        return orjson.dumps(
            {"labels": ["incorrect" if self.honest and "slip" in s else "correct" for s in steps]}
        ).decode()


def grown(
    world: Callable[[Request], Any], config: Config = SMALL, **options: Any
) -> tuple[list[Any], Counter[str], Any]:
    dataset, dropped = try_recipe(run, SEEDS, config, model=FunctionModel(world), **options)
    return list(dataset.records), Counter(row["reason"] for row in dropped), dataset


def answer_with(given: Reply, request: Request) -> Reply:
    return given


def of(records: list[Any], kind: type[Any]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


# -- the loop


def test_seeds_and_evolved_problems_become_rows_of_four_kinds() -> None:
    records, dropped, dataset = grown(World())
    assert not dropped
    samples = of(records, Sample)
    assert [s.meta["round"] for s in samples] == [0, 1, 2, 0, 1, 2]
    for sample in samples:
        problem, solved = (m["content"] for m in sample.messages)
        assert solved == solution(sum_of(problem))  # four of five agree on it, the first sampled one was wrong
        assert sample.parents[0] in {seed.id for seed in SEEDS}
    for pair in of(records, Preference):
        assert pair.chosen == solution(sum_of(pair.prompt))
        assert pair.rejected == solution(sum_of(pair.prompt) + 1, slip=True)
    assert len(of(records, Preference)) == 6
    assert len(of(records, Ranking)) == 4
    assert len(of(records, StepLabels)) == 12
    assert dataset.tiles[0].value == 6


def test_the_best_ranked_version_goes_on() -> None:
    for best in ("version 1", "version 3"):
        records, _, _ = grown(World(best=best))
        evolved = [s.messages[0]["content"] for s in of(records, Sample) if s.meta["round"]]
        assert len(evolved) == 4
        assert all(text.startswith(f"In {best},") for text in evolved)
        first, second = (s for s in of(records, Sample)[1:3])
        assert second.meta["parent"] == first.messages[0]["content"]
        assert first.meta["parent"] == SEEDS[0].prompt
        for ranking in of(records, Ranking):
            assert ranking.ranked[0].startswith(f"In {best},")
            assert len(ranking.ranked) == 3
        assert [r.meta["parent"] for r in of(records, Ranking)[:2]] == [first.meta["parent"], second.meta["parent"]]


def test_the_rows_of_a_seed_are_counted() -> None:
    row = Preference(prompt="p", chosen="c", rejected="r")
    assert list(records_of(Grown("0" * 16, [row]))) == [row]  # what --want and the display of progress see


def test_evolution_goes_up_and_down() -> None:
    records, _, _ = grown(World(), Config(rounds=30, versions=1))
    lines = Counter((s.meta["line"], s.meta["operator"]) for s in of(records, Sample) if s.meta["round"])
    assert {operator for _, operator in lines} == set(OPERATORS)
    assert all(OPERATORS[operator][0] == line for line, operator in lines)
    assert not of(records, Ranking)  # one version is no ranking


@pytest.mark.parametrize(("right", "share", "kept"), [(3, 0.6, True), (2, 0.6, False), (2, 0.4, True), (1, 0.2, False)])
def test_agreement_is_what_is_asked_for(right: int, share: float, kept: bool) -> None:
    records, dropped, _ = grown(World(right=right), Config(rounds=0, agreement=share))
    unreferenced = [s for s in of(records, Sample) if s.parents == (SEEDS[1].id,)]
    assert bool(unreferenced) is kept  # with one right answer of five all are tied
    assert dropped["no-agreement"] == (not kept)


def test_a_seed_is_held_against_its_reference_and_not_against_the_majority() -> None:
    records, _, _ = grown(World(right=1), Config(rounds=0))
    (sample,) = of(records, Sample)
    assert (sample.parents, sample.meta["answer"]) == ((SEEDS[0].id,), "7")
    assert sample.messages[1]["content"] == solution(7)
    records, dropped, _ = grown(World(right=0), Config(rounds=0))
    assert not of(records, Sample)
    assert not of(records, Preference)
    assert dropped["reference-missed"] == 1
    (labelled,) = {r.meta["right"] for r in of(records, StepLabels)}  # wrong solutions of a known answer teach steps
    assert labelled is False


def test_the_reference_of_a_row_may_have_another_name() -> None:
    for seed, options in (
        (Instruction(prompt=SEEDS[1].prompt, meta={"answer": "10 + 5 = 15\n#### 15"}), Config(rounds=0)),
        (Instruction(prompt=SEEDS[1].prompt, meta={"solved": 15}), Config(rounds=0, answers="solved")),
    ):
        dataset, _ = try_recipe(run, [seed], options, model=FunctionModel(World(right=1)))
        assert [s.meta["answer"] for s in of(list(dataset.records), Sample)] == ["15"]


def test_a_problem_without_agreement_is_evolved_no_further() -> None:
    def world(request: Request) -> Any:
        broken = role_of(request) == "solver" and "version" in text_of(request)
        return World(right=1 if broken else 5)(request)

    records, dropped, _ = grown(world)
    assert dropped["no-agreement"] == 4
    assert all(SEEDS[k // 2].prompt in r.prompt for k, r in enumerate(of(records, Ranking)))  # the seed is the parent
    assert {s.meta["line"] for s in of(records, Sample)} == {"seed"}


def test_cut_off_and_unstated_answers_have_no_vote() -> None:
    def world(request: Request) -> Any:
        if role_of(request) != "solver":
            return World()(request)
        total = sum_of(text_of(request))
        whole = reply(*[solution(total)] * 3, f"It is {total}.", "")
        cut = reply(solution(total), finish="length")
        return Reply((*whole.choices[:2], *cut.choices, *whole.choices[3:]))

    _, dropped, dataset = grown(world, Config(rounds=0))
    assert dropped["no-agreement"] == 1
    bars = dataset.sections[1].figures[0]
    assert bars.series["problems"][2] == 2.0


def test_votes_of_a_row_are_those_for_its_answer() -> None:
    records, _, dataset = grown(World(right=1), Config(rounds=0, agreement=1))
    assert [s.meta["votes"] for s in of(records, Sample)] == [1]
    dataset, _ = try_recipe(run, [SEEDS[0]], Config(rounds=0), model=FunctionModel(lambda r: mostly_wrong(r)))
    (sample,) = of(list(dataset.records), Sample)
    assert (sample.meta["answer"], sample.meta["votes"]) == ("7", 1)


def mostly_wrong(request: Request) -> Any:
    if role_of(request) != "solver":
        return World()(request)
    return reply(solution(7), *[solution(8, slip=True)] * 4)


def test_each_role_is_asked_for_its_own_and_at_its_own_temperature() -> None:
    roles = {name: FunctionModel(World()) for name in ("evolver", "judge", "solver", "labeller")}
    try_recipe(run, SEEDS, Config(rounds=1, versions=3, solutions=5, temperature=0.7), roles=roles)
    asked = {
        name: [(role_of(r), r.n, r.sampling["temperature"]) for r in fake.requests] for name, fake in roles.items()
    }
    assert asked == {
        "evolver": [("evolver", 3, 0.7)] * 2,
        "judge": [("judge", 1, 0)] * 4,
        "solver": [("solver", 5, 0.7)] * 4,
        "labeller": [("labeller", 1, 0)] * 8,
    }


# -- rankings and labels


def test_a_judge_that_goes_by_position_gives_no_ranking() -> None:
    def world(request: Request) -> Any:
        return '{"ranking": ["A", "B", "C"]}' if role_of(request) == "judge" else World()(request)

    records, dropped, _ = grown(world)
    assert not of(records, Ranking)
    assert dropped == {"order-decides": 4}
    assert len(of(records, Sample)) == 6


def test_versions_that_tie_are_not_ranked() -> None:
    """The judge sees which is best, and takes the others as they stand: of these the order decides."""

    def world(request: Request) -> Any:
        if role_of(request) != "judge":
            return World()(request)
        shown = re.findall(r"^([A-H]):\n<<<\n(.*?)\n>>>", text_of(request), re.MULTILINE | re.DOTALL)
        order = sorted(shown, key=lambda pair: "version 3" not in pair[1])
        return orjson.dumps({"ranking": [letter for letter, _ in order]}).decode()

    records, dropped, _ = grown(world)
    assert not dropped
    assert len(of(records, Ranking)) == 4
    for ranking in of(records, Ranking):
        assert [text[:12] for text in ranking.ranked] == ["In version 3", "In version 1"]


def several_ways(request: Request) -> Any:
    """A wrong solution, then three right ones that differ in their words, then another wrong one."""
    if role_of(request) != "solver":
        return World()(request)
    total = sum_of(text_of(request))
    right = [f"Way {k} is to count.\n{solution(total)}" for k in (1, 2, 3)]
    return reply(solution(total + 1, slip=True), *right, solution(total + 2, slip=True))


@pytest.mark.parametrize(
    ("labelled", "wanted"), [(0, []), (1, [True]), (2, [True, False]), (3, [True, False, False]), (9, [1, 0, 0])]
)
def test_one_right_solution_is_labelled_and_then_wrong_ones(labelled: int, wanted: list[bool]) -> None:
    records, _, _ = grown(several_ways, Config(rounds=0, labelled=labelled))
    for seed in SEEDS:
        found = [r for r in of(records, StepLabels) if r.parents == (seed.id,)]
        assert [r.meta["right"] for r in found] == wanted
        assert [r.steps[0] for r in found[:1]] == ["Way 1 is to count."][:labelled]
        total = sum_of(seed.prompt)
        wrong = [f"That gives {total + k} (a slip)." for k in (1, 2)]
        assert [r.steps[1].splitlines()[0] for r in found[1:]] == wrong[: max(0, labelled - 1)]


def test_a_second_evolver_takes_part_only_if_it_is_given() -> None:
    rival = FunctionModel(lambda request: reply(*(f"In rival {k}, Eve has 1 + {k} nuts. How many?" for k in (4, 5))))
    world = FunctionModel(World())
    roles = {"evolver-2": rival, **dict.fromkeys(("evolver", "judge", "solver", "labeller"), world)}
    dataset, _ = try_recipe(run, SEEDS, SMALL, roles=roles)
    for ranking in of(list(dataset.records), Ranking):
        assert sorted(text[:8] for text in ranking.ranked) == ["In rival"] * 2 + ["In versi"] * 3
    assert len(rival.requests) == sum(role_of(request) == "evolver" for request in world.requests) == 4


def test_labels_that_cannot_be_true_are_thrown_away() -> None:
    records, dropped, _ = grown(World(honest=False))
    assert dropped == {"no-step-is-wrong": 6}
    assert {r.meta["right"] for r in of(records, StepLabels)} == {True}
    records, _, _ = grown(World())
    wrong = [r for r in of(records, StepLabels) if not r.meta["right"]]
    assert [r.labels for r in wrong] == [(True, False)] * 6


def test_a_wrong_step_under_a_right_answer_is_kept_as_stated() -> None:
    def world(request: Request) -> Any:
        return '{"labels": ["incorrect", "correct"]}' if role_of(request) == "labeller" else World(right=5)(request)

    records, dropped, dataset = grown(world)
    assert not dropped
    assert {(r.meta["right"], r.labels) for r in of(records, StepLabels)} == {(True, (False, True))}
    assert not of(records, Preference)  # nothing is wrong with five right answers
    table, bars = dataset.sections[2].figures
    assert table.rows[-1][1] == 6
    assert bars.series["solutions"] == (6.0,)


# -- messy replies


@pytest.mark.parametrize(
    "mess",
    ["", "I'm sorry, but I cannot help with that.", "```\n", "{}", "[]", "null", "{'ranking': A}", "Ich weiß es nicht.",
     '{"labels": ["correct"]} {"labels": []}', "#### ", "\\boxed{", "A" * 5000, "{0} {problem} %s", "<think>hm"],
)  # fmt: skip
@pytest.mark.parametrize("role", ["evolver", "judge", "solver", "labeller", "all"])
def test_no_mess_of_a_model_is_a_crash(mess: str, role: str) -> None:
    def world(request: Request) -> Any:
        return mess if role in (role_of(request), "all") else World()(request)

    records, dropped, dataset = grown(world, Config(rounds=1, solutions=3, agreement=0.5))
    assert set(dropped) <= set(REASONS) == set(dataset.reasons)
    assert dropped
    if role in ("judge", "labeller", "evolver"):
        assert len(of(records, Sample)) >= 2


def test_replies_that_end_early_or_are_refused_are_no_crash() -> None:
    for finish in ("length", "content_filter", "refusal"):
        broken = reply("So be it, the answer is 7", finish=finish)
        records, dropped, _ = grown(partial(answer_with, broken))
        assert not records
        assert dropped["no-agreement"] == dropped["reference-missed"] == 1


def test_what_comes_around_a_problem_is_taken_off() -> None:
    parent = "How many apples are 3 + 4 apples?"
    wrapped = 'Sure! Here is the new problem:\n\n"How many apples are 3 + 4 + 5 apples?"'
    bare = "How many apples are 3 + 4 + 5 apples?"
    assert read_problem(wrapped, parent) == bare
    for around in ("Sure! Here's an easier version:\n\n", "**An Orchard**\n\n", "### Apples\n\n", "Problem: "):
        assert read_problem(around + bare, parent) == bare
    for whole in ("**Tom has 5 apples.**\n\nHow many has he?", "A shop sells\n\n3 + 4 apples. How many?"):
        assert read_problem(whole, parent) == whole


@pytest.mark.parametrize(
    "solved", ["(Answer: 12)", "Solution: 3 + 4 = 7, 7 + 5 = 12.", "**Answer:** 12", "#### 12", "\\boxed{12}"]
)
def test_a_problem_with_its_solution_is_none(solved: str) -> None:
    with pytest.raises(Unparsable, match="write the problem alone"):
        read_problem(f"How many apples are 3 + 4 + 5 apples?\n\n{solved}", "")


def test_text_of_a_model_is_no_template() -> None:
    seeds = [Instruction(prompt="A set {x | x > 3 + 4} and {0} and {problem}: what is 3 + 4?")]
    dataset, dropped = try_recipe(run, seeds, SMALL, model=FunctionModel(World()))
    assert len(of(list(dataset.records), Sample)) == 3
    assert not dropped


# -- settings and resuming


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("rounds", -1),
        ("versions", 0),
        ("versions", 5),
        ("solutions", 1),
        ("agreement", 0.0),
        ("agreement", 1.2),
        ("temperature", -1.0),
    ],
)
def test_settings_that_cannot_be(flag: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"--{flag} {value}: give"):
        Config(**{flag: value})


def test_a_run_that_is_done_again_asks_nothing_and_gives_the_same(tmp_path: Path) -> None:
    first, again = FunctionModel(World()), FunctionModel(World())
    once, _ = try_recipe(run, SEEDS, SMALL, model=first, out=tmp_path)
    twice, _ = try_recipe(run, SEEDS, SMALL, model=again, out=tmp_path)
    assert first.requests
    assert not again.requests
    assert [r.to_json() for r in once.records] == [r.to_json() for r in twice.records]


def test_more_rounds_go_on_from_what_is_there(tmp_path: Path) -> None:
    first, more = FunctionModel(World()), FunctionModel(World())
    try_recipe(run, SEEDS, Config(rounds=1), model=first, out=tmp_path)
    dataset, _ = try_recipe(run, SEEDS, Config(rounds=2), model=more, out=tmp_path)
    assert {s.meta["round"] for s in of(list(dataset.records), Sample)} == {0, 1, 2}
    assert len(more.requests) == len(SEEDS) * (1 + 2 + 1 + 2)  # versions, two readings, solutions, two labellings
