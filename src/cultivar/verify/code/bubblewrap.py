"""Starting a sandbox: bubblewrap, the files that the interpreter needs, the filter, and a result read with care.

What is started depends on who asks.

- An ordinary user: bwrap makes a user namespace in which the program is that user without any capability.
- Root: a user namespace would map the program to root outside. So there is none: bwrap, as root, makes the other
  namespaces and keeps two capabilities (SETUID, SETGID), with which ``inside`` becomes a user that nobody else is, and
  so loses them, before it runs anything. It has to see that none is left.
"""

from __future__ import annotations

import ast
import functools
import itertools
import marshal
import os
import platform
import re
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cultivar.core.errors import ItemFailed, UsageError
from cultivar.verify.code import syscalls

OLDEST = (0, 8)
"""The first version of bubblewrap that limits the size of a tmpfs and knows all the options below."""
INSTALL = "install bubblewrap: apt install bubblewrap (or: dnf, pacman -S, apk add)"
GRACE = 10.0
"""Seconds that a sandbox may take beyond the limits of its jobs."""
FIRST_USER, USERS = 2_000_000_000, 100_000_000
"""User ids that sandboxes of root draw from: no system gives these to anybody."""

_START = """\
import marshal, sys
with open(0, "rb", closefd=False) as sent:
    codes, request = marshal.load(sent), marshal.load(sent)
name = "cultivar.verify.code.candidate"
sys.modules[name] = module = type(sys)(name)
exec(codes[0], module.__dict__)
exec(codes[1], {"__name__": "inside", "request": request})
"""
_count = itertools.count()


@functools.cache
def program() -> str:
    """The path of bwrap; raises UsageError saying what to install."""
    if sys.platform != "linux":
        raise UsageError(f"model-written code is run in a sandbox of Linux, and this is {sys.platform}; use Linux")
    if platform.machine() not in syscalls.MACHINES:
        known = " and ".join(syscalls.MACHINES)
        raise UsageError(f"the sandbox for model-written code knows {known}, and this machine is {platform.machine()}")
    path = shutil.which("bwrap")
    if path is None:
        raise UsageError(f"model-written code is run in a sandbox only, and there is no bwrap here; {INSTALL}")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"(\d+)\.(\d+)", told)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise UsageError(f"{path} is {told.strip() or 'no bubblewrap'}; at least {least} is needed: {INSTALL}")
    return path


@functools.cache
def interpreter() -> str:
    """The interpreter without its virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@functools.cache
def files() -> tuple[str, ...]:
    """bwrap's arguments for the interpreter, its standard library and the folders of the libraries that it loads."""
    python = interpreter()
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    standard = sorted({os.path.realpath(sysconfig.get_path(name, vars=base)) for name in ("stdlib", "platstdlib")})
    folders = {Path(path) for path in standard}
    loaded = {Path(line.split(maxsplit=5)[-1]) for line in Path("/proc/self/maps").read_text().splitlines()}
    single = {Path(python)}
    for library in loaded:
        if library.name.startswith(("lib", "ld-")) and ".so" in library.name:
            if library.is_relative_to("/lib") or library.is_relative_to("/usr/lib"):
                folders.add(library.parent)
            elif library.name.startswith("libpython"):
                single.add(library)
    if sys.base_prefix not in ("/usr", "/usr/local"):  # an installation of its own: its libraries lie there too
        folders.add(Path(sys.base_prefix, "lib"))
    links: list[str] = []
    for top in map(Path, ("/lib", "/lib64", "/usr/lib64")):  # where the dynamic linker is looked for
        if top.is_symlink():
            links += ["--symlink", str(top.readlink()), str(top)]
        elif top.is_dir():
            folders.add(top)
    outermost = {path for path in folders if not folders & set(path.parents)}
    bound = sorted(outermost | {path for path in single if not folders & set(path.parents)})
    above = sorted({parent for path in bound for parent in path.parents} - {Path("/")} - folders)
    arguments = [word for path in above for word in ("--perms", "0755", "--dir", str(path))]
    arguments += links + [word for path in bound for word in ("--ro-bind", str(path), str(path))]
    for path in standard:
        for packages in (Path(path, "site-packages"), Path(path, "dist-packages")):
            if packages.is_dir():  # hidden, and closed for good
                hidden = str(packages)
                arguments += ["--perms", "0555", "--tmpfs", hidden, "--remount-ro", hidden]
    return tuple(arguments)


@functools.cache
def supervisor() -> bytes:
    """``candidate`` and ``inside``, compiled."""
    texts = [Path(__file__).with_name(name).read_text("utf-8") for name in ("candidate.py", "inside.py")]
    return marshal.dumps([compile(text, "<sandbox>", "exec", dont_inherit=True, optimize=0) for text in texts])


def command(disk_mb: int, filter_fd: int, *, root: bool) -> list[str]:
    """All of bwrap's arguments, and what it starts."""
    apart = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    rights = ["--cap-drop", "ALL"]
    if root:
        rights += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        apart += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    devices = [word for name in ("null", "zero", "urandom", "random") for word in ("--dev-bind", *[f"/dev/{name}"] * 2)]
    environment = {"HOME": "/tmp", "PATH": "/usr/bin", "LANG": "C.UTF-8", "TZ": "UTC", "MALLOC_ARENA_MAX": "2"}
    environment |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    return [
        program(),
        *apart,
        *rights,
        *("--die-with-parent", "--as-pid-1", "--hostname", "sandbox", "--clearenv"),
        *(word for name, value in environment.items() for word in ("--setenv", name, value)),
        *files(),
        *("--perms", "0755", "--dir", "/dev"),
        *devices,
        *("--symlink", "/tmp", "/dev/shm", "--proc", "/proc"),
        *("--perms", "1777", "--size", str(disk_mb << 20), "--tmpfs", "/tmp"),
        *("--remount-ro", "/", "--chdir", "/tmp", "--seccomp", str(filter_fd)),
        *(interpreter(), "-s", "-S", "-P", "-c", _START),
    ]


@contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """A file descriptor from which ``content`` can be read."""
    fd = os.memfd_create("sandbox")
    try:
        with open(fd, "wb", closefd=False) as stream:
            stream.write(content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def run(jobs: list[dict[str, Any]], limits: dict[str, Any]) -> list[dict[str, Any]]:
    """What came of the jobs, in order, or of the first of them; never of none.

    Raises UsageError where no sandbox can be had on this machine, ItemFailed if one failed.
    """
    program()  # or the reason why there is none
    root = os.getuid() == 0
    user = FIRST_USER + (os.getpid() * 1_000 + next(_count) % 1_000) % USERS if root else 0
    kernel = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    # Before 5.14 the kernel counts all processes of the user, wherever they are; what is in the sandbox is watched too.
    tasks = limits["processes"] + 1 if root or kernel >= (5, 14) else 2**30
    request = {"jobs": jobs, "limits": {**limits, "tasks": tasks}, "uid": user, "canary": jobs[0]["test"] is not None}
    most = len(jobs) * (16 * limits["output_kb"] * 1024 + 10_000)
    seconds = GRACE + len(jobs) * (limits["wall_seconds"] + 1)
    with in_memory(supervisor() + marshal.dumps(request)) as sent, in_memory(syscalls.program()) as rules:
        process = subprocess.Popen(
            command(limits["disk_mb"], rules, root=root),
            stdin=sent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(rules,),
            env={},
            cwd="/",
            start_new_session=True,
        )
        try:
            told, complaint = _read(process, most, seconds)
        finally:
            _end(process)
    return _results(told, complaint, len(jobs))


def _read(process: subprocess.Popen[bytes], most: int, seconds: float) -> tuple[bytes, str]:
    """stdout and stderr, at most so many bytes, within so many seconds; raises ItemFailed."""
    assert process.stdout is not None and process.stderr is not None
    deadline = time.monotonic() + seconds
    parts: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, "out")
        selector.register(process.stderr, selectors.EVENT_READ, "err")
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise ItemFailed("infrastructure", f"a sandbox did not end within {seconds:.0f} s")
            for key, _ in selector.select(left):
                data = os.read(key.fd, 65536)
                parts[key.data] += data
                if not data:
                    selector.unregister(key.fileobj)
                elif len(parts[key.data]) > most:
                    raise ItemFailed("infrastructure", f"a sandbox said more than {most:,} bytes")
    return bytes(parts["out"]), parts["err"].decode("utf-8", "replace").strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left: bwrap, and with its process group the first process inside, and so all of them."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _results(told: bytes, complaint: str, wanted: int) -> list[dict[str, Any]]:
    try:
        results: list[dict[str, Any]] = ast.literal_eval(told.decode("ascii"))
        if not 1 <= len(results) <= wanted or not all(isinstance(each, dict) for each in results):
            raise ValueError
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        line = complaint.splitlines()[-1][:300] if complaint else "without a word"
        if re.search(r"namespace|uid map|Operation not permitted|Permission denied", line):
            raise UsageError(
                f"bubblewrap cannot make a sandbox here ({line}); user namespaces have to be allowed "
                "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; in a "
                "container: --security-opt seccomp=unconfined), or use another machine"
            ) from None
        raise ItemFailed("infrastructure", f"a sandbox ended without a result ({line})") from None
    return results
