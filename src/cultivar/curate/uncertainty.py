"""How sure a model was of a reply, from the log-probabilities of its tokens as the chat-completions API gives them:
``{"content": [{"logprob": -0.1, "top_logprobs": [{"logprob": -0.1}, {"logprob": -2.6}]}, ...]}``.

The numbers come from an endpoint and may be anything: what cannot be read gives None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cultivar.core.records import JSON


def confidence(logprobs: JSON) -> float | None:
    """The geometric mean of the probabilities of the reply's tokens, in [0, 1]."""
    found = [_number(token.get("logprob")) for token in _tokens(logprobs)]
    known = [value for value in found if value is not None]
    if not known or len(known) < len(found):
        return None
    return math.exp(sum(known) / len(known))


def margin(logprobs: JSON) -> float | None:
    """The mean, over the reply's tokens, of the best alternative's probability less the second's, in [0, 1].

    None where a token comes without two alternatives (ask with ``top_logprobs=2``).
    """
    gaps: list[float] = []
    for token in _tokens(logprobs):
        others = token.get("top_logprobs")
        values = [_number(other.get("logprob")) for other in _mappings(others)]
        best = sorted((math.exp(value) for value in values if value is not None), reverse=True)
        if len(best) < 2:
            return None
        gaps.append(best[0] - best[1])
    return sum(gaps) / len(gaps) if gaps else None


def _tokens(logprobs: JSON) -> list[Mapping[str, JSON]]:
    return _mappings(logprobs.get("content")) if isinstance(logprobs, Mapping) else []


def _mappings(found: JSON) -> list[Mapping[str, JSON]]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [value for value in found if isinstance(value, Mapping)]


def _number(value: JSON) -> float | None:
    """A log-probability; one that is above 0 by rounding is 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= 0.001:
        return None
    return min(float(value), 0.0)
