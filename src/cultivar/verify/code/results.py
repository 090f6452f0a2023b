"""What a sandboxed run may take, and what it came to. All of it is plain JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Verdict = Literal[
    "passed",
    "failed",
    "error",
    "syntax",
    "exited",
    "timeout",
    "memory",
    "processes",
    "disk",
    "output",
    "forbidden",
    "killed",
    "forged",
]
Where = Literal["", "solution", "test"]

VERDICTS: dict[str, str] = {
    "passed": "it ran to its end (a test: and nothing that it asserts is false)",
    "failed": "an assertion is false",
    "error": "an exception, or an exit status other than 0",
    "syntax": "it is no Python",
    "exited": "the process ended before its test did (sys.exit, os._exit)",
    "timeout": "it reached the limit of CPU or wall time",
    "memory": "it reached the limit of memory",
    "processes": "it reached the limit of processes and threads",
    "disk": "it reached the limit of disk space, of the size of a file, or of files",
    "output": "it wrote more than is read",
    "forbidden": "it tried what the sandbox does not allow, and did not handle the refusal",
    "killed": "a signal ended it (a crash of the interpreter, or its own doing)",
    "forged": "it passes whatever is asserted: a test that must fail passed too, or a value equals everything",
}
"""What each verdict means. A failure of the sandbox itself is none of them: it raises ItemFailed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one program, or of one test of several. MB and kB are powers of 1,024."""

    cpu_seconds: int = 5
    "CPU time of each process."
    wall_seconds: float = 10.0
    "Time from its start to its end."
    memory_mb: int = 512
    "Address space of each process, and resident memory of all of them."
    processes: int = 32
    "Processes and threads at once."
    disk_mb: int = 32
    "Size of /tmp, the only place that can be written to."
    files: int = 1_000
    "Files in /tmp."
    output_kb: int = 64
    "What is read of stdout, and of stderr."

    def __post_init__(self) -> None:
        for name in ("cpu_seconds", "memory_mb", "processes", "disk_mb", "files", "output_kb"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 2**20:
                raise ValueError(f"Limits.{name} {value!r}: give a whole number from 1 to {2**20:,}")
        if not 0 < self.wall_seconds <= 86_400:
            raise ValueError(f"Limits.wall_seconds {self.wall_seconds!r}: give more than 0 and at most 86,400")


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Execution:
    """One program that was run.

    ``detail`` is what there is to say of the verdict: the exception with its type and line, or which limit.
    ``exit_code`` is negative for a signal. ``peak_memory_kb`` is the largest resident size of its first process.
    """

    verdict: Verdict
    detail: str
    exit_code: int
    stdout: str
    stderr: str
    cpu_seconds: float
    wall_seconds: float
    peak_memory_kb: int


@dataclass(frozen=True, slots=True)
class TestResult:
    """``where`` is where it happened: in the solution's code or in the test's; empty where that is not known."""

    __test__: ClassVar[bool] = False  # for pytest, which takes every class of this name for tests
    verdict: Verdict
    detail: str = ""
    where: Where = ""


@dataclass(frozen=True, slots=True)
class TestReport:
    """Each test's result in the order of the tests. ``verdict`` is that of the first test that did not pass."""

    __test__: ClassVar[bool] = False
    verdict: Verdict
    passed: int
    tests: tuple[TestResult, ...]
    cpu_seconds: float
    wall_seconds: float
