"""The final answers of worked solutions, and whether two of them are the same.

    final_answer(text)             "... so he pays $18.\\n#### 18" -> "18"
    same_answer("$1,200", "1200.0") -> True; also "1/2" and "\\frac{1}{2}", "x^2+2x+1" and "(x+1)^2"
    check(solution, reference)     -> Verdict
    tally(answers, reference, 0.6) -> which of several solutions are right, and which are wrong

Where an answer is looked for, the first that is found:
1. stated by a marker: ``\\boxed{...}``, ``#### ...``, or "A: ..." as the last line (the last of these);
2. stated in words: "the answer is ...", "Answer: ..." (the last);
3. as a last resort the last number of the text. It is often right and says nothing: a solution that was cut off has a
   last number too. Whoever must not guess asks with ``guess=False``.

Plain numbers are compared here (``quantities``), anything else symbolically in a bounded process (``symbolic``, the
extra ``math``). Words are equal if they are the same words: "Tuesday" is never read as a product of variables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cultivar.core.records import JSON, Verdict, content_hash
from cultivar.core.text import clip
from cultivar.verify.consensus import vote
from cultivar.verify.quantities import may_be_meant, quantity, same_quantity
from cultivar.verify.symbolic import equal

MAX_ANSWER = 500
"""Characters of an answer; what is longer is cut."""
MAX_LOOK = 50_000
"""Characters at the end of a solution among which its answer is looked for."""

_BOXED = re.compile(r"\\f?boxed\s*\{")
_HASHES = re.compile(r"(?:^[ \t>]*[*_]{0,2}#{3,6}|(?<=[ \t])####)[*_]{0,2}[ \t]*([^#\n][^\n]*)", re.MULTILINE)
_LAST_LINE = re.compile(r"[*_]*A[*_]*:[*_ \t]*(\S.*)")
_SPOKEN = re.compile(
    r"\banswer\b[*_]*(?:[ \t]+(?:to|for|in|of)\b[^.\n:=]{1,80})?[*_]*[ \t]*(?:\bis\b|\bare\b|[:=])", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w.)])-?[$€£¥]?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?|(?<=[\w)][-+*/=(])[$€£¥]?\d[\d,]*(?:\.\d+)?%?")
_ANNOTATION = re.compile(r"<<[^<>\n]{0,200}>>")
_ENDS = re.compile(r"\.(?=\s|$)|,?\s(?:because|since|which|so|as|therefore|thus)\b|\n\s*\n")
_TIGHT = {r"\left": "", r"\right": "", r"\!": "", r"\,": "", r"\;": "", r"\:": "", "{,}": ",", r"\$": "$", r"\%": "%"}
_TEXTS = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dtc]?frac\s*(?:\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}|(\d)(\d))")
_LONG_WORD = re.compile(r"(?<!\\)\b[^\W\d_]{4,}")


def final_answer(text: str, *, guess: bool = True) -> str | None:
    """The answer that a solution ends with, without its wrapping; None where there is none. Linear in the text."""
    text = text[-MAX_LOOK:]
    for found in (_marked(text), _spoken(text), _last_number(text) if guess else None):
        if found is not None:
            return found
    return None


def same_answer(first: str, second: str) -> bool:
    """Whether two answers are equal: reflexive and symmetric, False where it cannot be told.

    Raises UsageError where a formula has to be compared and the extra ``math`` is not installed.
    """
    return bool(compared(first, second))


def compared(first: str, second: str) -> bool | None:
    """As ``same_answer``, but None where that cannot be told.

    The comparison was too hard (too long, too deep, out of time or memory), or it depends on the unit that the problem
    asks for: "60" and "1 hour".
    """
    if first == second:
        return True
    if max(len(first), len(second)) > MAX_ANSWER:
        return None
    a, b = simplified(first), simplified(second)
    if _words(a) == _words(b):
        return True
    one, other = quantity(a), quantity(b)
    if one is not None and other is not None:
        return same_quantity(one, other) or (None if may_be_meant(one, other) else False)
    if not (_is_formula(a) and _is_formula(b)):
        return False
    return equal(a, b)


def tally(answers: Sequence[str | None], reference: str | None, share: float) -> dict[str, JSON]:
    """The vote, and which solutions are ``right``: those with the reference answer, or else with the agreed one.

    ``wrong`` are those whose answer differs for certain; what cannot be compared ("1 hour" and "60") is neither.
    """
    found = vote(answers, same_answer)
    right = found.groups[0] if found.agreed(share) else ()
    if reference is not None:
        right = tuple(k for k, answer in enumerate(answers) if answer is not None and same_answer(answer, reference))
    known = dict.fromkeys(answer for answer in (reference, *(answers[k] for k in right)) if answer is not None)
    given = ((k, answer) for k, answer in enumerate(answers) if answer is not None and known)
    wrong = tuple(k for k, answer in given if all(compared(answer, each) is False for each in known))
    return {"answer": reference or found.answer, "votes": found.votes, "right": right, "wrong": wrong}


def check(solution: str, reference: str) -> Verdict:
    """Whether a solution ends with the answer of ``reference``, which is a bare answer or a worked solution.

    ``passed`` is None where the reference has no answer or the two cannot be compared; ``subject`` is the hash of the
    solution's text.
    """
    subject = content_hash(solution)
    wanted, given = reference_answer(reference), final_answer(solution)
    if wanted is None:
        return Verdict(subject=subject, verifier="math", passed=None, reason="the reference has no answer")
    if given is None:
        return Verdict(subject=subject, verifier="math", passed=False, score=0.0, reason="the solution has no answer")
    same = compared(given, wanted)
    reason = "" if same else f"it ends with {clip(given, 80)!r}, the reference is {clip(wanted, 80)!r}"
    if same is None:
        return Verdict(subject=subject, verifier="math", passed=None, reason=f"it cannot be told: {reason}")
    return Verdict(subject=subject, verifier="math", passed=same, score=float(same), reason=reason)


def reference_answer(reference: str) -> str | None:
    """The answer that a reference states; one short line without a marker is the answer itself."""
    stated = final_answer(reference, guess=False)
    bare = reference.strip()
    if stated is None and bare and "\n" not in bare and len(bare) <= MAX_ANSWER:
        return bare
    return stated if stated is not None else final_answer(reference)


def simplified(answer: str) -> str:
    """An answer without what only sets it: dollars around formulas, boxes, bold type, spacing, the full stop."""
    text = answer[:MAX_ANSWER].strip()
    for _ in range(4):
        before = text
        text = text.strip(" \t\n*_`\"'").strip().rstrip(".,;").strip()
        text = re.sub(r"^\\f?boxed\s*\{(.*)\}$", r"\1", text, flags=re.DOTALL)
        text = re.sub(r"^(?:\$\$(.+)\$\$|\\\((.+)\\\)|\\\[(.+)\\\])$", _inner, text, flags=re.DOTALL)
        text = re.sub(r"\$([^$]+)\$(?![\d.])", r"\1", text)
        if text == before:
            break
    text = _TEXTS.sub(r" \1", text)
    for mark, plain in _TIGHT.items():
        text = re.sub(re.escape(mark) + r"(?![A-Za-z])", plain.replace("\\", r"\\"), text)
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?|°", " degrees", text)
    text = re.sub(r"(?<=\d)\s*(?=\\[dtc]?frac)", " ", text)
    text = _FRACTION.sub(lambda m: f"{m[1] or m[3]}/{m[2] or m[4]}", text)
    return re.sub(r"\s+", " ", text).strip()


def _inner(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _words(text: str) -> str:
    bare = re.sub(r"[\s.,;:!'\"]+", " ", text.casefold()).strip()
    if any(character.isdigit() for character in bare):
        return re.sub(r"(?<!\d) | (?!\d)", "", text)
    return re.sub(r"^\(([a-z])\)$", r"\1", bare)


def _is_formula(text: str) -> bool:
    return bool(re.search(r"[\d\\=^+*/]", text)) and not _LONG_WORD.search(re.sub(r"sqrt", "", text))


def _marked(text: str) -> str | None:
    """By ``\\boxed``, ``####`` or a last line "A: ...", whichever comes last."""
    found: list[tuple[int, str]] = []
    boxes = list(_BOXED.finditer(text))
    if boxes and (inside := _balanced(text, boxes[-1].end())) is not None:
        found.append((boxes[-1].start(), inside))
    hashes = list(_HASHES.finditer(text))
    if hashes and _mentions_value(hashes[-1][1]):
        found.append((hashes[-1].start(), hashes[-1][1]))
    body = text.rstrip()
    start = body.rfind("\n") + 1
    if last := _LAST_LINE.fullmatch(body[start:].strip()):
        found.append((start, last[1]))
    return _tidy(max(found)[1]) if found else None


def _mentions_value(text: str) -> bool:
    """A Markdown heading is no answer: "#### Step 2: the rest"."""
    return not re.match(r"\s*(?:step|part|solution|final answer|answer)\b", text, re.IGNORECASE)


def _balanced(text: str, start: int) -> str | None:
    """Up to the brace that closes the one before ``start``; None where it was cut off."""
    depth = 1
    for at in range(start, min(len(text), start + 4 * MAX_ANSWER)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return text[start:at]
    return None


def _spoken(text: str) -> str | None:
    marks = list(_SPOKEN.finditer(text))
    if not marks:
        return None
    said = text[marks[-1].end() :].lstrip(" \t\n:*_")[: 2 * MAX_ANSWER]
    said = _ENDS.split(said.partition("\n")[0] if said[:2] not in ("$$", r"\[") else said, maxsplit=1)[0]
    return _tidy(said)


def _last_number(text: str) -> str | None:
    numbers = _NUMBER.findall(_ANNOTATION.sub("", text))
    return _tidy(numbers[-1].rstrip(",")) if numbers else None


def _tidy(answer: str) -> str | None:
    return simplified(answer) or None
