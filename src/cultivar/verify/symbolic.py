"""Whether two formulas are equal, decided by math-verify in a process of its own.

The formulas come from models, and sympy can be made to compute for ever (``9^{9^{9^9}}``), also within C code that no
signal handler interrupts. So one child process answers questions, a line of JSON each; the kernel ends it when a
question has taken ``SECONDS`` of CPU time or it wants more than ``MEMORY``, and the next question starts another. It
works out each formula by itself first, so that one that cannot be worked out is known and is never asked again. The
child is started when first needed (0.3 to 1 s of CPU for sympy), works from any thread, knows none of the environment's
variables, and ends with its parent.
"""

from __future__ import annotations

import atexit
import importlib.util
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from typing import Any

import orjson

from cultivar.core.extras import needed

SECONDS = 2.0
"""CPU seconds of one question."""
MEMORY = 2 * 2**30
"""Bytes of address space of the child."""
MAX_FORMULA = 300
MAX_DEPTH = 10
"The parser takes time that is exponential in the depth of brackets."
MAX_DIGITS = 40
MAX_KNOWN = 10_000
"""Formulas that are remembered as too hard."""

_OPENING, _CLOSING = "([{", ")]}"


def tame(formula: str) -> bool:
    """Whether a formula is short and flat enough to be read at all."""
    depth = deepest = 0
    for character in formula:
        depth += (character in _OPENING) - (character in _CLOSING)
        deepest = max(deepest, depth)
    digits = max((len(run) for run in re.findall(r"\d+", formula)), default=0)
    return len(formula) <= MAX_FORMULA and deepest <= MAX_DEPTH and digits <= MAX_DIGITS


def equal(first: str, second: str) -> bool | None:
    """Whether two formulas (LaTeX, or as a calculator takes them) are equal; None where that cannot be told.

    Raises UsageError where the extra ``math`` is not installed.
    """
    if not (tame(first) and tame(second)):
        return None
    return _CHILD.ask(first, second)


class _Child:
    """The process that compares, started again whenever it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._hard: set[str] = set()

    def ask(self, first: str, second: str) -> bool | None:
        with self._lock:
            if first in self._hard or second in self._hard:
                return None
            process = self._running()
            assert process.stdin is not None and process.stdout is not None
            try:
                process.stdin.write(orjson.dumps([first, second]) + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                self._end()
                return None
            for formula in (first, second):
                if not process.stdout.readline():
                    self._end()
                    if len(self._hard) < MAX_KNOWN:
                        self._hard.add(formula)
                    return None
            line = process.stdout.readline()
            if not line:
                self._end()
                return None
            found: bool | None = orjson.loads(line)
            return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            if importlib.util.find_spec("math_verify") is None:
                needed("math_verify", "math")
            path = os.pathsep.join(entry for entry in sys.path if entry)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __spec__.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": path},
            )
            self._owner = os.getpid()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    def close(self) -> None:
        with self._lock:
            self._end()


_CHILD = _Child()
atexit.register(_CHILD.close)


# -- in the child


def _read(formula: str, verify: Any) -> Any:
    formula = re.sub(r"(?<![\\A-Za-z])pi(?![A-Za-z])", r"\\pi ", formula.replace("**", "^"))
    config = [verify.LatexExtractionConfig()]
    return verify.parse(f"${formula}$", extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None)


def _worked_out(formula: str, verify: Any) -> Any:
    """The formula as math-verify reads it, after its value was computed once; empty where it cannot be read."""
    try:
        found = _read(formula, verify)
        for part in found:
            if hasattr(part, "doit"):
                part.doit()
            if hasattr(part, "evalf"):
                part.evalf(15)
    except Exception:  # whatever a hostile formula makes of the parser
        found = []
    _tell(None)
    return found


def _tell(found: bool | None) -> None:
    sys.stdout.buffer.write(orjson.dumps(found) + b"\n")
    sys.stdout.buffer.flush()


def _equal(first: str, second: str, verify: Any) -> bool | None:
    """In both directions: math-verify takes one side for the truth and is laxer with the other, so that "5, 6" would
    pass for "5 < x < 6". What it knows in one direction only ("x > 5" as an interval) is not the same here. None where
    one of them cannot be read."""
    a, b = _worked_out(first, verify), _worked_out(second, verify)
    if not a or not b:
        return None
    return bool(verify.verify(a, b, timeout_seconds=None) and verify.verify(b, a, timeout_seconds=None))


def _answer_questions() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    verify = needed("math_verify", "math")
    logging.disable(logging.CRITICAL)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # SIGPROF, which nobody handles, ends the process
        try:
            first, second = orjson.loads(line)
            found: bool | None = _equal(first, second, verify)
        except Exception:  # or of the comparison
            found = None
        signal.setitimer(signal.ITIMER_PROF, 0)
        _tell(found)


if __name__ == "__main__":
    _answer_questions()
