"""The procedural proposer against every gate: share that passes, distinct structures, environments per CPU second.

    python -m benchmarks.procedural [--draws 1000] [--tasks 10] [--first 0]

A draw is one environment, about a passage of the corpus that ships with the project or about a text that says nothing,
with ``--tasks`` accepted tasks, asked for in sizes 1 to 6 in turn. It goes the way that every environment of the recipe
goes: ``draw``, ``sample``, ``assess`` (parse, ground, plan greedily and then by A*, measure, every gate, narrate,
demonstrate through text, change plans), ``Accepted``. It passes if no gate of a domain or an environment fails and the
tasks are together within three attempts each. CPU time covers all of it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import cast

from cultivar.core.scope import Scope
from cultivar.environments.pddl.accepted import Accepted
from cultivar.environments.pddl.assess import assess, read_domain
from cultivar.environments.pddl.auditing.audit import audit_domain
from cultivar.environments.pddl.auditing.difficulty import BUCKET_NAMES
from cultivar.environments.pddl.narration.check_language import check_language
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.proposer import draw, sample
from cultivar.sources.text import read_corpus

ODD = ("", "Η γιαγιά μου έφτιαχνε ψωμί. 今日は雨です。", "1 2 3 ((( ;;; )))")
PASSAGES = (*(document.text for document in read_corpus(None)), *ODD)


class Discards:
    """Stands where the scope of an item would: counts what is thrown away."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def discard(self, reason: str, subject: object = None, **evidence: object) -> None:
        self.reasons[reason] += 1


@dataclass
class Tally:
    """What was counted over all draws."""

    accepted: int = 0
    tasks: int = 0
    attempts: int = 0
    optimal: int = 0
    seconds: float = 0.0
    keys: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    dropped: Discards = field(default_factory=Discards)
    buckets: Counter[str] = field(default_factory=Counter)
    mutants: Counter[str] = field(default_factory=Counter)
    mechanics: Counter[str] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)
    lengths: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))


def try_draw(seed: int, wanted: int, tally: Tally) -> None:
    """One environment and its tasks."""
    passage = PASSAGES[seed % len(PASSAGES)]
    rng = random.Random(f"procedural {seed}")
    began = time.process_time()
    spec = draw(passage, seed, "passage")
    domain = read_domain(spec.data["domain"])
    failed = [f.gate for f in audit_domain(domain) if f.drops]
    wrong = check_language(domain, Language.from_json(spec.data["language"]))
    failed += [d.code for d in wrong if d.severity == "error"]
    accepted = Accepted(spec)
    for attempt in range(3 * wanted):
        size = attempt % 6 + 1
        found = assess(spec, sample(passage, seed, rng.getrandbits(48), size), {}, rng.getrandbits(48))
        task = accepted.admit(found, cast(Scope, tally.dropped), {"size": size})
        tally.attempts += 1
        if task is not None:
            tally.lengths[size].append(task.meta["difficulty"]["plan_length"])
        if len(accepted) == wanted:
            break
    failed += [f.gate for f in accepted.audit(least=wanted)]
    tally.seconds += time.process_time() - began
    tally.failed.update(failed)
    tally.keys.add(spec.meta["key"])
    tally.mechanics.update(spec.meta["mechanics"])
    tally.themes[spec.meta["theme"]] += 1
    if not failed:
        tally.accepted += 1
    for task in accepted.tasks:
        tally.tasks += 1
        tally.optimal += task.meta["difficulty"]["optimal"]
        tally.buckets[task.meta["difficulty"]["bucket"]] += 1
        tally.mutants.update(task.meta["mutants"])


def report(tally: Tally, draws: int) -> bool:
    """Prints the tables; says whether the bars are met (the one of structures is for 1,000 draws)."""
    rate = tally.accepted / tally.seconds
    share = tally.accepted / draws
    print(f"draws that pass every gate            {tally.accepted} of {draws} ({share:.1%}; bar 95 %)")
    for gate, count in tally.failed.most_common():
        print(f"  failed {gate:28} {count}")
    print(f"structures distinct up to renaming    {len(tally.keys)} (bar 300 of 1,000)")
    print(f"accepted environments per CPU second  {rate:.2f} (bar 2; {1000 * tally.seconds / draws:.0f} ms each)")
    print(f"tasks accepted                        {tally.tasks} of {tally.attempts} sampled, dropped by gate:")
    for gate, count in tally.dropped.reasons.most_common():
        print(f"  {gate:35} {count} ({count / tally.attempts:.1%})")
    print(f"plans proved optimal                  {tally.optimal / max(1, tally.tasks):.1%}")
    total = sum(tally.buckets.values()) or 1
    print("plan lengths  " + "  ".join(f"{name}: {tally.buckets[name] / total:.1%}" for name in BUCKET_NAMES))
    for size, lengths in sorted(tally.lengths.items()):
        lengths.sort()
        print(f"  size {size}: 10 % / median / 90 % = {[lengths[len(lengths) * k // 10] for k in (1, 5, 9)]}")
    rarest, often = tally.mechanics.most_common()[-1], tally.themes.most_common(1)[0]
    print(f"mechanics     {len(tally.mechanics)} met, the rarest {rarest[1]} times ({rarest[0]})")
    print(f"themes        {len(tally.themes)} met, the most frequent {often[1]} times ({often[0]})")
    for kind, count in sorted(tally.mutants.items()):
        print(f"changed plans {kind:24} {count}")
    return share >= 0.95 and rate >= 2 and len(tally.keys) >= min(300, 0.3 * draws)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    options = parser.parse_args()
    tally = Tally()
    for seed in range(options.first, options.first + options.draws):
        try_draw(seed, options.tasks, tally)
    return 0 if report(tally, options.draws) else 1


if __name__ == "__main__":
    sys.exit(main())
