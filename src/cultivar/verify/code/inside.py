"""The first process of a sandbox: it forks a process for each job, watches it, and says what came of it.

It is compiled outside and sent in, with ``candidate``, which is all of cultivar that is there. As process 1 of its own
process namespace it cannot be killed from within it (the kernel drops such signals), and kill(-1) from here ends
everything else. It is not dumpable, so that no process of the same user can read or write its memory.

What a job runs shares its process with the lines of ``candidate`` alone. Their word that a test has passed carries a
mark that was drawn for the job.
"""

# ruff: noqa: PTH123, PTH208
# Only what the interpreter has at hand is imported, as in ``candidate``.

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import resource
import select
import sys
import time

from cultivar.verify.code.candidate import LONGEST, candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TICK = 0.02
"""Seconds between two looks at memory, processes and files."""
VERDICTS = ("passed", "failed", "error", "syntax", "exited", "memory", "processes", "disk", "forbidden", "forged")


def main(request: dict[str, Any]) -> None:
    """Does the jobs in order and writes the list of results to stdout; ends early when files are left behind."""
    give_up_rights(request["uid"])
    sys.modules.pop(candidate.__module__, None)
    results: list[dict[str, Any]] = []
    for job in request["jobs"]:
        results.append(run(job, request["limits"]))
        if os.listdir("/tmp"):
            break  # what one job left must not meet the next: the rest is done in a new sandbox
    passed = [at for at, each in enumerate(results) if each["verdict"] == "passed"]
    if request["canary"] and passed:
        again = run({**request["jobs"][passed[0]], "canary": True}, request["limits"])
        for at in passed if again["verdict"] == "passed" else ():
            results[at].update(verdict="forged", detail="it passes a test that ends with a false assertion too")
    told = ascii(results).encode()
    while told:
        told = told[os.write(1, told) :]
    os._exit(0)


def give_up_rights(uid: int) -> None:
    """Becomes ``uid`` if it was started by root; makes its memory private; ends if a capability is left."""
    if uid:
        os.setgroups([])
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)  # which makes the process undumpable too
        except OSError:  # a container that maps few users
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
    else:
        import ctypes

        if ctypes.CDLL(None).prctl(4, 0, 0, 0, 0):  # PR_SET_DUMPABLE
            os._exit(71)
    with open("/proc/self/status") as status:
        rights = [line.split()[1].strip("0") for line in status if line.startswith(("CapPrm", "CapEff", "CapAmb"))]
    if any(rights) or (uid and 0 in os.getresuid() + os.getresgid()):
        os._exit(72)
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


class Watch:
    """One job under way: what its processes wrote, whether its first one has ended, and why it was stopped."""

    def __init__(self, pid: int, limits: dict[str, Any], ends: dict[str, int], stdin: bytes) -> None:
        self.pid, self.limits, self.ends, self.stdin = pid, limits, ends, stdin
        self.began = time.monotonic()
        self.stopped: tuple[str, str] | None = None
        self.status: int | None = None
        self.usage: Any = None
        self.read = {"out": b"", "err": b"", "told": b""}
        self.own = memory_of("self")
        self.files_before = os.statvfs("/tmp").f_ffree

    def follow(self) -> None:
        """Until the first process ends or a limit is reached; then nothing of the job is alive."""
        poll = select.poll()
        exit_fd = os.pidfd_open(self.pid)
        names = {exit_fd: "exit", 1: "outside"}
        poll.register(exit_fd, select.POLLIN)
        poll.register(1, 0)  # an error on it: whoever wanted the result is gone
        for name, fd in self.ends.items():
            os.set_blocking(fd, False)
            names[fd] = name
            poll.register(fd, select.POLLOUT if name == "in" else select.POLLIN)
        deadline, look = self.began + self.limits["wall_seconds"], self.began + TICK
        ended = False
        while not ended and self.stopped is None:
            now = time.monotonic()
            if now >= deadline:
                self.stopped = ("timeout", f"{self.limits['wall_seconds']:g} s of wall time")
            elif now >= look:
                look = now + TICK
                self.look()
            for fd, _ in poll.poll(max(0.0, min(deadline, look) - now) * 1000):
                if names[fd] == "outside":
                    os._exit(73)
                elif names[fd] == "exit":
                    ended = True
                elif names[fd] == "in":
                    if not self.feed():
                        poll.unregister(fd)
                elif not self.take(names[fd]):
                    poll.unregister(fd)
        self.end()
        for name in ("out", "err", "told"):
            while self.take(name):
                pass
        for fd in (exit_fd, *self.ends.values()):
            os.close(fd)

    def take(self, name: str) -> bool:
        """Reads some of what was written; False at the end of it, and when there is enough."""
        most = 4 * LONGEST + 200 if name == "told" else self.limits["output_kb"] * 1024
        try:
            data = os.read(self.ends[name], 65536)
        except BlockingIOError:
            return False
        self.read[name] += data
        if len(self.read[name]) > most:
            self.read[name] = self.read[name][:most]
            if name != "told":
                self.stopped = self.stopped or ("output", f"more than {most:,} bytes on std{name}")
            return False
        return bool(data)

    def feed(self) -> bool:
        try:
            self.stdin = self.stdin[os.write(self.ends["in"], self.stdin[:65536]) :]
        except BlockingIOError:
            return True
        except OSError:  # nobody reads it any more
            self.stdin = b""
        if not self.stdin:
            os.close(self.ends.pop("in"))
            return False
        return True

    def look(self) -> None:
        """Reaps orphans, and stops the job at a limit that the kernel does not hold for all its processes together."""
        tasks = resident = 0
        for name in os.listdir("/proc"):
            if not name.isdigit() or name == "1":
                continue
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
                tasks += int(fields[17])
                resident += max(0, memory_of(name) - self.own)
            except (OSError, ValueError, IndexError):  # it has ended
                continue
        if tasks >= self.limits["processes"]:
            self.stopped = ("processes", f"{tasks} processes and threads")
        elif resident > self.limits["memory_mb"] << 20:
            self.stopped = ("memory", f"{resident >> 20} MB resident in all processes")
        elif self.files_before - os.statvfs("/tmp").f_ffree > self.limits["files"]:
            self.stopped = ("disk", f"more than {self.limits['files']:,} files")
        self.reap(os.WNOHANG)

    def reap(self, options: int) -> None:
        """Takes note of every process that has ended."""
        while True:
            try:
                found, status, usage = os.wait4(-1, options)
            except ChildProcessError:
                return
            if not found:
                return
            if found == self.pid:
                self.status, self.usage = status, usage

    def end(self) -> None:
        """Kills every process of this namespace but this one."""
        self.wall = time.monotonic() - self.began
        for _ in range(100):
            try:
                os.kill(-1, _signal.SIGKILL)
            except ProcessLookupError:
                break
            self.reap(0)
        self.reap(os.WNOHANG)


def memory_of(process: str) -> int:
    """Resident bytes."""
    with open(f"/proc/{process}/statm", "rb") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def run(job: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """One job in a process of its own."""
    pipes = {name: os.pipe() for name in ("in", "out", "err", "told")}
    mark = os.urandom(16).hex()
    pid = os.fork()
    if pid == 0:
        try:
            candidate(job, limits, {name: ends[name != "in"] for name, ends in pipes.items()}, mark)
        finally:
            os._exit(70)
    for name, ends in pipes.items():
        os.close(ends[name != "in"])
    watch = Watch(pid, limits, {name: ends[name == "in"] for name, ends in pipes.items()}, job["stdin"])
    if not watch.stdin:
        os.close(watch.ends.pop("in"))
    watch.follow()
    assert watch.status is not None
    code = os.waitstatus_to_exitcode(watch.status)
    cpu = watch.usage.ru_utime + watch.usage.ru_stime
    verdict, where, detail = judged(job, watch, code, cpu, mark)
    return {
        "verdict": verdict,
        "where": where,
        "detail": detail,
        "exit_code": code,
        "stdout": watch.read["out"].decode("utf-8", "replace"),
        "stderr": watch.read["err"].decode("utf-8", "replace"),
        "cpu_seconds": round(cpu, 4),
        "wall_seconds": round(watch.wall, 4),
        "peak_memory_kb": watch.usage.ru_maxrss,
    }


def judged(job: dict[str, Any], watch: Watch, code: int, cpu: float, mark: str) -> tuple[str, str, str]:
    """(verdict, where, detail): a limit that was reached, then the signal, then what the process said."""
    if watch.stopped is not None:
        return watch.stopped[0], "", watch.stopped[1]
    if code == -_signal.SIGXCPU or (code == -_signal.SIGKILL and cpu >= watch.limits["cpu_seconds"]):
        return "timeout", "", f"{watch.limits['cpu_seconds']} s of CPU time"
    if code < 0:
        return "killed", "", f"signal {-code}"
    told = watch.read["told"].decode("utf-8", "replace").split("\0")
    if len(told) == 4 and told[:2] == [mark, "broken"]:
        os.write(2, told[3].encode())
        os._exit(74)
    if len(told) == 4 and told[0] == mark and told[1] in VERDICTS:
        return told[1], told[2] if told[2] in ("solution", "test") else "", told[3][:LONGEST]
    if job["test"] is not None:
        return "exited", "", f"exit status {code} before the test had ended"
    return ("passed", "", "") if code == 0 else ("error", "", f"exit status {code}")


if "request" in globals():  # sent into a sandbox, not imported
    main(globals()["request"])
