"""Whatever a provider does and whenever the run is stopped: every call is answered, and each is paid for once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.core.protocols import Request
from cultivar.llm.batch import MISSING, BatchModel, Ending
from cultivar.llm.batch_folder import Batch, Folder
from cultivar.llm.batch_rows import Fault, request_ids
from tests.llm.fake_batch_server import completion

FATES = st.sampled_from(["all", "half", "none", "failed", "overfull", "row-500"])


class Provider:
    """What outlives a run: which batches were sent, and what they executed. ``fates`` of the next ones; then "all"."""

    def __init__(self, fates: list[str]) -> None:
        self.fates = fates
        self.batches: list[tuple[bytes, Ending]] = []
        self.paid: Counter[str] = Counter()

    def run(self, batch: Batch) -> int:
        fate = self.fates.pop(0) if self.fates else "all"
        rows = list(request_ids(batch.requests))
        share = {"half": len(rows) // 2, "all": len(rows), "row-500": len(rows)}.get(fate, 0)
        lines = []
        for number, row in enumerate(rows[:share]):
            status = 500 if fate == "row-500" and number % 2 else 200
            self.paid[row] += status == 200
            body = completion({"messages": [{"content": row}]}) if status == 200 else None
            lines.append({"custom_id": row, "response": {"status_code": status, "body": body}, "error": None})
        failed = fate in ("failed", "overfull")
        ending = Ending(Fault("failed", "no") if failed else MISSING, failed=failed, overfull=fate == "overfull")
        self.batches.append((b"".join(orjson.dumps(line) + b"\n" for line in reversed(lines)), ending))
        return len(self.batches) - 1


class PlainCarrier:
    """A carrier to the provider above that is not always quick."""

    name, model = "batch:test", "m"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def was_sent(self, batch: Batch) -> bool:
        return batch.state_path.exists()

    async def fetch(self, batch: Batch) -> Ending:
        await asyncio.sleep(0)
        if not batch.state():
            batch.note({"id": self.provider.run(batch)})
        for _ in range(batch.number % 4):
            await asyncio.sleep(0)
        number: int = batch.state()["id"]
        results, ending = self.provider.batches[number]
        batch.results.write_bytes(results)
        return ending

    async def close(self) -> None:
        return None


@settings(max_examples=30)
@given(
    fates=st.lists(FATES, max_size=8),
    stops=st.lists(st.integers(0, 40), max_size=4),
    count=st.integers(1, 12),
    most_rows=st.integers(1, 12),
)
def test_every_call_is_answered_and_paid_for_once(
    fates: list[str], stops: list[int], count: int, most_rows: int
) -> None:
    provider = Provider(fates)
    answered: dict[str, str] = {}

    async def call(model: BatchModel, number: int) -> None:
        """Two calls, the second after the first, each asked only if no earlier run has its answer."""
        for link in range(2):
            key = f"{number:03d}{link}"
            if key not in answered:
                answered[key] = (await model.complete(Request(({"content": key},), key=key))).text

    async def run(folder: Path, steps: int | None) -> None:
        model = BatchModel(PlainCarrier(provider), Folder(folder), quiet=0, pause=0, attempts=20, most_rows=most_rows)
        tasks = [asyncio.create_task(call(model, n)) for n in range(count)]
        if steps is None:
            await asyncio.wait_for(asyncio.gather(*tasks), 20)
        else:
            for _ in range(steps):
                await asyncio.sleep(0)
        await model.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with tempfile.TemporaryDirectory() as folder:
        for steps in [*stops, None]:
            asyncio.run(run(Path(folder), steps))
    assert len(answered) == 2 * count
    assert provider.paid == Counter(dict.fromkeys(answered, 1))
