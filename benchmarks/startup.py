"""What it takes to begin: installed size, packages, import time, ``cultivar --help``.

    python -m benchmarks.startup [--rounds N]

Installs the project without its extras into a fresh virtual environment (pip may download the dependencies), weighs it,
and times each command beside ``python -c pass`` in the same round. Of N rounds the fastest is what a command takes (the
rest is what else the machine did, see the median); CPU seconds are of that round. Exit code 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_MB, MAX_PACKAGES, MAX_IMPORT, MAX_HELP = 60.0, 25, 0.15, 0.3


def install(folder: Path) -> Path:
    """The folder of the programs of a fresh environment that holds the project and its default dependencies."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / "bin"
    quiet = ("-qq", "--disable-pip-version-check")
    subprocess.run([str(programs / "python"), "-m", "pip", "install", *quiet, str(ROOT)], check=True)
    return programs


def weigh(folder: Path, programs: Path) -> tuple[float, list[str]]:
    """(MB of everything installed but pip and what came with it, names of the dependencies)."""
    listed = subprocess.run(
        [str(programs / "python"), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        capture_output=True,
        check=True,
    )
    names = sorted(row["name"] for row in json.loads(listed.stdout))
    (site,) = folder.glob("lib/python*/site-packages")
    bundled = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
    size = sum(
        path.stat().st_size
        for top in site.iterdir()
        if top.name.partition("-")[0] not in bundled and top.name not in bundled
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file()
    )
    return size / 1e6, [name for name in names if name not in ("pip", "setuptools", "cultivar")]


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """(wall, CPU) seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "venv"
        programs = install(folder)
        megabytes, packages = weigh(folder, programs)
        python = str(programs / "python")
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "import cultivar": [python, "-c", "import cultivar"],
            "every public name": [python, "-c", "from cultivar import *"],
            "cultivar --help": [str(programs / "cultivar"), "--help"],
            "cultivar run answer --help": [str(programs / "cultivar"), "run", "answer", "--help"],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds + 1):  # the first warms the disk's cache
            for name, command in commands.items():
                taken[name].append(measure(command, Path(made)))
    least = {name: min(each[1:]) for name, each in taken.items()}
    print(f"{'installed, without pip':28}{megabytes:6.1f} MB  bar {MAX_MB:g}")
    print(f"{'dependencies':28}{len(packages):6}     bar {MAX_PACKAGES}  ({', '.join(packages)})")
    print(f"\n{'':28}  wall s   median    CPU s  x python -c pass")
    bars = {"import cultivar": MAX_IMPORT, "cultivar --help": MAX_HELP}
    for name, (wall, cpu) in least.items():
        median = statistics.median(each[0] for each in taken[name][1:])
        ratio = wall / least["python -c pass"][0]
        bar = f"  bar {bars[name]:g} s" if name in bars else ""
        print(f"{name:28}{wall:8.3f} {median:8.3f} {cpu:8.3f}  {ratio:6.1f}{bar}")
    missed = megabytes > MAX_MB or len(packages) > MAX_PACKAGES or any(least[name][0] > bars[name] for name in bars)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
