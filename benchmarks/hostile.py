"""How the PDDL reader takes hostile input: mutated files by the thousand, and monsters.

    python -m benchmarks.hostile [--files 10000] [--seed 1] [--only-own] [--json]

Every mutated file must be read without an exception in under 2 CPU seconds, every refusal must say why and where, and
nothing may be accepted in silence. An accepted text is held to be understood to the last word if

- a lexer of this script's own finds it balanced, one definition, and nothing but that;
- written out and read again it gives an equal value;
- every distinct word of it is in the written form (names, types, keywords, numbers);
- replacing any single word of it (a sample is tried) by one that means nothing changes the value or is refused: a word
  of which that is not so was skipped by the reader.

Seeds are the texts of ``_hostile_texts.py`` and, where ``shared/data/ipc`` lies beside the repository, the smaller
competition files. The run is deterministic in ``--seed``. Exit code 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks._hostile_texts import (
    FERRY,
    FERRY_PROBLEM,
    LIGHTS,
    LIGHTS_PROBLEM,
    MONSTERS,
    MUTATIONS,
    PLAIN,
    PLAIN_PROBLEM,
    Spans,
    spans_of,
)
from cultivar.environments.pddl.model import Domain, Problem
from cultivar.environments.pddl.parsing.diagnostics import Diagnostic, render_all
from cultivar.environments.pddl.parsing.parse import Parsed, extract_pddl, parse_domain, parse_problem
from cultivar.environments.pddl.parsing.write import write_domain, write_problem

LIMIT = 2.0
"""CPU seconds a file may take."""
PROBES = 3
"""Words that are replaced, one at a time, in an accepted text."""
LARGEST = 12_000
"""Characters of a competition file that is taken as a seed."""


@dataclass
class Seed:
    """A pair of texts; the domain is what the problem's mutants are read against."""

    domain_text: str
    problem_text: str
    domain: Domain


@dataclass
class Row:
    """One kind of mutation."""

    kind: str
    files: int = 0
    accepted: int = 0
    refused: int = 0
    probes: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


# Checks


def check(text: str, seed: Seed, problem: bool, rng: random.Random, row: Row) -> None:
    """Reads one text and notes in the row what came of it."""

    def read(source: str) -> Parsed[Domain] | Parsed[Problem]:
        return parse_problem(source, seed.domain) if problem else parse_domain(source)

    row.files += 1
    begun = time.process_time()
    parsed = read(text)
    seconds = time.process_time() - begun
    row.slowest = max(row.slowest, seconds)
    if seconds > LIMIT:
        row.failures.append(f"took {seconds:.1f} s")
    row.failures += bad_diagnostics(parsed.diagnostics, text, parsed.value is None)
    if parsed.value is None:
        row.refused += 1
        return
    row.accepted += 1
    row.failures += unheard(text, parsed.value)
    again = read(_written(parsed.value))
    if again.value != parsed.value:
        row.failures.append("what was accepted is not equal when written and read again")
    words = [(a, b) for a, b in _plain_spans(text) if text[a:b] not in "()"]
    for start, end in rng.sample(words, min(PROBES, len(words))):
        row.probes += 1
        changed = read(text[:start] + _meaningless(text[start:end]) + text[end:])
        if changed.value == parsed.value:
            row.failures.append(f"the word {text[start:end]!r} at offset {start} is without effect")


def bad_diagnostics(diagnostics: tuple[Diagnostic, ...], text: str, refused: bool) -> list[str]:
    """What is wrong with the diagnostics themselves."""
    errors = [d for d in diagnostics if d.severity == "error"]
    faults = []
    if refused != bool(errors):
        faults.append("refused without an error" if refused else "accepted with an error")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for d in diagnostics:
        if d.code.startswith("more-"):
            continue
        if not (1 <= d.line <= len(lines) and 1 <= d.column <= len(lines[d.line - 1]) + 1):
            faults.append(f"{d.code} points at {d.line}:{d.column}, outside the text")
        if not d.message.isprintable() or not d.text.replace("\t", "").isprintable():
            faults.append(f"{d.code} is not printable")
    render_all(diagnostics, "file").encode()
    return faults


def unheard(text: str, value: Domain | Problem) -> list[str]:
    """Signs that part of an accepted text was not read."""
    spans = _plain_spans(text)
    depth = tops = 0
    for start, end in spans:
        word = text[start:end]
        tops += depth == 0
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return ["accepted with unbalanced parentheses"]
    faults = [] if depth == 0 and tops == 1 else ["accepted, but it is not one balanced definition"]
    written = _written(value)
    known = {_canonical(written[a:b]) for a, b in _plain_spans(written)}
    # These are read and have no place in the written form: an empty ``(and)``, an explicit top type, defaults.
    known |= {"-", "and", "object", ":precondition", ":parameters", ":constants", ":types", ":functions", "(", ")"}
    known |= {":objects", ":requirements", "number", "=", "total-cost", 0.0, "either"}
    if isinstance(value, Problem):
        known |= {"not"}  # in the initial state, with a warning
        known |= {w for w in (_canonical(text[a:b]) for a, b in spans) if isinstance(w, str) and w in _REQUIREMENTS}
    missing = {text[a:b] for a, b in spans if _canonical(text[a:b]) not in known}
    if isinstance(value, Problem) and missing:
        missing -= _denied(text)
    return [*faults, f"the words {sorted(missing)[:5]} of an accepted text were lost"] if missing else faults


_REQUIREMENTS = frozenset((":strips", ":adl", ":typing", ":action-costs", ":equality", ":negative-preconditions"))


def _denied(text: str) -> set[str]:
    """The words inside ``(not (...))``: in the initial state they are read and, being false anyway, not kept."""
    return {word for inner in re.findall(r"\(\s*not\s*\(([^()]*)\)", text, re.IGNORECASE) for word in inner.split()}


def _plain_spans(text: str) -> Spans:
    """The lexer of the check: independent of the package's."""
    spans: Spans = []
    at, size = 0, len(text)
    while at < size:
        char = text[at]
        if char == ";":
            while at < size and text[at] not in "\r\n":
                at += 1
        elif char in "()":
            spans.append((at, at + 1))
            at += 1
        elif char in " \t\r\n\f\v\ufeff":
            at += 1
        else:
            start = at
            while at < size and text[at] not in " \t\r\n\f\v();":
                at += 1
            spans.append((start, at))
    return spans


def _canonical(word: str) -> str | float:
    lower = word.lower()
    return float(lower) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", lower) else lower


def _meaningless(word: str) -> str:
    return word[0] + "zzqx" if word[0] in "?:" else "zzqx"


def _written(value: Domain | Problem) -> str:
    return write_domain(value) if isinstance(value, Domain) else write_problem(value)


# Runs


def seeds(shared: Path | None) -> list[Seed]:
    """The seeds of this script and, where they are, the competition files that are small."""
    pairs = [(FERRY, FERRY_PROBLEM), (LIGHTS, LIGHTS_PROBLEM), (PLAIN, PLAIN_PROBLEM)]
    for path in sorted(shared.glob("*/1-domain.pddl")) if shared is not None else ():
        texts = [p.read_text(encoding="utf-8") for p in (path, path.with_name("1-problem.pddl"))]
        if max(map(len, texts)) <= LARGEST:
            pairs.append((texts[0], texts[1]))
    found = []
    for domain_text, problem_text in pairs:
        domain = parse_domain(domain_text)
        if domain.value is not None:
            found.append(Seed(domain_text, problem_text, domain.value))
    return found


def fuzz(files: int, seed: int, shared: Path | None) -> list[Row]:
    """``files`` mutated texts, the kinds in turn."""
    stock = seeds(shared)
    rows = [Row(kind) for kind in MUTATIONS]
    for number in range(files):
        rng = random.Random(f"{seed}/{number}")
        row = rows[number % len(rows)]
        own, other = rng.choice(stock), rng.choice(stock)
        problem = rng.random() < 0.4
        text = own.problem_text if problem else own.domain_text
        for _ in range(1 if rng.random() < 0.8 else rng.randint(2, 5)):
            spans = spans_of(text)
            if len(spans) < 2:
                break
            text = MUTATIONS[row.kind](text, spans, other.problem_text if problem else other.domain_text, rng)
        try:
            check(text, own, problem, rng, row)
        except Exception as error:  # any exception is the finding
            row.failures.append(f"file {number}: {type(error).__name__}: {error}")
    return rows


def run_monsters() -> list[Row]:
    domain = parse_domain(PLAIN).value
    assert domain is not None
    rows = []
    for kind, make in MONSTERS.items():
        row = Row(kind, files=1)
        text = make()
        begun = time.process_time()
        parsed = parse_domain(extract_pddl(text))
        parse_problem(text[:100], domain)
        row.slowest = time.process_time() - begun
        row.refused = int(parsed.value is None)
        row.accepted = 1 - row.refused
        if row.slowest > LIMIT:
            row.failures.append(f"took {row.slowest:.1f} s")
        if parsed.value is not None or not any(d.line for d in parsed.diagnostics):
            row.failures.append("no diagnostic with a position")
        rows.append(row)
    return rows


def table(rows: list[Row]) -> str:
    lines = [f"{'':32}{'files':>8}{'accepted':>10}{'refused':>9}{'probes':>8}{'slowest':>9}{'failures':>10}"]
    for r in rows:
        counts = f"{r.files:>8}{r.accepted:>10}{r.refused:>9}{r.probes:>8}"
        lines.append(f"{r.kind:32}{counts}{r.slowest:>8.2f}s{len(r.failures):>10}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Hostile input for the PDDL reader.")
    parser.add_argument("--files", type=int, default=10_000, help="mutated files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-own", action="store_true", help="no competition files as seeds")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "ipc"
    mutated = fuzz(options.files, options.seed, shared if shared.is_dir() and not options.only_own else None)
    giants = run_monsters()
    failures = [f"{r.kind}: {f}" for r in (*mutated, *giants) for f in r.failures]
    if options.json:
        print(json.dumps({"mutated": [asdict(r) for r in mutated], "monsters": [asdict(r) for r in giants]}))
    else:
        total = Row("all", *(sum(getattr(r, f) for r in mutated) for f in ("files", "accepted", "refused", "probes")))
        total.slowest = max(r.slowest for r in mutated)
        total.failures = [f for r in mutated for f in r.failures]
        print(table([*mutated, total]), table(giants), *failures[:20], sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
