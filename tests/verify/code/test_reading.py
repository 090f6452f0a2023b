"""Code and tests out of replies, and what several solutions agree on: nothing is run here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import InputError, Unparsable
from cultivar.core.records import Instruction
from cultivar.verify.code import agreement, assertions, checked, code_lines, code_of

HOSTILE = [
    "x = " + "-" * 19_000 + "1",
    "(" * 19_000,
    "a." * 9_000 + "b",
    "assert " + "not " * 4_000 + "f(1)",
    "assert f(1)" + "(1)" * 6_000,
    "assert f(1)" + "+1" * 9_000,
    "x = " + "[1," * 5_000,
    "x = 1\0",
    "x = '\ud800'",
    "x" * 30_000,
    "",
    "```python\n",
    "```\n```",
    "I cannot do that.",
    "f'{" * 5_000,
]


@pytest.mark.parametrize("reply", HOSTILE)
def test_hostile_replies_end_in_a_reason(reply: str) -> None:
    for read in (code_of, assertions):
        try:
            read(reply)
        except Unparsable as error:
            assert str(error)
            assert len(str(error)) < 300


@given(st.text(alphabet="asert f(1)=\n`python[]{}:'\"#\\x", max_size=200))
def test_any_text_is_read_or_refused(reply: str) -> None:
    for read in (code_of, assertions):
        try:
            read(reply)
        except Unparsable:
            continue


def test_the_longest_python_block_is_the_code() -> None:
    function = "def f():\n    return 1"
    reply = f"```bash\n{'pip install x ' * 9}\n```\n```py\nx = 1\n```\n```python\n{function}\n```"
    assert code_of(reply, "f") == function
    assert code_of("def f(): ...") == "def f(): ..."
    assert code_of("```\nf = lambda: 1\n```", "f") == "f = lambda: 1"
    assert code_of("from math import sqrt as f", "f")
    with pytest.raises(Unparsable, match="defines no 'g'"):
        code_of(reply, "g")


def test_the_code_is_what_defines_the_entry_with_what_it_needs() -> None:
    use = "print(f(1))\n" * 9
    assert code_of(f"```python\ndef f(x): return x\n```\nUse it:\n```python\n{use}```", "f") == "def f(x): return x"
    helper, main = "def g(x):\n    return x", "def f(x):\n    y = g(x)\n    return y"
    usage = "y = f(1)\nassert y"  # `y` is a local name of the function
    reply = "\n".join(f"```python\n{part}\n```" for part in (helper, main, usage, "def f(x): return 0"))
    assert code_of(reply, "f") == f"{helper}\n\n{main}"
    with pytest.raises(Unparsable, match="at most"):
        code_of(f"```python\nb = '{'x' * 19_000}'\n```\n```python\ndef f():\n    {'a = b;' * 500} return a\n```", "f")


def test_assertions_in_test_functions() -> None:
    found = assertions("def test_f():\n    n = 2\n    assert f(1) == n\n\nclass T: pass\n\ntest_f()")
    assert found.tests == ("n = 2\nassert f(1) == n",)
    imports = "from math import pi\nfrom solution import f\nimport numpy, os"
    assert assertions(f"{imports}\nassert f(1) == pi").tests == ("from math import pi\nassert f(1) == pi",)


@pytest.mark.parametrize(
    "test",
    [
        "with pytest.raises(ValueError):\n    f('')",
        "with pytest.raises(ValueError, match='x') as error: f('')",
        "try:\n    f('')\n    assert False, 'no error'\nexcept ValueError:\n    assert True",
        "try:\n    f('')\nexcept (ValueError, TypeError) as e:\n    pass\nelse:\n    assert False",
    ],
)
def test_an_error_can_be_demanded(test: str) -> None:
    found = assertions(f"import pytest\nassert f('a') == 1\n{test}")
    assert len(found.tests) == 2
    assert "assert False" in found.tests[1]
    assert "pytest" not in found.tests[0] + found.tests[1]
    assert found.entry == "f"


@pytest.mark.parametrize(
    "test",
    [
        "try:\n    f('')\nexcept ValueError:\n    pass",
        "try:\n    f('')\n    assert False\nexcept Exception:\n    pass",
        "try:\n    f('')\n    assert False\nexcept:\n    pass",
        "try:\n    assert f('') == 1\nfinally:\n    pass",
        "with open('x') as out: f('')",
    ],
)
def test_what_passes_without_the_error_is_no_test(test: str) -> None:
    assert len(assertions(f"assert f('a') == 1\n{test}").tests) == 1


def test_assertions_of_one_function() -> None:
    reply = (
        "```python\nimport math\nbig = [1] * 3\n# a comment\nassert area(1) == math.pi\n"
        "assert area(len(big)) > 0, 'big'\n"
        "assert other(1) == 1\nassert 1 == 1\nassert area(1) == math.pi\nprint('x')\n```"
    )
    found = assertions(reply)
    assert (found.entry, found.call) == ("area", "area(1)")
    setting = "import math\nbig = [1] * 3\n"
    assert found.tests == (f"{setting}assert area(1) == math.pi", f"{setting}assert area(len(big)) > 0, 'big'")


def test_assertions_of_several_blocks_and_of_classes() -> None:
    found = assertions("```python\nassert Stack().size() == 0\n```\nand\n```python\nassert Stack([1]).size() == 1\n```")
    assert (found.entry, found.call, len(found.tests)) == ("Stack", "Stack()", 2)


def report(*passed: bool) -> dict[str, object]:
    return {"tests": [{"verdict": "passed" if each else "failed"} for each in passed]}


def test_more_than_half_of_all_that_were_sampled() -> None:
    reports = [report(True, True, False), report(True, False, False)]
    assert agreement(reports, 2).counting == (0,)
    assert agreement(reports, 3).counting == (0,)
    assert (agreement(reports, 4).counting, agreement(reports, 4).reason) == ((), "disputed")
    assert agreement(reports, 2).best == 0
    assert agreement(reports, 2, least=2).reason == "disputed"
    assert agreement(reports, 2, least=2).best is None


@given(
    st.integers(1, 5).flatmap(
        lambda k: st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=k, max_size=k)
    )
)
def test_what_is_kept_passes_all_that_counts(votes: list[list[bool]]) -> None:
    found = agreement([report(*row) for row in votes], len(votes))
    for n in range(4):
        assert (n in found.counting) == (sum(row[n] for row in votes) > len(votes) / 2)
    if found.best is not None:
        assert found.counting
        assert all(votes[found.best][n] for n in found.counting)
        assert not any(all(row[n] for n in found.counting) for row in votes[: found.best])
    assert (found.reason == "") == (found.best is not None)


def test_what_does_not_run() -> None:
    broken = {"tests": [{"verdict": "error"}, {"verdict": "syntax"}]}
    assert agreement([broken, broken], 3).reason == "does-not-run"
    assert agreement([], 3).reason == "does-not-run"
    assert dict(agreement([broken], 1).verdicts) == {"error": 1, "syntax": 1}


def test_lines_that_look_like_code() -> None:
    assert code_lines("Write it.\n```python\nx = 1\n\n```\ndef f(x):\n    y\nIt is fine.") == {
        "x = 1",
        "def f(x):",
        "y",
    }
    assert code_lines("Add one more constraint, in about ten words.") == set()


def test_problems_are_checked() -> None:
    good = Instruction(prompt="def f():", meta={"test": "def check(f): ...", "entry_point": "f"})
    assert checked([good], "x") == [good]
    with pytest.raises(InputError, match="file, row 2: there is no text under 'test'"):
        checked([good, Instruction(prompt="def f():", meta={"entry_point": "f", "test": 3})], "file")
