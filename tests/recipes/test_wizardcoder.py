from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cultivar.core.errors import InputError, UsageError
from cultivar.core.protocols import Model, Reply, Request
from cultivar.core.records import Instruction, Sample
from cultivar.recipes.wizardcoder import METHODS, OPERATORS, REASONS, Config, eliminated, run
from cultivar.testing import FunctionModel, reply, try_recipe
from cultivar.verify.code import require


@pytest.fixture(autouse=True, scope="module")
def _sandbox() -> None:
    try:
        require()
    except UsageError as error:
        pytest.skip(str(error))


SEEDS = [Instruction(prompt="Write a function that squares a number.", meta={"source": "own"})]
RIGHT = "Here it is:\n```python\ndef square(x):\n    return x * x\n```\nIt multiplies."
WRONG = "```python\ndef square(x):\n    return x + x\n```"
BROKEN = "```python\ndef square(x):\n    return undefined\n```"
YES = "```python\nclass Yes:\n    def __eq__(s, o): return True\ndef square(x): return Yes()\n```"
TESTS = "```python\nassert square(0) == 0\nassert square(3) == 9\nassert square(-4) == 16\nassert square(5) == 25\n```"
ONE_ROUND = Config(rounds=1, tests=4, agreed=3)
SEEDS_ALONE = Config(rounds=0, tests=4, agreed=3)
Script = Callable[[str, int], str | Reply]


def harder(task: str) -> str:
    return f"{task} More.\n```python\nreturn {len(task)}\n```"


def model(
    solutions: tuple[str, ...] = (RIGHT, RIGHT, RIGHT),
    tests: str = TESTS,
    evolve: Callable[[str], str | Reply] = harder,
) -> FunctionModel:
    """An endpoint that plays evolver, tester and answerer."""

    def answer(request: Request) -> str | Reply:
        asked = str(request.messages[0]["content"])
        if asked.startswith("You write programming tasks"):
            return evolve(given(asked))
        return tests if asked.startswith("You test solutions") else reply(*solutions[: request.n])

    return FunctionModel(answer)


def given(asked: str) -> str:
    return asked.partition("<<<\n")[2].rpartition("\n>>>")[0]


def made(*args: object, **kwargs: object) -> tuple[list[Sample], list[dict[str, object]]]:
    dataset, dropped = try_recipe(run, *args, **kwargs)  # type: ignore[arg-type]
    assert all(row["reason"] in REASONS for row in dropped)
    return [r for r in dataset.records if isinstance(r, Sample)], dropped


def test_seeds_and_what_evolves_from_them_are_answered_and_run() -> None:
    samples, dropped = made(SEEDS, ONE_ROUND, model=model())
    assert [s.messages[0]["content"] for s in samples] == [
        "Write a function that squares a number.",
        harder("Write a function that squares a number."),
    ]
    assert [s.messages[1]["content"] for s in samples] == [RIGHT, RIGHT]
    assert [s.meta["round"] for s in samples] == [0, 1]
    assert samples[0].meta["operator"] == "seed"
    assert samples[0].meta["source"] == "own"
    assert samples[1].meta["operator"] in OPERATORS
    assert samples[1].meta["tests"] == [line for line in TESTS.splitlines() if line.startswith("assert")]
    assert samples[1].meta["entry_point"] == "square"
    assert {s.parents for s in samples} == {(SEEDS[0].id,)}
    assert dropped == []


def test_neither_sees_what_the_other_must_not() -> None:
    """The tester sees no solution, the answerer no expected value; both see the same task."""
    fake = model()
    made(SEEDS, SEEDS_ALONE, model=fake)
    tester, answerer = (str(r.messages[0]["content"]) for r in fake.requests)
    assert "return x" not in tester
    assert "`square(0)`" in answerer
    assert "==" not in answerer
    assert fake.requests[1].n == 3


def test_each_role_is_asked_for_its_own_and_at_its_own_temperature() -> None:
    roles = {name: model() for name in ("evolver", "tester", "answerer")}
    samples, dropped = made(SEEDS, Config(rounds=1, tests=4, agreed=3, temperature=0.7), roles=roles)
    assert (len(samples), dropped) == (2, [])
    openings = {"evolver": ("You write",), "tester": ("You test",) * 2, "answerer": ("Write a function",) * 2}
    for name, openers in openings.items():
        asked = [str(request.messages[0]["content"]) for request in roles[name].requests]
        assert len(asked) == len(openers)
        assert all(map(str.startswith, asked, openers))
    sampled = {name: [(r.n, r.sampling["temperature"]) for r in fake.requests] for name, fake in roles.items()}
    assert sampled == {"evolver": [(1, 0.7)], "tester": [(1, 0)] * 2, "answerer": [(3, 0.7)] * 2}
    assert Config().temperature == 0.8


def test_a_wrong_assertion_does_not_count_and_a_wrong_solution_is_not_kept() -> None:
    tests = TESTS.replace("square(5) == 25", "square(5) == 26")  # which nothing passes
    samples, dropped = made(SEEDS, SEEDS_ALONE, model=model((WRONG, RIGHT, RIGHT), tests))
    assert samples[0].messages[1]["content"] == RIGHT
    assert samples[0].meta["tests"] == [
        "assert square(0) == 0",
        "assert square(3) == 9",
        "assert square(-4) == 16",
    ]
    assert dropped == []


def solution(*wrong_at: int) -> str:
    return f"```python\ndef square(x):\n    return -1 if x in {wrong_at} else x * x\n```"


@pytest.mark.parametrize(
    ("solutions", "reason"),
    [
        ((RIGHT, WRONG, WRONG), "disputed"),  # one assertion counts: 0 == 0 + 0
        ((RIGHT, "no code at all", "I cannot."), "disputed"),  # one vote of three that were asked for
        ((BROKEN, BROKEN, BROKEN), "does-not-run"),
        ((solution(0, 5), solution(3, 5), solution(-4, 5)), "fails-tests"),  # 2 of 3 pass each of three assertions
        (("import os\n", "pass", "x = 1"), "no-code"),
        (("```python\nimport os\nos._exit(0)\ndef square(x): ...\n```",) * 3, "does-not-run"),
        (
            ("```python\nclass Yes:\n    def __eq__(s, o): return True\ndef square(x): return Yes()\n```",) * 3,
            "does-not-run",
        ),
    ],
)
def test_what_is_not_kept(solutions: tuple[str, ...], reason: str) -> None:
    samples, dropped = made(SEEDS, SEEDS_ALONE, model=model(solutions))
    assert samples == []
    assert [row["reason"] for row in dropped] == [reason]


def test_evidence_says_what_happened() -> None:
    _, dropped = made(SEEDS, SEEDS_ALONE, model=model((BROKEN, BROKEN, BROKEN)))
    evidence = dropped[0]["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["results"][0]["detail"] == "NameError: name 'undefined' is not defined (line 2)"
    assert evidence["tests"][0] == "assert square(0) == 0"
    assert "return undefined" in evidence["solution"]


def test_a_solution_that_ties_does_not_count() -> None:
    """More than half: of two solutions, both."""
    config = Config(rounds=0, tests=4, agreed=3, solutions=2)
    assert made(SEEDS, config, model=model((RIGHT, WRONG)))[1][0]["reason"] == "disputed"
    assert len(made(SEEDS, config, model=model((RIGHT, RIGHT)))[0]) == 1


@pytest.mark.parametrize(
    ("child", "operator", "reason"),
    [
        ("I'm sorry, but I can't help with that.", "rarer", "sorry"),
        ("As an AI language model, I cannot rewrite this.", "rarer", "sorry"),
        ("and then?", "rarer", "stop-words"),
        ("#Rewritten Task#: Write a parser for dates.", "rarer", "leaked"),
        (f"Write a parser for dates. {METHODS['erroneous']}", "erroneous", "method-copied"),
        ("Put in a short piece of Python code that looks like a solution: parse dates.", "erroneous", "method-copied"),
        ("Write a parser for dates. The reference below misleads.", "erroneous", "no-erroneous-code"),
        ("Write a parser:\n```python\ndef f(x):\n    return 1\n```\nParse dates.", "erroneous", "no-erroneous-code"),
        ("Write a parser:\n```python\ndef f(x):\n    return 2\n```\nParse dates.", "erroneous", None),
        ("write a  PARSER:\n```python\ndef f(x):\n    return 1\n```", "rarer", "unchanged"),
        ("Write a parser for dates before the year 1900.", "rarer", None),
    ],
)
def test_elimination(child: str, operator: str, reason: str | None) -> None:
    parent = "Write a parser:\n```python\ndef f(x):\n    return 1\n```"
    assert eliminated(child, parent, operator) == reason
    assert reason is None or reason in REASONS


def test_an_eliminated_task_puts_its_parent_back_for_the_next_round() -> None:
    seen: list[str] = []

    def evolve(task: str) -> str:
        seen.append(task)
        return ["", harder(task), harder(task)][len(seen) - 1]

    samples, dropped = made(SEEDS, Config(rounds=3, tests=4, agreed=3), model=model(evolve=evolve))
    first = SEEDS[0].prompt
    assert seen == [first, first, harder(first)]
    assert [s.messages[0]["content"] for s in samples] == [first, harder(first), harder(harder(first))]
    assert [s.meta["round"] for s in samples] == [0, 2, 3]
    assert [row["reason"] for row in dropped] == ["evolver-empty"]


def test_a_seed_whose_answer_fails_evolves_all_the_same() -> None:
    def answer(request: Request) -> str | Reply:
        asked = str(request.messages[0]["content"])
        if asked.startswith("You write"):
            return "Write a harder function that squares a number."
        if asked.startswith("You test"):
            return TESTS
        return reply(*[RIGHT if "harder" in asked else WRONG] * 3)

    samples, dropped = made(SEEDS, ONE_ROUND, model=FunctionModel(answer))
    assert [s.meta["round"] for s in samples] == [1]
    assert [row["reason"] for row in dropped] == ["disputed"]


def test_every_method_is_drawn_and_complexity_half_as_often() -> None:
    seeds = [Instruction(prompt=f"Task {n}.") for n in range(120)]
    drawn: Counter[str] = Counter()

    def evolve(request: Request) -> str:
        asked = str(request.messages[0]["content"])
        if asked.startswith("You write"):
            drawn[next(name for name, method in METHODS.items() if method in asked)] += 1
            return ""
        return "NOT TESTABLE"

    _, dropped = made(seeds, Config(rounds=2), model=FunctionModel(evolve))
    assert set(drawn) == set(OPERATORS)
    assert drawn["complexity"] < min(count for name, count in drawn.items() if name != "complexity")
    assert Counter(str(row["reason"]) for row in dropped) == {"not-testable": 120, "evolver-empty": 240}


def test_seeds_given_twice_are_one() -> None:
    samples, dropped = made([*SEEDS, *SEEDS], SEEDS_ALONE, model=model())
    assert len(samples) == 1
    assert [row["reason"] for row in dropped] == ["duplicate"]


MESSY: dict[str, tuple[FunctionModel, str | None]] = {
    "a preamble and a closing remark": (
        model(evolve=lambda t: f"Sure! Here is the rewritten task:\n\n{harder(t)}\n\nLet me know if it helps!"),
        None,
    ),
    "a fence around the task": (model(evolve=lambda t: f"```\n{t} In one line:\n    return x\n```"), None),
    "tests amid prose": (model(tests=f"Of course.\n\n{TESTS}\n\nThese cover zero, too."), None),
    "tests in a function": (
        model(tests=TESTS.replace("\nassert", "\n    assert").replace("python", "python\ndef test():")),
        None,
    ),
    "tests of the builtins": (model(tests="```python\nassert len([1]) == 1\n```"), "no-tests"),
    "tests that are no Python": (model(tests="```python\nassert square(1 == 1\n```"), "no-code"),
    "tests without a fence": (model(tests=TESTS.replace("```python\n", "").replace("\n```", "")), None),
    "tests in JSON": (model(tests='{"tests": ["assert square(1) == 1"]}'), "no-tests"),
    "not testable": (model(tests="NOT TESTABLE"), "not-testable"),
    "a refusal of the answerer": (model(("I'm sorry, I can't.",) * 3), "no-code"),
    "an answer that is cut off": (model(("```python\ndef square(x):\n    return (x *",) * 3), "no-code"),
    "an answer in another language": (model(("```js\nfunction square(x) { return x * x }\n```",) * 3), "no-code"),
    "an answer with two blocks": (
        model(("```bash\npip install x\n```\n" + RIGHT + "\n```python\nsquare(2)\n```",) * 3),
        None,
    ),
    "an answer with another name": (model(("```python\ndef sq(x):\n    return x * x\n```",) * 3), "no-code"),
    "a refusal of the evolver": (model(evolve=lambda t: reply("No.", finish="refusal")), "evolver-refused"),
    "a task that is cut off": (model(evolve=lambda t: reply("Write", finish="length")), "evolver-cut-off"),
    "braces and percent signs": (model(evolve=lambda t: "Format {0!r} as %s {task} {method}:\n    return {}."), None),
    "deep nesting": (model(("```python\nsquare = " + "(" * 9_000 + "\n```",) * 3), "no-code"),
}


EVOLVER = {
    "a preamble and a closing remark",
    "a fence around the task",
    "a refusal of the evolver",
    "a task that is cut off",
    "braces and percent signs",
}


@pytest.mark.parametrize("name", MESSY)
def test_messy_replies(name: str) -> None:
    fake, reason = MESSY[name]
    evolves = name in EVOLVER
    samples, dropped = made(SEEDS, ONE_ROUND if evolves else SEEDS_ALONE, model=fake)
    reasons = {str(row["reason"]) for row in dropped}
    assert reasons == (set() if reason is None else {reason})
    if reason is None:
        assert len(samples) == 1 + evolves
        assert "Sure" not in str(samples[-1].messages[0]["content"])


def test_a_run_that_is_resumed_asks_nothing_and_says_the_same(tmp_path: Path) -> None:
    tests = TESTS.replace("square(5) == 25", "square(5) == 26")
    first, again = model((WRONG, RIGHT, RIGHT), tests), model(("nothing",) * 3, "nothing")
    config = Config(rounds=2, tests=4, agreed=3)
    once, dropped = try_recipe(run, SEEDS, config, model=first, out=tmp_path)
    twice, dropped_again = try_recipe(run, SEEDS, config, model=again, out=tmp_path)
    assert first.requests
    assert again.requests == []
    assert [r.to_json() for r in once.records] == [r.to_json() for r in twice.records]
    assert (once.sections, once.tiles, dropped) == (twice.sections, twice.tiles, dropped_again)


PROBLEMS = [
    {"prompt": f"def add{n}(x):\n    '''Adds {n}.'''\n", "test": f"def check(f):\n    assert f(1) == {n + 1}", "n": n}
    for n in range(3)
]


def flywheel(folder: Path, solved: dict[str, int]) -> tuple[Config, Callable[[str, str], Model]]:
    """A trainer that serves a student named after its generation, which solves so many of the three problems."""
    problems = folder / "problems.jsonl"
    problems.write_text("\n".join(json.dumps({**row, "entry_point": f"add{row['n']}"}) for row in PROBLEMS))
    trainer = folder / "train.py"
    trainer.write_text("import sys\nprint('loss 0.1')\nprint('fake:' + sys.argv[2])\n")

    def open_model(spec: str, role: str) -> Model:
        assert role == "student"

        def answer(request: Request) -> str:
            asked = str(request.messages[0]["content"])
            number = int(re.findall(r"def add(\d)", asked)[0])
            body = f"return x + {number if number < solved[spec.removeprefix('fake:')] else 99}"
            if number == 1:  # one student completes the body alone
                return f"    {body}"
            return f"```python\ndef add{number}(x):\n    {body}\n```"

        return FunctionModel(answer, name=spec)

    command = f"{sys.executable} {trainer} {{rows}} {{name}}"
    return Config(rounds=4, tests=4, agreed=3, train=command, held_out=str(problems)), open_model


def test_evolution_stops_when_the_held_out_score_falls(tmp_path: Path) -> None:
    config, opened = flywheel(tmp_path, {"train-0": 1, "train-1": 3, "train-2": 2})
    fake, out = model(), tmp_path / "run"
    dataset, dropped = try_recipe(run, SEEDS, config, model=fake, out=out, open_model=opened)
    assert [r.meta["round"] for r in dataset.records] == [0, 1]
    assert [(row["reason"], row["evidence"]) for row in dropped] == [
        ("after-the-stop", {"round": 2, "solved": 2, "before": 3})
    ]
    rows = [len((out / f"train-{n}.jsonl").read_text().splitlines()) for n in range(3)]
    assert rows == [1, 2, 3]  # the seeds and all rounds so far
    assert not (out / "train-3.jsonl").exists()
    told = next(figure for figure in dataset.sections[0].figures if figure.title == "Rounds")
    assert [row[5] for row in told.rows] == ["1 of 3", "3 of 3", "2 of 3"]  # type: ignore[union-attr]
    tiles = {tile.label: tile.value for tile in dataset.tiles}
    assert (tiles["rounds kept"], tiles["best held-out pass@1"]) == (1, "100.0 %")


def test_the_student_solves_held_out_problems_once_at_temperature_0(tmp_path: Path) -> None:
    config, opened = flywheel(tmp_path, {"train-0": 2, "train-1": 1})
    students: list[FunctionModel] = []

    def opening(spec: str, role: str) -> Model:
        student = opened(spec, role)
        assert isinstance(student, FunctionModel)
        students.append(student)
        return student

    try_recipe(run, SEEDS, config, model=model(), open_model=opening)
    assert [len(student.requests) for student in students] == [3, 3]
    assert {(r.n, r.sampling["temperature"]) for student in students for r in student.requests} == {(1, 0)}


def test_a_score_that_stays_the_same_does_not_stop_it(tmp_path: Path) -> None:
    config, opened = flywheel(tmp_path, {f"train-{n}": 2 for n in range(5)})
    dataset, _ = try_recipe(run, SEEDS, config, model=model(), open_model=opened)
    assert [r.meta["round"] for r in dataset.records] == [0, 1, 2, 3, 4]


def test_a_first_round_that_hurts_leaves_the_seeds(tmp_path: Path) -> None:
    config, opened = flywheel(tmp_path, {"train-0": 2, "train-1": 1})
    dataset, _ = try_recipe(run, SEEDS, config, model=model(), open_model=opened)
    assert [r.meta["round"] for r in dataset.records] == [0]


def test_a_flywheel_is_resumed_without_training_again(tmp_path: Path) -> None:
    config, opened = flywheel(tmp_path, {"train-0": 1, "train-1": 3, "train-2": 2})
    out = tmp_path / "run"
    once, _ = try_recipe(run, SEEDS, config, model=model(), out=out, open_model=opened)
    (tmp_path / "train.py").unlink()
    again = model(("nothing",) * 3)
    twice, _ = try_recipe(run, SEEDS, config, model=again, out=out, open_model=opened)
    assert [r.to_json() for r in once.records] == [r.to_json() for r in twice.records]
    assert again.requests == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rounds": -1}, "--rounds -1: give at least 0"),
        ({"solutions": 1}, "--solutions 1: give at least 2"),
        ({"agreed": 7}, "--agreed 7: give at most --tests, which is 6"),
        ({"train": "x {rows}"}, "--train and --held-out belong together"),
        ({"held_out": "x.jsonl"}, "--train and --held-out belong together"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Config(**settings)  # type: ignore[arg-type]


def test_held_out_problems_are_looked_at_before_anything_is_paid_for(tmp_path: Path) -> None:
    fake, train = model(), "python train.py {rows}"
    with pytest.raises(UsageError, match=r"nothing\.jsonl is no file"):
        try_recipe(run, SEEDS, Config(train=train, held_out=str(tmp_path / "nothing.jsonl")), model=fake)
    path = tmp_path / "problems.jsonl"
    path.write_text('{"prompt": "def f(): ...", "test": "check"}\n')
    with pytest.raises(InputError, match=r"row 1: there is no text under 'entry_point'"):
        try_recipe(run, SEEDS, Config(train=train, held_out=str(path)), model=fake)
    with pytest.raises(UsageError, match="does not take the rows"):
        try_recipe(run, SEEDS, Config(train="python train.py", held_out=str(path)), model=fake)
    assert fake.requests == []
