"""How a run goes: a live display in a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cultivar.core.budget import dollars
from cultivar.core.protocols import Reply

EVERY = 5.0
"""Seconds between two plain lines."""


class RunProgress:
    """Counts what an engine tells it, and shows it. Use as a context manager."""

    def __init__(self, title: str, *, out: TextIO | None = None, quiet: bool = False, want: int | None = None) -> None:
        """``want`` is how many records end the run, if that is known."""
        self.title = title
        self.want = want
        self.made: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.calls = self.in_flight = self.tokens = 0
        self.cost = 0.0
        self.stage = ""
        self.total: int | None = None
        self._began = time.monotonic()
        self._told = self._stage_began = self._began
        self._out = out or sys.stderr
        self._quiet = quiet
        self._live: Live | None = None
        if not quiet and self._out.isatty() and os.environ.get("TERM") != "dumb":
            self._live = Live(console=Console(file=self._out), get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> RunProgress:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)

    # what an engine tells

    def stage_began(self, stage: str, total: int | None) -> None:
        self.stage, self.total = stage, total
        self._stage_began = time.monotonic()
        self.items = Counter()
        self._tell()

    def item_ended(self, stage: str, status: str, reason: str, kinds: Mapping[str, int]) -> None:
        self.items[status] += 1
        self.made.update(kinds)
        if status != "accepted":
            self.dropped[reason if status == "dropped" else f"failed-{reason}"] += 1
        self._tell()

    def discarded(self, stage: str, reason: str) -> None:
        self.dropped[reason] += 1

    def call_began(self, role: str) -> None:
        self.in_flight += 1

    def call_ended(self, role: str, reply: Reply | None) -> None:
        self.in_flight -= 1
        if reply is not None:
            self.calls += 1
            self.tokens += reply.usage.prompt_tokens + reply.usage.completion_tokens
            self.cost += reply.usage.cost or 0.0

    # what is shown

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def left(self) -> float | None:
        """Seconds until this stage ends at the rate it has had; None where nobody knows how far that is."""
        shares = []
        if self.total:
            shares.append(sum(self.items.values()) / self.total)
        if self.want:
            shares.append(sum(self.made.values()) / self.want)
        share = max(shares, default=0.0)
        spent = time.monotonic() - self._stage_began
        return None if share <= 0.0 else max(0.0, spent * (1 / share - 1))

    def _spent(self) -> str:
        money = f", {dollars(self.cost)}" if self.cost else ""
        return f"{self.tokens:,} tokens{money}"

    def line(self) -> str:
        """One line that says it all."""
        done = sum(self.items.values())
        of = f"/{self.total}" if self.total is not None else ""
        parts = [f"{self.stage}: {done}{of} proposed, {self.items['accepted']} accepted"]
        parts += [f"{count:,} {_plural(kind)}" for kind, count in self.made.items()]
        rows = sum(self.made.values())
        parts.append(f"{rows / max(self.seconds, 1e-9):.1f} records/s")
        if self.calls or self.in_flight:
            parts.append(f"{self.calls:,} calls ({self.in_flight} in flight), {self._spent()}")
        if self.left is not None:
            parts.append(f"{_clock(self.left)} left")
        if self.dropped:
            parts.append("dropped: " + ", ".join(f"{n} {reason}" for reason, n in self.dropped.most_common(6)))
        return " · ".join(parts)

    def _tell(self) -> None:
        if self._quiet or self._live is not None or time.monotonic() - self._told < EVERY:
            return
        self._told = time.monotonic()
        print(f"[{self.seconds:5.0f} s] {self.line()}", file=self._out, flush=True)

    def _render(self) -> Group:
        done = sum(self.items.values())
        grid = Table.grid(padding=(0, 3))
        grid.add_row("stage", Text(self.stage, style="bold"))
        of = f" of {self.total}" if self.total is not None else ""
        grid.add_row("proposed", f"{done}{of}")
        grid.add_row("accepted", Text(str(self.items["accepted"]), style="green"))
        for kind, count in self.made.items():
            grid.add_row(_plural(kind), f"{count:,}")
        grid.add_row("rate", f"{sum(self.made.values()) / max(self.seconds, 1e-9):.1f} records/s")
        if self.calls or self.in_flight:
            grid.add_row("calls", f"{self.calls:,} answered, {self.in_flight} in flight, {self._spent()}")
        if self.left is not None:
            grid.add_row("left", _clock(self.left))
        for reason, count in self.dropped.most_common(8):
            grid.add_row(Text(f"dropped: {reason}", style="yellow"), str(count))
        return Group(Text(f"{self.title} · {self.seconds:.0f} s", style="bold cyan"), grid)


def _clock(seconds: float) -> str:
    """7 s, 12 min, 3.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind.removesuffix('s')}s"
