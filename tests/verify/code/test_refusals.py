"""Where no sandbox can be had, nothing is run, and the user is told what to do."""

from __future__ import annotations

import marshal
import os
import platform
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cultivar.core.errors import ItemFailed, UsageError
from cultivar.verify.code import Limits, require, run_program, run_tests, syscalls
from cultivar.verify.code import bubblewrap as starting


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> object:
    for cached in (starting.program, require):
        cached.cache_clear()
    yield
    for cached in (starting.program, require):
        cached.cache_clear()


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program in the place of bwrap."""
    path = folder / "bwrap"
    path.write_text(f"#!{sys.executable} -S\nimport sys\nif '--version' in sys.argv:\n    print('bubblewrap 0.8.0')\n"
                    f"    sys.exit()\n{script}\n")  # fmt: skip
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def test_without_bubblewrap_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    proof = tmp_path / "proof"
    code = f"open({str(proof)!r}, 'w')"
    for attempt in (lambda: run_program(code), lambda: run_tests(code, ["pass"]), require):
        with pytest.raises(UsageError, match="there is no bwrap here; install bubblewrap: apt install bubblewrap"):
            attempt()
    assert not proof.exists()


def test_an_old_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "")
    (tmp_path / "bwrap").write_text(f"#!{sys.executable} -S\nprint('bubblewrap 0.6.1')\n")
    with pytest.raises(UsageError, match=r"bubblewrap 0\.6\.1; at least 0\.8 is needed: install bubblewrap"):
        run_program("pass")


@pytest.mark.parametrize(
    "said",
    [
        "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user "
        "namespaces. See <https://deb.li/bubblewrap> or <file:///usr/share/doc/bubblewrap/README.Debian.gz>.",
        "bwrap: Creating new namespace failed: Operation not permitted",
        "bwrap: setting up uid map: Permission denied",
    ],
)
def test_where_namespaces_are_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    stand_in(tmp_path, monkeypatch, f"sys.exit({said!r})")
    with pytest.raises(UsageError, match="user namespaces have to be allowed"):
        run_program("pass")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("sys.exit('bwrap: Out of memory')", r"ended without a result \(bwrap: Out of memory\)"),
        ("", r"ended without a result \(without a word\)"),
        ("print('[')", "ended without a result"),
        ("print('[]')", "ended without a result"),
        ("print('[1]')", "ended without a result"),
        ("print('[{}, {}]')", "ended without a result"),
        ("print('(' * 100000)", "ended without a result"),
        ("while True: print('x' * 10**6)", "said more than"),
        ("import time; time.sleep(60)", "did not end within"),
    ],
)
def test_a_failure_of_the_sandbox_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    monkeypatch.setattr(starting, "GRACE", -0.5)
    with pytest.raises(ItemFailed, match=told) as failure:
        run_program("pass", limits=Limits(wall_seconds=0.7))
    assert failure.value.kind == "infrastructure"


def test_a_process_that_cannot_take_its_limits_on_is_no_verdict(sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path(starting.__file__).with_name("candidate.py").read_text("utf-8")
    broken = text.replace("    os.setsid()\n", "    os.chdir('/nowhere')\n")
    assert broken != text
    inside = Path(starting.__file__).with_name("inside.py").read_text("utf-8")
    codes = marshal.dumps([compile(each, "<sandbox>", "exec", dont_inherit=True) for each in (broken, inside)])
    monkeypatch.setattr(starting, "supervisor", lambda: codes)
    with pytest.raises(ItemFailed, match="No such file or directory: '/nowhere'"):
        run_program("print(1)")


def test_require_says_that_it_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "sys.exit('bwrap: oh')")
    with pytest.raises(UsageError, match="does not work here: a sandbox ended without a result"):
        require()


def test_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(UsageError, match="knows x86_64 and aarch64, and this machine is riscv64"):
        run_program("pass")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="use Linux"):
        run_program("pass")


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"cpu_seconds": 0}, "Limits.cpu_seconds 0: give a whole number"),
        ({"memory_mb": 2.5}, "Limits.memory_mb 2.5: give a whole number"),
        ({"wall_seconds": 0}, "Limits.wall_seconds 0: give more than 0"),
        ({"wall_seconds": float("nan")}, "Limits.wall_seconds nan"),
    ],
)
def test_limits_that_cannot_be(limit: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Limits(**limit)  # type: ignore[arg-type]


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_filter_is_well_formed(machine: str) -> None:
    """Every jump stays inside, every path ends with a return, and the numbers decide as they should."""
    program = syscalls.program(machine)
    code: list[tuple[int, int, int, int]] = [
        struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)
    ]
    assert len(code) < 4096

    def decided(number: int, argument: int = 0, architecture: int | None = None) -> int:
        audit = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine] if architecture is None else architecture
        at = word = 0
        while True:
            kind, yes, no, value = code[at]
            at += 1
            if kind == 0x20:
                word = {0: number, 4: audit, 16: argument}[value]
            elif kind == 0x06:
                return value
            else:
                true = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[kind]
                at += yes if true else no

    allow, refused = 0x7FFF0000, 0x00050001
    clone, socket, prlimit, read, ptrace = {
        "x86_64": (56, 41, 302, 0, 101),
        "aarch64": (220, 198, 261, 63, 117),
    }[machine]
    assert decided(read) == allow
    assert decided(ptrace) == refused
    assert decided(clone, 0x11) == allow
    assert decided(clone, 0x10000011) == refused
    assert decided(socket, 1) == allow
    assert {decided(socket, family) for family in range(46) if family != 1} == {refused}
    assert decided(prlimit, 0) == allow
    assert decided(prlimit, 1) == refused
    assert decided(435) == 0x00050026
    assert decided(read, architecture=0x40000003) == 0x80000000
    assert decided(0x40000000 + read) == 0x00050026


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that others can read: pytest closes its own to them, whenever another run of it begins."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_has_a_sandbox_too(sandbox: None, folder: Path) -> None:
    """By a user namespace: in a process that gave up root, with an interpreter that such a user can read."""
    python = shutil.which("python3", path="/usr/bin")
    version = python and subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    if not python or tuple(map(int, str(version).split(".")[:2])) < (3, 11):
        pytest.skip("there is no Python of the system, 3.11 or later, that every user can read")
    package = folder / "cultivar"
    source = Path(starting.__file__).parents[2]
    names = ("run", "results", "bubblewrap", "syscalls", "inside", "candidate")
    for name in ("core/errors.py", *(f"verify/code/{name}.py" for name in names)):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, package / name)
    for part in (package, package / "core", package / "verify", package / "verify/code"):
        (part / "__init__.py").touch()  # and not ours, which imports what such a Python may not have
    folder.chmod(0o755)
    code = """
from cultivar.verify.code.run import run_program, run_tests
rights = "open('/proc/self/status').read().count('CapEff:\\t0000000000000000')"
print(run_program(f"import os; print(os.getuid(), {rights})").stdout)
print(run_program("open('/proc/1/mem', 'rb')").verdict, run_program("import os\\nwhile 1: os.fork()").verdict)
print(run_program("x = open('/tmp/x', 'wb')\\nwhile 1: x.write(bytes(10**6))").verdict)
print(run_tests("def f(x): return x", ["assert f(1) == 1", "assert f(1) == 2"]).verdict)
import platform
platform.release = lambda: "5.4.0-old"  # where the kernel counts all processes of a user together
print(run_program("import os\\nwhile 1: os.fork()").verdict, run_program("open('/x', 'w')").verdict)
"""
    done = subprocess.run(
        [python, "-c", code], cwd=folder, user=65534, group=65534, extra_groups=[], env={"PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == [
        "65534",
        "1",
        "forbidden",
        "processes",
        "disk",
        "failed",
        "processes",
        "forbidden",
    ], done
