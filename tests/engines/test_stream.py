from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import InputError
from cultivar.engines.spool import Spool


@given(st.permutations(range(30)), st.integers(0, 40), st.sets(st.integers(0, 29)), st.sets(st.integers(0, 29)))
def test_a_spool_is_a_list_in_the_order_of_the_numbers(
    order: list[int], held: int, gaps: set[int], removed: set[int]
) -> None:
    spool: Spool[dict[str, int]] = Spool(Path(tempfile.gettempdir()), held=held)
    for number in order:
        if number not in gaps:
            spool.put(number, {"n": number})
    spool.remove(removed)
    wanted = [{"n": n} for n in range(30) if n not in gaps | removed]
    assert spool == wanted
    assert list(spool) == wanted == spool[:]
    assert spool[1:20:3] == wanted[1:20:3]
    assert len(spool) == len(wanted)
    assert bool(spool) == bool(wanted)
    if wanted:
        assert (spool[0], spool[-1]) == (wanted[0], wanted[-1])
        assert wanted[-1] in spool
    with pytest.raises(IndexError):
        spool[len(wanted)]


def test_a_spool_can_be_read_while_it_grows(tmp_path: Path) -> None:
    spool: Spool[int] = Spool(tmp_path, held=2)
    for n in range(10):
        spool.append(n)
        assert spool == list(range(n + 1))
    assert list(tmp_path.iterdir()) == []  # its file has no name, and is gone with the process


def test_what_cannot_be_pickled_stays_in_memory(tmp_path: Path) -> None:
    spool: Spool[object] = Spool(tmp_path, held=0)
    function = lambda: 1  # noqa: E731
    spool.append(function)
    assert spool[0] is function


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    spool: Spool[bytes] = Spool(tmp_path / "missing", held=0)
    with pytest.raises(InputError, match="make room"):
        spool.append(b"x")


MANY = """
import asyncio, gc, random, sys, tracemalloc
from pathlib import Path
from cultivar.core.journal import Journal
from cultivar.core.records import Instruction, Sample
from cultivar.engines.local import LocalEngine

def source():
    for n in range(12_000):
        yield Instruction(prompt=f"prompt {n}")

async def work(item, scope):
    if item.prompt.endswith("7"):
        scope.drop("seven")
    text = random.Random(item.prompt).randbytes(1000).hex()
    return Sample(messages=({"role": "assistant", "content": text},))

async def main(folder):
    with Journal(folder / "journal.sqlite") as journal:
        engine = LocalEngine(journal, concurrency=32)
        tracemalloc.start()
        made = await engine.map(work, source())
        gc.collect()
        print(len(made), len(engine.dropped), tracemalloc.get_traced_memory()[0])

asyncio.run(main(Path(sys.argv[1])))
"""


def test_memory_does_not_grow_with_the_items(tmp_path: Path) -> None:
    """In a process of its own, where nothing else is counted."""
    done = subprocess.run([sys.executable, "-c", MANY, str(tmp_path)], capture_output=True, text=True, check=True)
    made, dropped, held = map(int, done.stdout.split())
    assert (made, dropped) == (10_800, 1_200)
    assert held < 20e6  # 4,096 of the results, where all of them are 40 MB
