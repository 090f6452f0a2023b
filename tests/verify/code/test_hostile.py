"""Programs that want out, or want everything: none escapes, each ends with its own verdict, nothing of it survives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cultivar.verify.code import Execution, Limits, run_program
from cultivar.verify.code.bubblewrap import interpreter

pytestmark = pytest.mark.usefixtures("sandbox")
ROOT = Path(__file__).resolve().parents[3]
SMALL = Limits(cpu_seconds=1, wall_seconds=3, memory_mb=96, processes=16, disk_mb=4, files=100, output_kb=16)
BLOCK = "b'x' * 65536"

HOSTILE = {
    "fork bomb": ("import os\nwhile True:\n    os.fork()", "processes"),
    "fork bomb that swallows errors": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "processes",
    ),
    "thread bomb": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(99,)).start()",
        "processes",
    ),
    "memory in one piece": ("x = bytearray(10**10)", "memory"),
    "memory in small pieces": ("x = []\nwhile True:\n    x.append(bytearray(10**6))", "memory"),
    "memory of many processes": (
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        x = bytearray(50 << 20)\n"
        "        time.sleep(9)\ntime.sleep(9)",
        "memory",
    ),
    "zip bomb": (
        "import zlib\nbomb = zlib.compress(bytes(10**6))\nx = []\nwhile True:\n    x.append(zlib.decompress(bomb))",
        "memory",
    ),
    "a number too large": ("x = 1 << 10 ** 12", {"memory", "timeout"}),
    "memory that no limit counts": ("import os\nos.memfd_create('x')", "forbidden"),
    "one large file": (f"f = open('/tmp/x', 'wb')\nwhile True:\n    f.write({BLOCK})", "disk"),
    "many files": (f"for n in range(9**9):\n    open(f'/tmp/{{n}}', 'wb').write({BLOCK})", "disk"),
    "inodes": (
        "import os\nn = 0\nwhile True:\n    os.close(os.open(f'/tmp/{n}', os.O_CREAT))\n    n += 1",
        "disk",
    ),
    "shared memory": (f"f = open('/dev/shm/x', 'wb')\nwhile True:\n    f.write({BLOCK})", "disk"),
    "a file outside /tmp": ("open('/x', 'w')", "forbidden"),
    "a new device": ("open('/dev/x', 'w')", "forbidden"),
    "mknod": ("import os, stat\nos.mknod('/tmp/sda', 0o600 | stat.S_IFBLK, os.makedev(8, 0))", "forbidden"),
    "internet": ("import socket\nsocket.create_connection(('192.0.2.1', 80), 2)", "forbidden"),
    "DNS": ("import socket\nsocket.getaddrinfo('example.com', 80)", "forbidden"),
    "HTTP": ("import urllib.request\nurllib.request.urlopen('http://example.com', timeout=2)", "forbidden"),
    "raw socket": ("import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "forbidden"),
    "vsock": ("import socket\nsocket.socket(40, socket.SOCK_STREAM)", "forbidden"),
    "listening": ("import socket\nsocket.create_server(('127.0.0.1', 0))", "forbidden"),
    "/proc/1/environ": ("open('/proc/1/environ').read()", "forbidden"),
    "/proc/1/mem": ("open('/proc/1/mem', 'r+b')", "forbidden"),
    "/proc/1/fd": ("import os\nos.listdir('/proc/1/fd')", "forbidden"),
    "/proc/1/root": ("import os\nos.listdir('/proc/1/root')", "forbidden"),
    "/proc/sys": ("open('/proc/sys/kernel/core_pattern', 'w').write('|/bin/sh')", "forbidden"),
    "/proc/sysrq-trigger": ("open('/proc/sysrq-trigger', 'w').write('c')", {"forbidden", "error"}),
    "/sys": ("open('/sys/kernel/uevent_helper', 'w').write('/tmp/x')", "error"),  # there is none
    "/etc/passwd": ("print(open('/etc/passwd').read())", "error"),  # there is none
    "/etc/shadow through a symlink": (
        "import os\nos.symlink('/etc/shadow', '/tmp/x')\nprint(open('/tmp/x').read())",
        "error",
    ),
    "hard link to the interpreter": (f"import os\nos.link({interpreter()!r}, '/tmp/x')", {"forbidden", "error"}),
    "writing to the interpreter": (f"open({interpreter()!r}, 'r+b')", "forbidden"),
    "writing to the standard library": ("import os\nopen(os.__file__, 'a').write('# owned')", "forbidden"),
    "writing to the hidden packages": (
        "import os\nos.chmod(os.path.dirname(os.__file__) + '/site-packages', 0o777)",
        {"forbidden", "error"},
    ),
    "this repository": (f"print(open({str(ROOT / 'README.md')!r}).read())", "error"),
    "signal to every process": (
        "import os, signal, time\nos.kill(1, signal.SIGKILL)\nos.kill(1, signal.SIGSTOP)\n"
        "try:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    pass\nos.kill(os.getpid(), signal.SIGKILL)",
        "killed",
    ),
    "signal to the parent": (
        "import os, signal\nfor n in range(1, 32):\n    os.kill(os.getppid(), n)\nraise KeyError('alive')",
        "error",
    ),
    "limits of the parent": ("import resource\nresource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))", "forbidden"),
    "starving the parent": ("import os\nos.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))", "forbidden"),
    "open files": ("x = [open('/dev/null') for _ in range(999)]", "error"),
    "limits raised": ("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))", {"forbidden", "error"}),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", "killed"),
    "abort with a core": ("import os\nos.abort()", "killed"),
    "deep recursion": ("def f():\n    f()\nf()", "error"),
    "deep recursion without a limit": (
        "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __getattr__(self, n):\n"
        "        return getattr(self, n)\nA().x",
        {"killed", "memory", "timeout"},
    ),
    "deep nesting": ("x = " + "(" * 100_000, "syntax"),
    "deep nesting of operators": ("x = " + "-" * 200_000 + "1", {"syntax", "killed", "memory"}),
    "null byte": ("x = 1\0", "syntax"),
    "a source that is no text": ("x = '\ud800'", "syntax"),
    "endless stdout": ("while True:\n    print('x' * 10**5)", "output"),
    "endless stderr": ("import sys\nwhile True:\n    sys.stderr.write('x' * 10**5)", "output"),
    "endless output of a child": (
        "import os, time\nif os.fork():\n    time.sleep(9)\nwhile True:\n    os.write(1, bytes(10**5))",
        "output",
    ),
    "sleeping": ("import time\ntime.sleep(10**6)", "timeout"),
    "busy loop": ("while True:\n    pass", "timeout"),
    "busy loop in C": ("sum(range(10**13))", "timeout"),
    "busy loop that handles signals": (
        "import signal\nfor s in (signal.SIGTERM, signal.SIGXCPU, signal.SIGALRM, signal.SIGINT):\n"
        "    signal.signal(s, signal.SIG_IGN)\nwhile True:\n    pass",
        "timeout",
    ),
    "regular expression": ("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", "timeout"),
    "stopping itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
    "closed descriptors": ("import os\nos.closerange(0, 3)\nprint('x')", {"error", "passed"}),
    "all descriptors closed": ("import os\nos.closerange(0, 99)\nraise ValueError", "error"),
    "huge argv": (
        f"import os\nos.execv({interpreter()!r}, ['python'] + ['x' * 100_000] * 40)",
        {"error", "memory"},
    ),
    "exec of a shell": ("import os\nos.execv('/bin/sh', ['sh', '-c', 'id'])", "error"),  # there is none
    "setuid": ("import os\nos.setuid(0)", {"forbidden", "error"}),
    "setuid to nobody": ("import os\nos.setresuid(1, 1, 1)", {"forbidden", "error"}),
    "chroot": ("import os\nos.chroot('/tmp')", "forbidden"),
    "killing its session": ("import os, signal\nos.killpg(0, signal.SIGKILL)", "killed"),
}
SYSTEM_CALLS = {
    "ptrace": "ptrace(16, 1, 0, 0)",
    "mount": "mount(b'none', b'/tmp', b'tmpfs', 0, None)",
    "umount": "umount2(b'/tmp', 2)",
    "a user namespace": "unshare(0x10000000)",
    "a mount namespace": "unshare(0x20000)",
    "clone into a user namespace": "syscall(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "another namespace": "setns(0, 0)",
    "pivot_root": "syscall(155, b'/tmp', b'/tmp')",
    "process_vm_readv": "process_vm_readv(1, None, 0, None, 0, 0)",
    "System V memory": "shmget(0, 1 << 30, 0o1600)",
    "io_uring": "syscall(425, 8, bytes(120))",
    "bpf": "syscall(321, 0, bytes(120), 120)",
    "keys": "syscall(250, 0, -3, 0)",
    "modules": "syscall(313, 0, b'', 0)",
    "x32 calls": "syscall(0x40000000 | 39)",
}


SHORT = replace(SMALL, wall_seconds=0.3)


def run(source: str, limits: Limits = SMALL) -> Execution:
    began = time.monotonic()
    done = run_program(source, limits=limits)
    assert time.monotonic() - began < limits.wall_seconds + 7
    return done


@pytest.mark.parametrize("name", HOSTILE)
def test_ends_with_its_own_verdict(name: str) -> None:
    source, wanted = HOSTILE[name]
    done = run(source, SHORT if wanted == "timeout" else SMALL)
    assert done.verdict in ({wanted} if isinstance(wanted, str) else wanted), done
    assert len(done.stdout) <= SMALL.output_kb * 1024
    assert len(done.stderr) <= SMALL.output_kb * 1024
    for secret in ("root:", "cultivar"):
        assert secret not in done.stdout


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of these calls are those of x86_64")
@pytest.mark.parametrize("name", SYSTEM_CALLS)
def test_the_kernel_refuses(name: str) -> None:
    done = run(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"result = libc.{SYSTEM_CALLS[name]}\nprint(result, ctypes.get_errno())"
    )
    assert done.stdout in ("-1 1\n", "-1 38\n"), done  # EPERM, ENOSYS


def test_cpu_time_is_limited_apart_from_wall_time() -> None:
    done = run("while True:\n    pass", replace(SMALL, wall_seconds=60))  # however many others want the processor
    assert (done.verdict, done.detail) == ("timeout", "1 s of CPU time")


def test_no_listener_of_the_host_is_reached(tmp_path: Path) -> None:
    """TCP on loopback, a Unix socket at a path, an abstract one."""
    met: list[str] = []
    abstract = f"\0cultivar-{os.getpid()}"
    listeners = {
        "tcp": socket.create_server(("127.0.0.1", 0)),
        "path": socket.socket(socket.AF_UNIX),
        "abstract": socket.socket(socket.AF_UNIX),
    }
    listeners["path"].bind(str(tmp_path / "s"))
    listeners["abstract"].bind(abstract)
    for name, listener in listeners.items():
        listener.listen()
        threading.Thread(target=lambda n=name, s=listener: met.append(f"{n} {s.accept()}"), daemon=True).start()
    port = listeners["tcp"].getsockname()[1]
    done = run(
        "import socket\n"
        f"for family, address in ((2, ('127.0.0.1', {port})), (1, {str(tmp_path / 's')!r}), (1, {abstract!r})):\n"
        "    try:\n        socket.socket(family).connect(address)\n        print('connected')\n"
        "    except OSError as error:\n        print(type(error).__name__)\n"
    )
    assert done.stdout.split() == ["PermissionError", "FileNotFoundError", "ConnectionRefusedError"]
    assert met == []


def test_nothing_of_the_host_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CULTIVAR_TEST_SECRET", "hidden-word")
    done = run(
        "import os\nprint(dict(os.environ))\nprint(sorted(os.listdir('/')), os.listdir('/tmp'), os.uname().nodename)\n"
        "for at, folders, files in os.walk('/root'):\n    print(at)\n"
        "for p in os.listdir('/proc'):\n"
        "    if p.isdigit():\n        print('process', p)\n"
        "        try:\n            print(open(f'/proc/{p}/environ').read())\n"
        "        except OSError:\n            pass\n",
        replace(SMALL, output_kb=1024),
    )
    assert "hidden-word" not in done.stdout
    assert "CULTIVAR" not in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("process")] == ["process 1", "process 2"]
    seen = set(eval_list(done.stdout.splitlines()[1].partition("]")[0] + "]"))
    assert seen <= {"dev", "lib", "lib64", "proc", "tmp", "usr", *Path(interpreter()).parts[1:2]}
    assert done.stdout.splitlines()[1].endswith("[] sandbox")
    allowed = str(Path(interpreter()).parents[1])
    walked = [line for line in done.stdout.splitlines() if line.startswith("/root")]
    assert all(at.startswith(allowed) or allowed.startswith(at) for at in walked)


def eval_list(text: str) -> list[str]:
    return [word.strip(" '") for word in text.strip("[]").split(",")]


def test_it_has_no_right_and_is_not_root_outside() -> None:
    mark = f"owner-{os.getpid()}"
    source = (
        "import os\nprint(open('/proc/self/status').read(), flush=True)\n"
        f"os.execv({interpreter()!r}, ['python', '-S', '-c', 'import time; time.sleep(1)', {mark!r}])"
    )
    found: list[Execution] = []
    thread = threading.Thread(target=lambda: found.append(run_program(source, limits=SMALL)))
    thread.start()
    owners: set[int] = set()
    while thread.is_alive():  # as it is seen from outside
        owners |= {owner for owner, words in processes() if words[0] == "python" and mark in words}
        time.sleep(0.05)
    thread.join()
    status = dict(line.split(":\t", 1) for line in found[0].stdout.splitlines() if ":\t" in line)
    assert {status[name].strip("0") for name in ("CapPrm", "CapEff", "CapAmb")} == {""}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert owners
    if os.getuid() == 0:
        assert 0 not in owners
        assert min(owners) > 60_000


def processes() -> list[tuple[int, list[str]]]:
    """(owner, command line) of all processes of this machine, but for those that have just ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # the owner of the folder of a process that is not dumpable is root, whoever it is
            owner = int((folder / "status").read_text().partition("\nUid:\t")[2].split()[0])
            found.append((owner, (folder / "cmdline").read_text().split("\0")))
        except (OSError, ValueError, IndexError):
            continue
    return found


@pytest.mark.parametrize("how", ["daemon", "double fork", "ignores signals"])
def test_nothing_survives(how: str) -> None:
    mark = f"survivor-{os.getpid()}-{how.replace(' ', '-')}"
    loop = "import time, signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(60)"
    start = {
        "daemon": "os.setsid()",
        "double fork": "os.fork() and os._exit(0)",
        "ignores signals": "None",
    }[how]
    done = run(
        f"import os, sys\nif os.fork() == 0:\n    {start}\n"
        f"    os.execv({interpreter()!r}, ['python', '-S', '-c', {loop!r}, {mark!r}])\n"
        "import time\ntime.sleep(0.3)\nprint('done')",
    )
    assert (done.verdict, done.stdout) == ("passed", "done\n")
    assert not [words for _, words in processes() if mark in words]


def test_a_sandbox_ends_with_the_process_that_wanted_it() -> None:
    mark = f"orphan-{os.getpid()}"
    inner = f"import os\nos.execv({interpreter()!r}, ['python', '-S', '-c', 'import time; time.sleep(60)', {mark!r}])"
    code = (
        f"from cultivar.verify.code import run_program, Limits\nrun_program({inner!r}, limits=Limits(wall_seconds=50))"
    )
    outer = subprocess.Popen([sys.executable, "-c", code])
    assert waited(lambda: any(mark in words and words[0] == "python" for _, words in processes()))
    outer.kill()
    outer.wait()
    assert waited(lambda: not any(mark in words for _, words in processes()))


def waited(condition: object) -> bool:
    assert callable(condition)
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False
