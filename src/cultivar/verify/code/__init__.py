"""Model-written Python code in an isolated sandbox: no network, no files, no environment, and limits on what it takes.

    run_program(source, stdin=...)   -> Execution     one program
    run_tests(solution, tests)       -> TestReport    each test in a fresh process
    require()                        raises UsageError where no sandbox can be had
    code_of, assertions              code and tests out of replies
    agree                            which tests and which solution to believe, when a model wrote both
    solves                           a problem in HumanEval's form

``await scope.once("run", run_tests, solution, tests, Limits())`` keeps the result in the journal. bubblewrap makes the
sandbox; without it nothing is run at all.

    reading, agreement, problems     what stands above
    results      limits, verdicts, reports
    run          what is called
    bubblewrap   how a sandbox is started, and what comes back is read
    syscalls     what the kernel refuses it
    inside       the first process in it, which starts, watches and judges the others
    candidate    what shares a process with the code that is run
"""

from cultivar.verify.code.agreement import REASONS, Agreement, agree, agreement
from cultivar.verify.code.problems import checked, solves
from cultivar.verify.code.reading import Assertions, assertions, code_lines, code_of
from cultivar.verify.code.results import VERDICTS, Execution, Limits, TestReport, TestResult, Verdict
from cultivar.verify.code.run import require, run_program, run_tests

__all__ = [
    "REASONS",
    "VERDICTS",
    "Agreement",
    "Assertions",
    "Execution",
    "Limits",
    "TestReport",
    "TestResult",
    "Verdict",
    "agree",
    "agreement",
    "assertions",
    "checked",
    "code_lines",
    "code_of",
    "require",
    "run_program",
    "run_tests",
    "solves",
]
