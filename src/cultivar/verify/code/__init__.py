"""Model-written Python code in an isolated sandbox: no network, no files, no environment, and limits on what it takes.

    run_program(source, stdin=...)   -> Execution     one program
    run_tests(solution, tests)       -> TestReport    each test in a fresh process
    require()                        raises UsageError where no sandbox can be had

``await scope.once("run", run_tests, solution, tests, Limits())`` keeps the result in the journal. bubblewrap makes the
sandbox; without it nothing is run at all.

    results      limits, verdicts, reports
    run          what is called
    bubblewrap   how a sandbox is started, and what comes back is read
    syscalls     what the kernel refuses it
    inside       the first process in it, which starts, watches and judges the others
    candidate    what shares a process with the code that is run
"""

from cultivar.verify.code.results import VERDICTS, Execution, Limits, TestReport, TestResult, Verdict
from cultivar.verify.code.run import require, run_program, run_tests

__all__ = [
    "VERDICTS",
    "Execution",
    "Limits",
    "TestReport",
    "TestResult",
    "Verdict",
    "require",
    "run_program",
    "run_tests",
]
