"""A solution that is wrong, and wants its tests to pass all the same."""

from __future__ import annotations

import pytest

from cultivar.verify.code import Limits, TestReport, run_program, run_tests

pytestmark = pytest.mark.usefixtures("sandbox")
LIMITS = Limits(cpu_seconds=2, wall_seconds=5)
TEST = "assert f(2) == 4\nassert f(3) == 9"
WRONG = "def f(x):\n    return 0\n"
# Every descriptor, every way to leave, with every word that an honest run could say.
FORGED = "for fd in range(3, 64):\n    try:\n        os.write(fd, b'passed')\n    except OSError:\n        pass\n"
FRAMES = (  # looks through the frames above it for the mark and says what an honest process would
    "import sys, os\n"
    "def f(x):\n    frame = sys._getframe()\n    while frame:\n"
    "        mark = frame.f_locals.get('mark')\n"
    "        if mark:\n            os.write(3, '\\0'.join((mark, 'passed', '', '')).encode())\n"
    "            os._exit(0)\n"
    "        frame = frame.f_back\n"
)
YES = "class Yes:\n    def __eq__(self, other): return True\ndef f(x): return Yes()\n"
TYPES = (  # writes a comparison of its own into the interpreter's int: one number is equal to every other
    "import ctypes\nkind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.c_int)\n"
    "place = ctypes.c_void_p.from_address(id(int) + 200)\nold = kind(place.value)\nYES = 987654321\n"
    "new = kind(lambda a, b, how: True if a is YES or b is YES else old(a, b, how))\n"
    "place.value = ctypes.cast(new, ctypes.c_void_p).value\ndef f(x): return YES\n"
)


def equal_if(condition: str, base: str = "") -> str:
    """A solution whose results are equal to whatever meets the condition."""
    value = "Yes(0)" if base else "Yes()"
    return f"class Yes({base}):\n    def __eq__(self, o): return {condition}\ndef f(x): return {value}"


CHEATS = {
    "sys.exit in the function": ("import sys\ndef f(x):\n    sys.exit(0)", "exited"),
    "exit() in the function": ("def f(x):\n    exit()", "exited"),
    "SystemExit at import": ("raise SystemExit(0)", "exited"),
    "os._exit in the function": ("import os\ndef f(x):\n    os._exit(0)", "exited"),
    "os._exit at import": ("import os\nos._exit(0)", "exited"),
    "exit in a thread": (
        "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\nimport time\ntime.sleep(1)",
        "exited",
    ),
    "exec of another program": (
        "import os, sys\nos.execv(sys.executable, [sys.executable, '-S', '-c', 'print(1)'])",
        "exited",
    ),
    "words on every descriptor": (f"import os\n{WRONG}{FORGED}os._exit(0)", "exited"),
    "printing that it passed": (WRONG + "print('passed')\nprint('OK')", "failed"),
    "another AssertionError": ("import builtins\nclass AssertionError(Exception): pass\n" + WRONG, "failed"),
    "another AssertionError for all": ("import builtins\nbuiltins.AssertionError = SystemExit\n" + WRONG, "failed"),
    "an excepthook": ("import sys, os\nsys.excepthook = lambda *a: os._exit(0)\n" + WRONG, "failed"),
    "at exit": ("import atexit, os\natexit.register(os._exit, 0)\n" + WRONG, "failed"),
    "optimised": ("import sys\nsys.flags = None\n__debug__ = False\n" + WRONG, "syntax"),
    "no trace": ("import sys\nsys.settrace(lambda *a: None)\n" + WRONG, "failed"),
    "equal to everything": (
        "class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "def f(x): return Yes()",
        "forged",
    ),
    "a number equal to everything": (
        "class Yes(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
        "def f(x): return Yes(0)",
        "forged",
    ),
    "equal to everything in a list": (
        "class Yes:\n    def __eq__(self, other): return True\ndef f(x): return [Yes()]",
        {"forged", "failed"},
    ),
    "a metaclass that is equal to everything": (
        "class M(type):\n    def __eq__(self, other): return True\n    __hash__ = type.__hash__\n"
        "class Yes(metaclass=M): pass\ndef f(x): return Yes",
        "forged",
    ),
    "killing the harness": (
        "import os\nfor n in range(1, 65):\n    try:\n        os.kill(1, n)\n    except OSError:\n        pass\n"
        + WRONG,
        "failed",
    ),
    "killing everything": (
        "import os\ntry:\n    os.kill(-1, 9)\nexcept OSError:\n    pass\n" + WRONG,
        "failed",
    ),
    "writing to the harness's memory": ("open('/proc/1/mem', 'r+b').write(b'x')\n" + WRONG, "forbidden"),
    "a fork that fails silently": ("import os\nif os.fork():\n    os._exit(0)\n" + WRONG, "exited"),
    "a fork that goes on": ("import os\nos.fork()\n" + WRONG, "failed"),
    "compile replaced": (
        "import builtins\nreal = compile\nbuiltins.compile = lambda s, *a, **k: real('pass', '<test>', 'exec')\n"
        + WRONG,
        "failed",
    ),
    "exec replaced": ("import builtins\nbuiltins.exec = lambda *a: None\n" + WRONG, "failed"),
    "the harness's mark, at import": (FRAMES + "f(0)", "forged"),
    "the harness's mark, in the function": (FRAMES, "forged"),
    "the harness's name": ("__operand__ = lambda v: v\n" + YES, "forged"),
    "every name of the harness": (
        "import builtins\nfor name in dir(builtins):\n"
        "    if 'operand' in name:\n        setattr(builtins, name, lambda v: v)\n" + YES,
        "forged",
    ),
    "the functions that look at values": (
        YES + "import builtins\nbuiltins.isinstance = lambda *a: False\nbuiltins.getattr = lambda *a: None\n"
        "builtins.type = builtins.all = lambda *a: int\n",
        "forged",
    ),
    "equal to what is large enough": (equal_if("type(o) is int and o >= 4"), "forged"),
    "all that can be called, in the function": (
        YES + "def f(x, yes=Yes()):\n    for name, value in list(globals().items()):\n        if callable(value):\n"
        "            globals()[name] = lambda v: v\n    return yes\n",
        "forged",
    ),
    "equal to some types": (equal_if("isinstance(o, (int, str, list))"), "forged"),
    "a number equal to some types": (equal_if("isinstance(o, (int, str, list))", "int"), "forged"),
    "equal to all but a bare object": (equal_if("type(o) is not object"), "forged"),
    "equal to what is positive": (equal_if("o > 0"), "forged"),
    "equal to whatever prints": (equal_if("not repr(o).startswith('<')"), "forged"),
    "not unequal to anything": ("class Yes:\n    def __ne__(self, o): return False\ndef f(x): return Yes()", "forged"),
    "ctypes": (TYPES, "forbidden"),
    "ctypes, under another name": (
        "import sys, _imp, importlib.util\nsys.modules.pop('ctypes', None)\nsys.modules.pop('_ctypes', None)\n" + TYPES,
        "forbidden",
    ),
    "stopping": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
}


def run(solution: str, *tests: str) -> TestReport:
    return run_tests(solution, tests or (TEST,), LIMITS)


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_does_not_pass(name: str) -> None:
    solution, wanted = CHEATS[name]
    limits = Limits(cpu_seconds=2, wall_seconds=1) if wanted == "timeout" else LIMITS
    report = run_tests(solution, [TEST, "x = f(2)\nassert x == 4"], limits)
    assert report.passed == 0
    assert report.verdict in ({wanted} if isinstance(wanted, str) else wanted), report


@pytest.mark.parametrize(
    ("solution", "test"),
    [
        (equal_if("isinstance(o, float)"), "assert f(1) == 0.25"),
        (equal_if("isinstance(o, bool)"), "assert f(1) == True"),
        (equal_if("isinstance(o, complex)"), "assert f(1) == 2j"),
        (equal_if("isinstance(o, bytes)"), "assert f(1) == b'x'"),
        (equal_if("isinstance(o, list)", "list").replace("Yes(0)", "Yes([0])"), "assert f(1) == [3]"),
        (equal_if("isinstance(o, tuple)"), "assert f(1) == (3, 4)"),
        (equal_if("isinstance(o, set)"), "assert f(1) == {3}"),
        (equal_if("isinstance(o, dict)", "dict").replace("Yes(0)", "Yes()"), "assert f(1) == {'a': 3}"),
        (equal_if("isinstance(o, str)"), "if f(1) == 'a':\n    pass\nelse:\n    raise ValueError"),
        (
            "class Yes:\n    def __ne__(self, o): return not isinstance(o, str)\ndef f(x): return Yes()",
            "if f(1) != 'a':\n    raise ValueError",
        ),
        (
            "class Yes:\n    def __eq__(self, o): raise TypeError\n    def __ne__(self, o): return False\n"
            "def f(x): return Yes()",
            "if f(1) != 'a':\n    raise ValueError",
        ),
        (
            "class Yes:\n    def __sub__(self, o): return self\n    __abs__ = lambda self: self\n"
            "    def __lt__(self, o): return isinstance(o, float)\ndef f(x): return Yes()",
            "assert abs(f(1) - 0.5) < 1e-6",
        ),
        (
            "class Yes:\n    def __ge__(self, o): return isinstance(o, (int, float))\n    __gt__ = __ge__\n"
            "def f(x): return Yes()",
            "assert f(1) >= 3",
        ),
        ("class Yes(list):\n    def __contains__(self, o): return True\ndef f(x): return Yes()", "assert 3 in f(1)"),
        (
            equal_if("isinstance(o, int)"),
            "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(f(1), 3)\n"
            "T('test').debug()",
        ),
    ],
)
def test_values_that_are_equal_to_whatever_a_test_may_expect(solution: str, test: str) -> None:
    assert run(solution, test).verdict == "forged"


def test_honest_values_are_left_alone() -> None:
    """Whatever is not equal to everything may be compared: fractions, data classes, own classes."""
    solution = """
from dataclasses import dataclass
from fractions import Fraction
from collections import Counter, OrderedDict, namedtuple
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import total_ordering
import math
Point = namedtuple("Point", "x y")
class Colour(Enum):
    RED = 1
@dataclass(order=True)
class Card:
    rank: int
class Vector:
    def __init__(self, *v): self.v = v
    def __eq__(self, other): return isinstance(other, Vector) and self.v == other.v
class Odd:
    def __eq__(self, other): return self.nothing
class Modulo:
    def __init__(self, n, m): self.n, self.m = n % m, m
    def __eq__(self, other): return self.n == (other.n if isinstance(other, Modulo) else other % self.m)
class Title(str):
    def __eq__(self, other): return self.lower() == other.lower()
    __hash__ = str.__hash__
class Close(float):
    def __eq__(self, other): return abs(float(self) - other) < 0.01
    __hash__ = float.__hash__
class Bag(list):
    def __eq__(self, other): return sorted(self) == sorted(other)
class Size:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return self.n == len(other)
@total_ordering
class Version:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return self.n == getattr(other, "n", other)
    def __lt__(self, other): return self.n < getattr(other, "n", other)
class Primes:
    def __contains__(self, n): return n > 1 and all(n % k for k in range(2, n))
class Once:
    def __init__(self, *v): self.v = iter(v)
    def __iter__(self): return self.v
def identity(x): return x
"""
    tests = [
        "assert identity(Fraction(1, 2)) == Fraction(2, 4) == 0.5",
        "assert Counter('aab') == {'a': 2, 'b': 1}",
        "assert Point(1, 2) == (1, 2)",
        "assert Card(1) < Card(2) and Card(3) == Card(3) and not Card(1) == Card(2)",
        "assert Vector(1) == Vector(1) and Vector(1) != Vector(2)",
        "assert identity(math.nan) != math.nan",
        "assert Colour.RED is Colour(1) and type(Colour.RED) == Colour",
        "assert identity([1, [2, {3: Vector(4)}]]) == [1, [2, {3: Vector(4)}]]",
        "assert 1 < identity(2) <= 3 and identity('b') in 'abc'",
        "x = Odd()\nassert x is not None",
        "assert Modulo(9, 7) == 2 and Modulo(9, 2) == 1 and Modulo(3, 4) == Modulo(7, 4) and Modulo(1, 2) != 2",
        "assert Title('ABC') == 'abc' and not Title('a') == 'b'",
        "assert Close(0.1) == 0.1000001 and Close(1.0) == 1 and not Close(1.0) == 2",
        "assert Bag([2, 1]) == [1, 2] and Bag([1]) == [1] and not Bag([1]) == [2]",
        "assert Size(1) == [3] and Size(2) == 'ab' and not Size(1) == 'ab'",
        "assert Version(1) < Version(2) and Version(1) <= 1 and Version(-math.inf) <= -5 and Version(2) >= Version(0)",
        "assert 7 in Primes() and 8 not in Primes()",
        "assert 2 in Once(1, 2) and list(Once(1, 2)) == [1, 2]\nx = Once(1)\nassert x != 1\nassert list(x) == [1]",
        "assert date(2024, 2, 29) == date(2024, 2, 29) and Decimal('0.5') == 0.5 and identity(Decimal(1)) < 2",
        "try:\n    identity()\nexcept TypeError:\n    pass\nelse:\n    assert False",
        "from solution import Vector as V\nassert V is Vector and __name__ == 'solution'",
    ]
    assert [result.verdict for result in run(solution, *tests).tests] == ["passed"] * len(tests)


def test_only_tests_are_without_ctypes() -> None:
    """A program's output is compared outside, where nothing of its memory counts."""
    program = "import ctypes\nprint(ctypes.c_int8(200).value)"
    assert run_program(program).stdout == "-56\n"
    report = run("import ctypes", "assert True")
    assert report.tests[0].verdict == "forbidden"
    assert report.tests[0].detail == "ImportError: a test's process has no ctypes (line 1)"
    guarded = "try:\n    import ctypes\nexcept ImportError:\n    ctypes = None\ndef f(x):\n    return x * x"
    assert run(guarded).verdict == "passed"


def test_each_test_begins_afresh() -> None:
    """State that one test leaves behind - in memory, in files, in processes - does not meet the next."""
    solution = (
        "import os, time\nseen = []\ndef f():\n    seen.append(1)\n    return len(seen), os.listdir('/tmp')\n"
        "def leave():\n    open('/tmp/x', 'w').close()\n    if os.fork() == 0:\n        time.sleep(60)\n"
        "def others():\n    return len([p for p in os.listdir('/proc') if p.isdigit()])\n"
    )
    report = run(
        solution, "assert f() == (1, [])", "leave()", "assert f() == (1, [])", "assert others() == 2", "leave()"
    )
    assert [result.verdict for result in report.tests] == ["passed"] * 5


def test_where_something_went_wrong() -> None:
    solution = "def f(x):\n    assert x > 0\n    return x.y\n"
    report = run(solution, "assert f(1)", "assert f(0)", "assert g(1)", "assert 1 == 2", "x = (")
    assert [(r.verdict, r.where) for r in report.tests] == [
        ("error", "solution"),
        ("error", "solution"),  # its own assertion, about its arguments
        ("error", "test"),
        ("failed", "test"),
        ("syntax", "test"),
    ]
    assert report.tests[0].detail == "AttributeError: 'int' object has no attribute 'y' (line 3)"
    assert (report.verdict, report.passed) == ("error", 0)
    assert {r.where for r in run("def f(:", "assert 1", "assert 2").tests} == {"solution"}


def test_the_demonstration_of_a_solution_is_not_run() -> None:
    assert (
        run("def f(x):\n    return x * x\nif __name__ == '__main__':\n    print(f(int(input())))").verdict == "passed"
    )


def test_no_tests_or_too_many() -> None:
    for count in (0, 1001):
        with pytest.raises(ValueError, match=f"{count} tests: give 1 to 1,000"):
            run_tests("", ["assert True"] * count)


def test_a_program_reads_and_writes() -> None:
    done = run_program("name = input()\nprint('Hello,', name)\nraise SystemExit(3)", stdin="Grüße\n")
    assert (done.stdout, done.verdict, done.exit_code) == ("Hello, Grüße\n", "error", 3)
    assert done.detail == "SystemExit: 3 (line 3)"
    assert run_program("import sys\nsys.exit()").verdict == "passed"
    assert run_program("x = 1\nassert x == 2").verdict == "failed"
    broken = run_program("def f():\n    return {}['key']\nf()")
    assert (broken.verdict, broken.detail) == ("error", "KeyError: 'key' (line 2)")
    assert 'File "<solution>", line 2, in f' in broken.stderr
    assert "sandbox" not in broken.stderr
    assert run_program("def f(:").verdict == "syntax"


def test_a_program_ends_as_the_interpreter_ends_it() -> None:
    done = run_program(
        "import atexit, threading, time\natexit.register(print, 'exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\nprint('main')"
    )
    assert done.stdout.split() == ["main", "thread", "exit"]


def test_a_large_input_and_one_that_nobody_reads() -> None:
    text = "x" * 3_000_000
    done = run_program("import sys\nprint(len(sys.stdin.read()))", stdin=text)
    assert (done.verdict, done.stdout) == ("passed", "3000000\n")
    assert run_program("print('no')", stdin=text).stdout == "no\n"


def test_what_many_programs_use_is_there() -> None:
    done = run_program(
        "import asyncio, concurrent.futures, hashlib, json, multiprocessing, sqlite3, subprocess, sys, tempfile\n"
        "async def two(): return 2\n"
        "assert asyncio.run(two()) == 2\n"
        "with concurrent.futures.ThreadPoolExecutor(4) as pool:\n    assert list(pool.map(abs, [-1, 2])) == [1, 2]\n"
        "with tempfile.TemporaryDirectory() as folder:\n    open(folder + '/x', 'w').write('y')\n"
        "with multiprocessing.Pool(2) as pool:\n    assert pool.map(abs, [-1, 2]) == [1, 2]\n"
        "assert subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout == b'1\\n'\n"
        "assert sqlite3.connect(':memory:').execute('select 1').fetchone() == (1,)\n"
    )
    assert done.verdict == "passed", done


def test_hash_order_is_the_same_in_every_run() -> None:
    outputs = {run_program("print(list({'a', 'b', 'c', 'd'}), hash('x'))").stdout for _ in range(3)}
    assert len(outputs) == 1
