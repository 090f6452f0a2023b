"""What shares a process with model-written code: it takes the limits on, runs a job, and says what came of it.

Whatever is here, the code that it runs can find and change. So nothing here is trusted further than it must be: what a
passed test says is not believed if a test that must fail says it too, and values that equal everything are looked for.
"""

# ruff: noqa: SIM115
# pathlib takes as long to import as a sandbox takes to start.

from __future__ import annotations

import _ast
import _signal  # type: ignore[import-not-found]
import builtins
import errno
import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOLD = 3
"""The file descriptor on which a candidate's process says what came of it."""
FORBIDDEN = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENETUNREACH, errno.EAFNOSUPPORT)
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
LONGEST = 300
"""Characters of a detail."""


_run, _compile, _false = exec, compile, AssertionError  # before anybody can put others in their place


class Forged(BaseException):
    """A value in an assertion is equal to everything."""


def candidate(job: dict[str, Any], limits: dict[str, Any], ends: dict[str, int], mark: str) -> None:
    """In the forked process: takes the limits on, runs the job, says what came of it, and ends."""
    try:
        prepare(limits, ends)
    except BaseException as error:  # the sandbox's own failure, and no verdict
        os.write(TOLD, f"{mark}\0broken\0\0{described(error)}".encode())
        os._exit(70)
    write, leave, word, me, who = os.write, os._exit, "\0".join, os.getpid(), os.getpid
    verdict, where, detail, code = attempt(job)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass
    if who() == me:  # and not a fork of it
        write(TOLD, word((mark, verdict, where, detail)).encode("utf-8", "replace"))
    leave(code)


def prepare(limits: dict[str, Any], ends: dict[str, int]) -> None:
    """Its own session, descriptors and limits."""
    for target, name in enumerate(("in", "out", "err", "told")):
        os.dup2(ends[name], target + 500)
    os.closerange(0, 500)
    for target in range(4):
        os.dup2(target + 500, target, inheritable=target != TOLD)
    os.closerange(4, 1000)
    os.setsid()
    memory, disk = limits["memory_mb"] << 20, limits["disk_mb"] << 20
    reserve = 32 << 20  # what it takes to say that memory has run out
    wanted = {
        resource.RLIMIT_AS: (memory, memory + reserve),
        resource.RLIMIT_CPU: (limits["cpu_seconds"], limits["cpu_seconds"] + 1),
        resource.RLIMIT_FSIZE: (disk, disk),
        resource.RLIMIT_NPROC: (limits["tasks"], limits["tasks"]),
        **dict.fromkeys((resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE, resource.RLIMIT_MEMLOCK), (0, 0)),
    }
    for kind, pair in wanted.items():
        _, most = resource.getrlimit(kind)
        soft, hard = pair if most == resource.RLIM_INFINITY else (min(pair[0], most), min(pair[1], most))
        resource.setrlimit(kind, (soft, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    os.chdir("/tmp")
    sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="replace", closefd=False)
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, f"__{name}__", getattr(sys, name))
    sys.argv = [""]
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]


def attempt(job: dict[str, Any]) -> tuple[str, str, str, int]:
    """(verdict, where, detail, exit status) of the solution, and of the test after it in the same module."""
    name = "__main__" if job["test"] is None else "solution"
    module = type(sys)(name)
    sys.modules["__main__"] = sys.modules[name] = module
    space = module.__dict__
    parts = [("solution", job["solution"])]
    if job["test"] is not None:
        parts.append(("test", job["test"]))
    for where, source in parts:
        try:
            code = _compile(watched(source) if where == "test" else source, f"<{where}>", "exec", dont_inherit=True)
        except BaseException as error:
            if job["test"] is None:
                print(described(error), file=sys.stderr)
            return "syntax", where, described(error), 1
        try:
            _run(code, space)
            if job["test"] is None:
                finish()
        except BaseException as error:
            return failed(error, job["test"] is not None)
    if job.get("canary"):
        try:
            _run(_compile("assert False", "<test>", "exec", dont_inherit=True), space)
        except BaseException as error:
            return failed(error, True)
    return "passed", "", "", 0


def finish() -> None:
    """What the interpreter does at the end of a program, before it closes its files."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    import atexit

    atexit._run_exitfuncs()


def failed(error: BaseException, testing: bool) -> tuple[str, str, str, int]:
    """As ``attempt``, of an exception."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    where, line, step = "", 0, error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if file in ("<solution>", "<test>"):
            where, line = file[1:-1], step.tb_lineno
        step = step.tb_next
    detail = described(error, f" (line {line})" if line else "")
    if isinstance(error, SystemExit):
        status = error.code
        if testing:
            return "exited", where, detail, 0
        if status is None or status == 0:
            return "passed", "", "", 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
        return "error", where, detail, status & 255 if isinstance(status, int) else 1
    if not testing:
        step = error.__traceback__
        while step is not None and step.tb_frame.f_code.co_filename == "<sandbox>":
            step = step.tb_next
        sys.__excepthook__(type(error), error.with_traceback(step), step)
    return verdict_of(error, where if testing else "test"), where, detail, 1


def verdict_of(error: BaseException, where: str) -> str:
    """An AssertionError counts as the test's only where the test raised it."""
    reason = getattr(error, "reason", None)  # of a URLError
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, Forged):
        return "forged"
    if isinstance(error, _false) and where == "test":
        return "failed"
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return "memory"
    if number in FORBIDDEN or type(error).__name__ == "gaierror":
        return "forbidden"
    if number in FULL:
        return "disk"
    if number == errno.EAGAIN or (isinstance(error, RuntimeError) and str(error) == "can't start new thread"):
        return "processes"
    return verdict_of(reason, where) if isinstance(reason, OSError) else "error"


def described(error: BaseException, place: str = "") -> str:
    """Type and message, in one line."""
    try:
        text = " ".join(str(error)[: 4 * LONGEST].split())
    except BaseException:
        text = "?"
    name = type(error).__name__.replace("\0", "")[:80]
    return f"{name}{': ' if text else ''}{text}".replace("\0", "?")[: LONGEST - len(place)] + place


def watched(source: str) -> Any:
    """The test, parsed, with every operand of a comparison looked at."""
    builtins.__operand__ = honest  # type: ignore[attr-defined]
    tree = _compile(source, "<test>", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    _watch(tree)
    return tree


def _watch(node: Any) -> None:
    """``a < b`` becomes ``__operand__(a) < __operand__(b)``, in place, everywhere in a tree."""
    for name in node._fields:
        value = getattr(node, name, None)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, _ast.AST):
                _watch(child)
    if isinstance(node, _ast.Compare):
        node.left = _looked_at(node.left)
        node.comparators = [_looked_at(each) for each in node.comparators]


def _looked_at(node: Any) -> Any:
    if isinstance(node, _ast.Constant):
        return node
    place = {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    return _ast.Call(_ast.Name("__operand__", _ast.Load(), **place), [node], [], **place)


def honest(value: Any, depth: int = 4) -> Any:
    """The value itself; raises Forged if it, or a member of it, compares as true with an object that nobody knows."""
    kind = type(value)
    members: Any = ()
    bases: tuple[Any, ...] = (list, tuple, set, frozenset)
    for base in bases:
        if isinstance(value, base):
            members = base.__iter__(value)  # and not what a subclass makes of it
    if isinstance(value, dict):
        members = dict.values(value)
    for at, member in enumerate(members if depth else ()):
        if at == 1000:
            break
        honest(member, depth - 1)
    if kind.__flags__ & 512:  # made by a class statement
        unknown = object()
        for compare in ("__eq__", "__lt__", "__le__", "__gt__", "__ge__"):
            try:
                method = getattr(kind, compare)
                answer = method(value, unknown)
            except Exception:
                continue
            if answer is not NotImplemented and answer:
                raise Forged(f"{kind.__name__}.{compare} is true of any object")
    return value
