"""How alike domains are, by structure and by words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from cultivar.environments.pddl.model import (
    Action,
    And,
    Atom,
    Domain,
    Effect,
    Exists,
    Forall,
    Formula,
    Imply,
    Not,
    Or,
    When,
)


def domain_shape(domain: Domain) -> frozenset[str]:
    """Features of a domain's actions that do not depend on names or on the order of anything.

    For every action: how it uses each predicate (needs ``+``, excludes ``-``, adds ``a``, deletes ``d``, with the
    predicate's arity and whether any action changes it), how it uses each parameter (the set of such uses in which the
    parameter occurs) and the whole of both. The k-th repetition of a feature is a feature of its own.
    """
    counts: Counter[str] = Counter()
    found = set()
    for action in domain.actions:
        for feature in _features(domain, action):
            counts[feature] += 1
            found.add(f"{feature}#{counts[feature]}")
    return frozenset(found)


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index of two shapes, in [0, 1]; 1 for domains that are the same up to renaming, and for some others."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def structural_diversity(shapes: Sequence[frozenset[str]]) -> float:
    """1 - mean pairwise similarity; 0 for fewer than two domains."""
    pairs = [similarity(a, b) for i, a in enumerate(shapes) for b in shapes[:i]]
    return 1 - sum(pairs) / len(pairs) if pairs else 0.0


def _features(domain: Domain, action: Action) -> list[str]:
    uses: dict[str, set[str]] = {}
    of_term: dict[str, set[str]] = {}
    for role, atom in [*_uses(action.precondition, "+", "-"), *_uses(action.effect, "a", "d")]:
        kind = "f" if atom.predicate in domain.fluents else "s"
        uses.setdefault(atom.predicate, set()).add(role)
        for term in atom.args:
            of_term.setdefault(term, set()).add(f"{role}{kind}{len(atom.args)}")
    predicates = sorted(
        f"{len(uses[p])}{''.join(sorted(uses[p]))}{domain.predicate[p].arity if p in domain.predicate else 0}"
        for p in uses
    )
    parameters = sorted(",".join(sorted(of_term.get(p.name, ()))) for p in action.parameters)
    whole = f"{len(action.parameters)} {' '.join(predicates)} | {' '.join(parameters)}"
    return [*(f"predicate {p}" for p in predicates), *(f"parameter {p}" for p in parameters), f"action {whole}"]


def _uses(node: Formula | Effect, positive: str, negative: str) -> Iterable[tuple[str, Atom]]:
    stack: list[tuple[Formula | Effect, str, str]] = [(node, positive, negative)]
    while stack:
        top, yes, no = stack.pop()
        match top:
            case Atom():
                yield yes, top
            case Not(body):
                stack.append((body, no, yes))
            case And(parts) | Or(parts):
                stack.extend((part, yes, no) for part in parts)
            case Forall(_, body) | Exists(_, body):
                stack.append((body, yes, no))
            case Imply(left, right):
                stack += [(left, no, yes), (right, yes, no)]
            case When(condition, effect):
                stack += [(condition, "+", "-"), (effect, yes, no)]
            case _:
                pass


def lexical_similarity(texts: Sequence[str]) -> float:
    """Mean pairwise cosine of TF-IDF vectors; 0 for fewer than two texts. AgentGen reports 0.176 on 100 of its own.

    Words of two characters or more, raw counts, smoothed inverse document frequency ln((1 + n) / (1 + df)) + 1, unit
    length: what scikit-learn's ``TfidfVectorizer`` does unless told otherwise.
    """
    if len(texts) < 2:
        return 0.0
    counts = [Counter(re.findall(r"\b\w\w+\b", text.lower())) for text in texts]
    present: Counter[str] = Counter(word for count in counts for word in count)
    weight = {word: math.log((1 + len(texts)) / (1 + n)) + 1 for word, n in present.items()}
    total: dict[str, float] = {}
    own = 0.0
    for count in counts:
        vector = {word: n * weight[word] for word, n in count.items()}
        length = math.sqrt(sum(x * x for x in vector.values()))
        if length:
            own += 1
            for word, x in vector.items():
                total[word] = total.get(word, 0.0) + x / length
    # The sum over all pairs is read off the squared length of the sum of the unit vectors.
    pairs = len(texts) * (len(texts) - 1)
    return max(0.0, (sum(x * x for x in total.values()) - own) / pairs)
