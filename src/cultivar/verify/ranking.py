"""Texts ranked by a judge that reads them in two orders, one the other's reverse.

A judge that prefers what stands first prefers another text in each order; the sum of both places tells such texts
not apart. Reading order is drawn by the scope, so that no text always stands in the middle.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from cultivar.core.errors import Unparsable
from cultivar.core.records import JSON
from cultivar.core.replies import json_value
from cultivar.core.scope import Scope, together

LETTERS = string.ascii_uppercase
MOST = len(LETTERS)
"""Texts that are ranked at once."""

RANK = """\
Here is a task.
<<<
{task}
>>>

Here is what {count} authors wrote in answer to it.

{texts}

Rank these texts from the best to the worst. What counts: {criteria} Neither their length nor the order in which they \
stand here counts.

Answer with one JSON object that lists each of the {count} letters once, the best first: \
{{"ranking": ["...", "..."]}}."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Indexes of the texts: ``order`` from the best to the worst, ``apart`` the same without those that tie with a
    better one (by the sum of their places in both readings)."""

    order: tuple[int, ...]
    apart: tuple[int, ...]


async def rank(scope: Scope, role: str, task: str, texts: Sequence[str], *, criteria: str, **sampling: JSON) -> Ranked:
    """Two calls. Raises Unparsable where the judge cannot be made to rank, ValueError for more than ``MOST`` texts."""
    if not 2 <= len(texts) <= MOST:
        raise ValueError(f"{len(texts)} texts to rank; give 2 to {MOST}")
    shown = list(range(len(texts)))
    scope.rng("reading-order").shuffle(shown)
    places = [0] * len(texts)

    async def read(order: Sequence[int], branch: Scope) -> list[int]:
        listed = "\n\n".join(f"{LETTERS[at]}:\n<<<\n{texts[index]}\n>>>" for at, index in enumerate(order))
        prompt = RANK.format(task=task, texts=listed, count=len(order), criteria=criteria)
        found = await branch.ask(role, prompt, parse=partial(read_ranking, count=len(order)), n=None, **sampling)
        return [order[at] for at in found]

    forth, back = scope.child("one-order"), scope.child("other-order")
    for ranking in await together(read(shown, forth), read(shown[::-1], back)):
        for place, index in enumerate(ranking):
            places[index] += place
    order = sorted(range(len(texts)), key=lambda index: (places[index], index))
    apart = [i for k, i in enumerate(order) if not k or places[i] != places[order[k - 1]]]
    return Ranked(tuple(order), tuple(apart))


def read_ranking(reply: str, count: int) -> tuple[int, ...]:
    """Indexes of the letters from the best to the worst, of ``{"ranking": [...]}`` or of a bare list; or Unparsable."""
    found = json_value(reply)
    listed = found.get("ranking") if isinstance(found, dict) else found
    letters = [str(each).strip().upper() for each in listed] if isinstance(listed, list) else []
    if sorted(letters) != list(LETTERS[:count]):
        raise Unparsable(f'"ranking" must list each of the letters A to {LETTERS[count - 1]} once')
    return tuple(LETTERS.index(letter) for letter in letters)
