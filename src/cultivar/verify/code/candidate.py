"""What shares a process with model-written code: it takes the limits on, runs a job, and says what came of it.

Whatever is here, the code that it runs can find and change. So nothing here is trusted further than it must be: what a
passed test says is not believed if a test that must fail says it too, and values that equal everything are looked for.
"""

# ruff: noqa: SIM115, S102, SIM202
# pathlib takes as long to import as a sandbox takes to start. exec runs what the sandbox is there for. What is not
# unequal need not be equal.

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

__builtins__ = dict(vars(builtins))  # type: ignore[assignment]
"""What the functions below know as ``len``, ``type``, ...: a copy, before anybody can put others in their place."""

UNKNOWN = object()
PAIRS: tuple[tuple[Any, Any], ...] = (
    (UNKNOWN, UNKNOWN),
    *((False, True), (1, 2), (-1, -2), (10**9, 10**9 + 1), (0.5, -2.5), (1j, 2j), ("a", "bc"), (b"a", b"bc")),
    *(([1], [2, 3]), ((1,), (2, 3)), ({1}, {2, 3}), ({1: 1}, {2: 3, 4: 5}), (range(1), range(2, 5))),
)
"""Values of a type that differ so much that no honest value is equal to both."""
AGREES: tuple[Any, ...] = (lambda v, w: v == w, lambda v, w: not v != w)
NOWHERE, LEAST, MOST = float("nan"), float("-inf"), float("inf")
ORDERS: tuple[Any, ...] = (
    *(lambda v: v < UNKNOWN, lambda v: v <= UNKNOWN, lambda v: v > UNKNOWN, lambda v: v >= UNKNOWN),
    *(lambda v: v < NOWHERE and v < LEAST, lambda v: v <= NOWHERE and v <= LEAST),
    *(lambda v: v > NOWHERE and v > MOST, lambda v: v >= NOWHERE and v >= MOST),
)
"""Comparisons that are true of no honest value."""


class Forged(BaseException):
    """A value in an assertion compares as true with whatever it meets."""


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
    space["__builtins__"] = builtins  # and not the copy
    parts = [("solution", job["solution"])]
    if job["test"] is not None:
        parts.append(("test", job["test"]))
        withhold("ctypes", "_ctypes")
    look = f"look_at_{os.urandom(8).hex()}"  # a name that nobody knows before it is there
    for where, source in parts:
        try:
            code = compile(
                watched(source, look) if where == "test" else source, f"<{where}>", "exec", dont_inherit=True
            )
        except BaseException as error:
            if job["test"] is None:
                print(described(error), file=sys.stderr)
            return "syntax", where, described(error), 1
        if where == "test":
            space[look] = honest
        try:
            exec(code, space)
            if job["test"] is None:
                finish()
        except BaseException as error:
            return failed(error, job["test"] is not None)
        if where == "test" and space.get(look) is not honest:
            return "forged", "solution", "the function that looks at operands was replaced", 1
    if job.get("canary"):
        try:
            exec(compile("assert False", "<test>", "exec", dont_inherit=True), space)
        except BaseException as error:
            return failed(error, True)
    return "passed", "", "", 0


def withhold(*modules: str) -> None:
    """Lets nobody import these, who could write into the memory of this process and so into what ``==`` means."""

    def refuse(event: str, details: tuple[Any, ...]) -> None:
        if event == "import" and details[0] in modules:
            raise ImportError("a test's process has no ctypes", name="ctypes")

    for name in modules:
        sys.modules.pop(name, None)
    sys.addaudithook(refuse)  # for good: there is no way to take it off


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
    if isinstance(error, AssertionError) and where == "test":
        return "failed"
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return "memory"
    if number in FORBIDDEN or type(error).__name__ == "gaierror":
        return "forbidden"
    if isinstance(error, ImportError) and error.name == "ctypes":
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


def watched(source: str, look: str) -> Any:
    """The test, parsed, with a call of ``look`` around every operand of a comparison."""
    tree = compile(source, "<test>", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    _watch(tree, look)
    return tree


def _watch(node: Any, look: str) -> None:
    """``a < b`` becomes ``look(a) < look(b)``, ``x.assertY(a)`` ``x.assertY(look(a))``, in place, in all the tree."""
    for name in node._fields:
        value = getattr(node, name, None)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, _ast.AST):
                _watch(child, look)
    if isinstance(node, _ast.Compare):
        node.left = _looked_at(node.left, look)
        node.comparators = [_looked_at(each, look) for each in node.comparators]
    elif isinstance(node, _ast.Call) and isinstance(node.func, _ast.Attribute) and node.func.attr.startswith("assert"):
        node.args = [_looked_at(each, look) for each in node.args]


def _looked_at(node: Any, look: str) -> Any:
    if isinstance(node, (_ast.Constant, _ast.Starred)):
        return node
    place = {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    return _ast.Call(_ast.Name(look, _ast.Load(), **place), [node], [], **place)


def honest(value: Any, depth: int = 4) -> Any:
    """The value itself; raises Forged if it, or a member of it, compares as true with whatever it meets."""
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
        why = pretended(value, hasattr(kind, "__contains__"))
        if why:
            raise Forged(f"a value of type {kind.__name__} {why}")
    return value


def pretended(value: Any, holds: bool) -> str:
    """What a value says that no honest one does; "" if it says nothing of the kind."""
    for one, other in PAIRS:
        for agrees in AGREES:
            try:
                if agrees(value, one) and agrees(value, other):
                    return "is equal to different things"
            except Exception:
                continue
    try:
        if holds and UNKNOWN in value:
            return "contains anything"
    except Exception:
        pass
    for compare in ORDERS:
        try:
            if compare(value):
                return "is less or greater than anything"
        except Exception:
            continue
    return ""
