"""The procedural proposer against every gate: share that passes, distinct structures, environments per CPU second.

    python benchmarks/procedural.py --draws 1000

A draw is one environment, about a passage of the corpus that ships with the project (or about no text at all), with
``--tasks`` accepted tasks, asked for in sizes 1 to 6 in turn. It passes if no gate of a
domain or an environment fails and the tasks are together within three attempts each. CPU time covers all of it:
proposing, sampling, writing and parsing, grounding, planning, measuring, every gate, narration and the replay as text.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from cultivar.environments.pddl import audit
from cultivar.environments.pddl.canonical import domain_key, problem_key
from cultivar.environments.pddl.check_language import check_language
from cultivar.environments.pddl.coverage import witness
from cultivar.environments.pddl.difficulty import BUCKET_NAMES, measure
from cultivar.environments.pddl.ground import ground
from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.narrate import Narrator
from cultivar.environments.pddl.parse import parse_domain, parse_problem
from cultivar.environments.pddl.procedural import Proposal, propose
from cultivar.environments.pddl.search import plan
from cultivar.environments.pddl.simulate import Simulator
from cultivar.environments.pddl.write import write_domain, write_problem
from cultivar.sources.text import read_corpus

MAX_EXPANSIONS = 10_000
"""Of the planner's, for one task: those that need more are dropped."""

ODD = ("", "Η γιαγιά μου έφτιαχνε ψωμί. 今日は雨です。", "1 2 3 ((( ;;; )))")
"""Texts that say nothing to a proposer; they are drawn from like the corpus that ships with the project."""

PASSAGES = (*(document.text for document in read_corpus(None)), *ODD)


@dataclass
class Tally:
    """What was counted over all draws; ``cpu`` in seconds by stage."""

    accepted: int = 0
    tasks: int = 0
    attempts: int = 0
    keys: set[str] = field(default_factory=set)
    drawn: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    blamed: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    buckets: Counter[str] = field(default_factory=Counter)
    by_size: dict[int, list[int]] = field(default_factory=dict)
    themes: Counter[str] = field(default_factory=Counter)
    operators: list[int] = field(default_factory=list)
    mutants: Counter[bool] = field(default_factory=Counter)
    cpu: Counter[str] = field(default_factory=Counter)

    def clock(self, stage: str, since: float) -> float:
        now = time.process_time()
        self.cpu[stage] += now - since  # type: ignore[assignment]
        return now


def replay(
    simulator: Simulator, narrator: Narrator, steps: list[tuple[str, tuple[str, ...]]]
) -> tuple[float, str | None]:
    """Reward of a plan that is told, read back and executed; and the first reply that was not understood."""
    state = simulator.initial
    for name, args in steps:
        said = narrator.action(name, args)
        read = narrator.read_action(said)
        if not isinstance(read, tuple):
            return simulator.progress(state), f"{said!r}: {read}"
        op = simulator.find(state, *read)
        if op is None:
            return simulator.progress(state), f"{said!r} was read as {read}, which cannot be done"
        state = simulator.apply(state, op)
    return float(simulator.is_goal(state)), None


def try_task(
    proposal: Proposal, rng: random.Random, size: int, seen: dict[str, str], witnessed: set[str], tally: Tally
) -> tuple[list[audit.Finding], GroundTask | None]:
    """One task through all gates."""
    at = time.process_time()
    parsed = parse_problem(write_problem(proposal.sample(rng, size)), proposal.domain)
    assert parsed.value is not None, parsed.diagnostics
    at = tally.clock("sample, write, parse", at)
    task = ground(proposal.domain, parsed.value)
    simulator = Simulator(task)
    at = tally.clock("ground", at)
    found = audit.audit_start(simulator)
    if found:
        return found, None
    best = plan(task, max_expansions=MAX_EXPANSIONS)
    at = tally.clock("plan", at)
    found = audit.audit_plan(simulator, best)
    if found:
        return found, None
    difficulty = measure(task, best, rng, simulator=simulator)
    at = tally.clock("measure", at)
    found = audit.audit_difficulty(difficulty)
    key = problem_key(proposal.domain, parsed.value)
    found += audit.audit_duplicate("duplicate-task", key, parsed.value.name, seen)
    at = tally.clock("duplicate", at)
    if found:
        return found, None
    narrator = Narrator(task, proposal.language)
    found = audit.audit_language(narrator.clash())
    found += audit.audit_replay(*replay(simulator, narrator, best.steps()))
    narrator.goal()
    narrator.observe(simulator.initial)
    at = tally.clock("narrate", at)
    made = audit.mutants(simulator, best.steps(), rng)
    rewards = [replay(simulator, narrator, mutant.steps) == (1.0, None) for mutant in made]
    found += audit.audit_mutants(made, rewards)
    tally.mutants.update(rewards)
    wanted = {a.name for a in proposal.domain.actions} - witnessed
    if wanted:
        witnessed |= witness(simulator, wanted, rng, steps=best.steps())
    tally.clock("mutants, coverage", at)
    if not found:
        seen[key] = parsed.value.name
        tally.buckets[difficulty.bucket or "short"] += 1
        tally.by_size.setdefault(size, []).append(difficulty.plan_length)
        tally.operators.append(len(task.operators))
    return found, None if found else task


def try_draw(seed: int, wanted: int, tally: Tally, verbose: bool) -> None:
    """One environment and its tasks."""
    at = time.process_time()
    rng = random.Random(f"procedural {seed}")
    proposal = propose(PASSAGES[seed % len(PASSAGES)], rng)
    at = tally.clock("propose", at)
    text = write_domain(proposal.domain)
    reasons = [f.gate for f in audit.audit_domain(proposal.domain) if f.drops]
    notes = [d.render(proposal.title) for d in parse_domain(text).diagnostics]
    if parse_domain(text).value != proposal.domain:
        reasons.append("no-round-trip")
    if problems := [d for d in check_language(proposal.domain, proposal.language) if d.severity == "error"]:
        reasons.append("language")
        notes += [d.render() for d in problems]
    key = domain_key(proposal.domain)
    tally.drawn.add(key)
    at = tally.clock("domain gates", at)
    seen: dict[str, str] = {}
    witnessed: set[str] = set()
    relaxed: set[str] = set()
    count = 0
    tally.met.update(proposal.mechanics)
    tally.themes[proposal.theme] += 1
    for attempt in range(3 * wanted):
        found, task = try_task(proposal, rng, attempt % 6 + 1, seen, witnessed, tally)
        tally.attempts += 1
        for finding in found:
            tally.dropped[finding.gate] += 1
            if finding.gate not in ("plan-short", "random-walk", "duplicate-task"):
                tally.blamed.update(f"{finding.gate} {m}" for m in proposal.mechanics)
                notes.append(f"{finding.gate}: {finding.message}")
        if task is not None:
            relaxed |= {op.name for op in task.operators}
            count += 1
        if count == wanted:
            break
    findings = audit.audit_environment(proposal.domain, witnessed, relaxed, count, min_tasks=wanted)
    reasons += [f.gate for f in findings if f.drops]
    notes += [f"{f.gate}: {f.message}" for f in findings]
    tally.failed.update(reasons)
    if reasons:
        tally.blamed.update(f"FAILED {m}" for m in proposal.mechanics)
    else:
        tally.accepted += 1
        tally.tasks += count
        tally.keys.add(key)
    if verbose and (reasons or notes):
        print(seed, proposal.title, reasons, *dict.fromkeys(notes), sep="\n    ")


def report(tally: Tally, draws: int, verbose: bool) -> None:
    seconds = sum(tally.cpu.values())
    print(f"draws that pass every gate     {tally.accepted} of {draws} ({tally.accepted / draws:.1%})")
    for gate, count in tally.failed.most_common():
        print(f"  failed {gate:24s} {count} ({count / draws:.1%})")
    print(f"structures distinct up to renaming  {len(tally.drawn)} drawn, {len(tally.keys)} accepted")
    print(
        f"accepted environments per CPU second  {tally.accepted / seconds:.2f}   ({seconds / draws * 1000:.0f} ms each)"
    )
    for stage, spent in tally.cpu.most_common():
        print(f"  {stage:24s} {spent / draws * 1000:7.1f} ms")
    print(f"tasks accepted  {tally.tasks} of {tally.attempts} sampled; dropped by gate:")
    for gate, count in tally.dropped.most_common():
        print(f"  {gate:24s} {count} ({count / max(tally.attempts, 1):.1%})")
    total = sum(tally.buckets.values()) or 1
    print("plan lengths  " + "  ".join(f"{name}: {tally.buckets[name] / total:.1%}" for name in BUCKET_NAMES))
    for size, lengths in sorted(tally.by_size.items()):
        lengths.sort()
        tenths = [lengths[len(lengths) * k // 10] for k in (1, 5, 9)]
        print(f"  size {size}: 10% / median / 90% = {tenths}")
    operators = sorted(tally.operators) or [0]
    print(f"ground operators  median {operators[len(operators) // 2]}, 95% {operators[len(operators) * 95 // 100]}")
    rarest, often = tally.met.most_common()[-1], tally.themes.most_common(1)[0]
    print(f"mechanics  {len(tally.met)} met, the rarest {rarest[1]} times ({rarest[0]})")
    print(f"themes  {len(tally.themes)} met, the most frequent {often[1]} times ({often[0]})")
    print(f"mutants  {tally.mutants[False]} rejected, {tally.mutants[True]} accepted (each of them a plan too)")
    if verbose:
        for name, count in tally.blamed.most_common(40):
            print(f"  {name:40s} {count:5d}  of {tally.met[name.split()[-1]]} draws")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--verbose", action="store_true", help="tell every failure, and the mechanics that met it")
    options = parser.parse_args()
    tally = Tally()
    for seed in range(options.first, options.first + options.draws):
        try_draw(seed, options.tasks, tally, options.verbose)
    report(tally, options.draws, options.verbose)


if __name__ == "__main__":
    main()
