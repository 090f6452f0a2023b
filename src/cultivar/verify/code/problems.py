"""Problems in HumanEval's form (arXiv 2107.03374): a prompt that is the head of a function, a test, an entry point."""

from __future__ import annotations

from collections.abc import Sequence

from cultivar.core.errors import InputError, Unparsable
from cultivar.core.records import Instruction
from cultivar.core.replies import fenced_blocks
from cultivar.core.scope import Scope
from cultivar.verify.code.reading import code_of
from cultivar.verify.code.results import DEFAULT, Limits
from cultivar.verify.code.run import run_tests


def checked(problems: Sequence[Instruction], where: str) -> list[Instruction]:
    """The problems; raises InputError for one without ``test`` or ``entry_point``. They were read from ``where``."""
    for number, problem in enumerate(problems, 1):
        for name in ("test", "entry_point"):
            if not isinstance(problem.meta.get(name), str):
                raise InputError(f"{where}, row {number}: there is no text under {name!r}, which says how to test it")
    return list(problems)


async def solves(scope: Scope, problem: Instruction, reply: str, limits: Limits = DEFAULT) -> bool:
    """Whether the code of a reply, the whole function or its body alone, passes the problem's test."""
    test = f"{problem.meta['test']}\ncheck({problem.meta['entry_point']})"
    report = await scope.once("run", run_tests, completed(problem, reply), [test], limits)
    return bool(report["verdict"] == "passed")


def completed(problem: Instruction, reply: str) -> str:
    """The problem's prompt and after it the code of a reply."""
    try:
        code = code_of(reply, str(problem.meta["entry_point"]))
    except Unparsable:  # a body is no Python by itself
        code = max((body for _, body in fenced_blocks(reply)), key=len, default=reply)
    return f"{problem.prompt}\n{code}"
