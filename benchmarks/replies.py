"""What 400 real model replies hold: domains or diagnostics, and which gates they fail.

    python -m benchmarks.replies [FILE]

FILE defaults to shared/data/agentgen_domain_replies.jsonl beside the repository: one JSON object per line with the
model's ``reply``, meant to be a PDDL domain. Prints tables; exit code 1 if a reply crashed the reader.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cultivar.environments.pddl.auditing.audit import GATES, NOTES, audit_domain
from cultivar.environments.pddl.auditing.canonical import domain_key
from cultivar.environments.pddl.auditing.diversity import domain_shape, lexical_similarity, structural_diversity
from cultivar.environments.pddl.parsing.parse import extract_pddl, parse_domain

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "agentgen_domain_replies.jsonl"


@dataclass
class Tally:
    replies: int = 0
    domains: int = 0
    silent: int = 0
    placeless: int = 0
    crashes: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    gates: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    shapes: list[frozenset[str]] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    seconds: float = 0.0


def judge(name: str, reply: str, tally: Tally) -> None:
    """Reads and audits one reply and adds what came of it."""
    parsed = parse_domain(extract_pddl(reply))
    failed = [d for d in parsed.diagnostics if d.severity == "error"]
    for code in {(d.code, d.severity) for d in parsed.diagnostics}:
        tally.errors[f"{code[1]}: {code[0]}"] += 1
    if parsed.value is None:
        tally.silent += not failed
        tally.placeless += any(d.line == 0 for d in failed)
        return
    tally.domains += 1
    findings = audit_domain(parsed.value)
    for gate in {f.gate for f in findings}:
        tally.gates[gate] += 1
    tally.dropped += any(f.drops for f in findings)
    tally.keys[domain_key(parsed.value)] += 1
    tally.shapes.append(domain_shape(parsed.value))


def run(path: Path) -> tuple[Tally, list[str]]:
    tally, descriptions = Tally(), []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        tally.replies += 1
        descriptions.append(row.get("description", ""))
        began = time.process_time()
        try:
            judge(row["id"], row["reply"], tally)
        except Exception:
            tally.crashes.append(f"{row['id']}\n{traceback.format_exc(limit=3)}")
        spent = time.process_time() - began
        tally.seconds += spent
        tally.slowest = max(tally.slowest, (spent, row["id"]))
    return tally, descriptions


def share(count: int, of: int) -> str:
    return f"{count} ({count / max(of, 1):.0%})"


def show(tally: Tally, descriptions: list[str], console: Console) -> None:
    table = Table("what", "replies", title=f"{tally.replies} replies")
    table.add_row("give a domain", share(tally.domains, tally.replies))
    table.add_row("give diagnostics", share(tally.replies - tally.domains - len(tally.crashes), tally.replies))
    table.add_row("neither (must be 0)", str(tally.silent))
    table.add_row("an error without a position", str(tally.placeless))
    table.add_row("crash (must be 0)", str(len(tally.crashes)))
    table.add_row("CPU seconds, all", f"{tally.seconds:.2f}")
    table.add_row("CPU milliseconds, slowest", f"{tally.slowest[0] * 1000:.1f} ({tally.slowest[1]})")
    console.print(table)
    gates = Table("gate", "domains that fail it", "it demands", title=f"gates, of {tally.domains} domains")
    for gate, demand in GATES.items():
        if gate == "duplicate-environment":
            gates.add_row(gate, share(sum(n - 1 for n in tally.keys.values()), tally.domains), demand)
        elif gate in tally.gates:
            gates.add_row(
                f"{gate}{' (note)' if gate in NOTES else ''}", share(tally.gates[gate], tally.domains), demand
            )
    gates.add_row("any that drops", share(tally.dropped, tally.domains), "")
    console.print(gates)
    codes = Table("diagnostic", "replies with it", title="diagnostics")
    for code, count in tally.errors.most_common():
        codes.add_row(code, str(count))
    console.print(codes)
    console.print(f"structural diversity (1 - mean Jaccard of shapes): {structural_diversity(tally.shapes):.3f}")
    console.print(
        f"lexical similarity of 100 descriptions (mean TF-IDF cosine): {lexical_similarity(descriptions[:100]):.3f}"
    )
    for crash in tally.crashes:
        console.print(crash, markup=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    path: Path = parser.parse_args().file
    if not path.is_file():
        print(f"{path} is not there: give the path of a JSONL file of replies", file=sys.stderr)
        return 2
    tally, descriptions = run(path)
    show(tally, descriptions, Console())
    return 1 if tally.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
