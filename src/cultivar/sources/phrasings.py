"""Templates of instructions in many phrasings: a few of ours -> more by a model -> the same in other styles.

Expansion as in Self-Instruct (arXiv 2212.10560) and CoDI-Eval (arXiv 2401.00690): sampled templates are shown, numbered
and in brackets; new ones are read in the same form and refused if they are one that is there already (ROUGE-L), lose a
placeholder or ask for something else. A placeholder is a word in curly brackets; a model's template is never a format
string.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from cultivar.core.errors import Unparsable
from cultivar.core.scope import Scope, together

EXPAND = """\
Below are templates of instructions that users give to an assistant that writes texts. They all ask for the same \
thing; a word in curly brackets is filled in later.

{listed}

Write eight more templates, numbered from {next} on, each in square brackets on a line of its own as above. Each asks \
for the same thing in another way: other words, another kind of sentence, another kind of text to be written, another \
tone. Each keeps exactly these placeholders: {placeholders}."""

RESTYLE = """\
Rewrite this template of an instruction: {style}. What it asks for stays exactly the same, and so do the words in \
curly brackets.

[{template}]

Answer with the new template alone, in square brackets on one line."""

STYLES = (
    "formal", "informal, as to a friend", "concise", "verbose", "polite", "with the words in another order", "poetic",
    "technical", "witty", "urgent", "as a question", "as a plain command", "from somebody who says why it is needed",
)  # fmt: skip
UNWANTED = re.compile(r"\b(?:lists?|pictures?|images?|templates?|placeholders?|sorry)\b", re.IGNORECASE)
ALIKE = 0.95
"""ROUGE-L above which a phrasing is one that is there already; CoDI-Eval's number."""
LONGEST = 80
SHOWN, WIDE = 4, 16
"""Templates shown to the author; rewritings asked for at once."""

REASONS = {
    "placeholders": "a new phrasing has the placeholders of its kind, each once, and nothing else in curly brackets",
    "unwanted-word": "a new phrasing asks for a text, not for a list or a picture, and does not speak of templates",
    "too-long": f"a new phrasing has at most {LONGEST} words",
    "too-similar": f"a new phrasing has a ROUGE-L of at most {ALIKE} with every other one of its kind",
    "no-phrasings": "the author writes phrasings in the form that was asked for",
}
Check = Callable[[str, Scope], Awaitable[str | None]]


async def phrasings(
    scope: Scope, role: str, seeds: Sequence[str], wanted: int, check: Check | None = None
) -> list[str]:
    """The seeds, new templates until there are ``wanted``, and each of these once more in another style.

    ``check`` looks at a template that passed the rules here and gives a reason to refuse it, or None. Gives up after
    as many calls as templates are wanted. What is refused is discarded, with a key of ``REASONS`` or that of ``check``.
    """
    templates = list(seeds)
    names = ", ".join(f"{{{name}}}" for name in placeholders(seeds[0]))
    for call in range(wanted):
        if len(templates) >= wanted:
            break
        seen = scope.rng("seen", call).sample(templates, min(SHOWN, len(templates)))
        listed = "\n".join(f"{k}. [{text}]" for k, text in enumerate(seen, 1))
        asked = EXPAND.format(listed=listed, next=len(seen) + 1, placeholders=names)
        _admit(await _proposed(scope.child(f"expand-{call}"), role, asked, templates, check), templates, scope)
    numbered = list(enumerate(templates))
    for start in range(0, len(numbered), WIDE):
        group = numbered[start : start + WIDE]
        styles = [RESTYLE.format(style=scope.rng("style", k).choice(STYLES), template=text) for k, text in group]
        branches = [scope.child(f"style-{k}") for k, _ in group]
        work = (_proposed(branch, role, asked, templates, check) for branch, asked in zip(branches, styles))
        for proposed in await together(*work):
            _admit(proposed, templates, scope)
    return templates


async def _proposed(scope: Scope, role: str, asked: str, templates: Sequence[str], check: Check | None) -> list[str]:
    """What the model writes and the rules and the check let pass."""
    try:
        written = await scope.ask(role, asked, parse=read_templates, n=None, temperature=1.0)
    except Unparsable as error:
        scope.discard("no-phrasings", message=str(error))
        return []
    reasons = [refused(text, templates) for text in written]
    if check is not None:
        left = [k for k, reason in enumerate(reasons) if reason is None]
        found = await together(*(check(written[k], scope.child(f"check-{k}")) for k in left))
        for k, reason in zip(left, found):
            reasons[k] = reason
    for text, reason in zip(written, reasons):
        if reason is not None:
            scope.discard(reason, text)
    return [text for text, reason in zip(written, reasons) if reason is None]


def _admit(proposed: Sequence[str], templates: list[str], scope: Scope) -> None:
    """Adds what is not like another one that was proposed at the same time."""
    for text in proposed:
        reason = refused(text, templates)
        if reason is None:
            templates.append(text)
        else:
            scope.discard(reason, text)


def refused(text: str, templates: Sequence[str]) -> str | None:
    """Why a template is not added to these, a key of ``REASONS``."""
    if placeholders(text) != placeholders(templates[0]) or re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)):
        return "placeholders"
    if UNWANTED.search(text):
        return "unwanted-word"
    if len(text.split()) > LONGEST:
        return "too-long"
    return "too-similar" if any(rouge_l(text, other) > ALIKE for other in templates) else None


def placeholders(template: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders replaced; what a value holds is not looked at again."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found.group(1)], template)


def read_templates(reply: str) -> list[str]:
    """What stands in square brackets, one to a line, numbered or not; raises Unparsable if nothing does."""
    found = re.findall(r"^[ \t*>-]*(?:\d+[ \t]*[.):]*[ \t]*)?\**\[(.+)\]\**[ \t.]*$", reply[:50_000], re.MULTILINE)
    if not found:
        raise Unparsable("there is no template; write it in square brackets on a line of its own, as in [Write ...]")
    return [" ".join(text.split()) for text in found]


def rouge_l(first: str, second: str) -> float:
    """F1 of the longest common subsequence of words, found with one word of bits (Hyyrö, 2004)."""
    one, two = first.casefold().split(), second.casefold().split()
    places: dict[str, int] = defaultdict(int)
    for k, word in enumerate(one):
        places[word] |= 1 << k
    every = row = (1 << len(one)) - 1
    for word in two:
        hit = row & places.get(word, 0)
        row = ((row + hit) | (row - hit)) & every
    return 2 * (every & ~row).bit_count() / max(1, len(one) + len(two))
