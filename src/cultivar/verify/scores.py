"""Scores out of a judge's free reply.

A reply may give its scores in several forms at once: a JSON object, a line that holds nothing else (the first, the
last, or the last but for one remark), a Markdown table, statements such as "Assistant 1: 8/10" or "Score: **7**". All
forms that are found must say the same; where they do not, the reply is refused in words that help the judge to mend it.
Nothing is guessed, every reader here is linear in the length of the reply, and of a long one only the first and the
last part are read: a judge that says much, or is hostile, costs milliseconds. One form outweighs another: a last line
of scores is the judge's last word, whatever its sentences weighed, or quoted, before ("answer 2 asks for 10/10").

A range that spans at most a fifth of the scale ("7-8" of 10) stands for its middle; a wider one ("a scale of 1-10") is
no score.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from cultivar.core.errors import Unparsable
from cultivar.core.records import JSON

Found: TypeAlias = dict[int, set[float]]
"""Place of a judged text (from 0) -> the scores that one form of a reply gives it."""

WIDEST = 0.2
LONGEST = 200_000
"""Characters of a reply, the judge's thoughts among them."""
PART = 6_000
"""Characters of the first and of the last part of a long reply; what stands between them is not read."""
LINE = 300
"""Characters of a line that holds nothing but scores."""
GAP = "[...]"
MOST = 50
"""JSON objects of a reply that are looked at."""

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_OBJECT = re.compile(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*){0,8}\}")
_NOUNS = "assistant|response|answer|model|candidate|output|reply|completion|ai"
_DIGITS = r"\d{1,9}(?:\.\d{1,9})?(?![\w]|[.,]\d)"
_TOKEN = re.compile(
    rf"""
    (?P<name>\b(?:(?:{_NOUNS})[ #]{{0,3}}(?P<index>[1-9]|[a-h]|one|two|three)
                |(?P<ordinal>first|second|third)[ ](?:{_NOUNS})
                |(?:score|rating)[ ](?:for[ ])?(?P<letter>[a-h])(?=\s*[:=]))\b(?:['’]s\b)?)
  | (?P<number>(?<![\w.,])-?{_DIGITS})
      (?:\s*(?:-|–|—|\bto\b)\s*(?P<upper>{_DIGITS}))?
      (?:\s*(?:/|\bout\ of\b)\s*(?P<scale>{_DIGITS}))?
  | (?P<word>\w+(?:['’]\w+)?)
  | (?P<colon>[:=|–—-]+)
  | (?P<open>[(\[])
  | (?P<end>[.;!?,&])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PLACES = {"one": 0, "first": 0, "two": 1, "second": 1, "three": 2, "third": 2}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MARKS = _words(
    "score scores scored rating ratings rated rate grade mark get gets receive receives received earn earns deserve "
    "deserves gave give gives giving assign overall verdict total final difficulty"
)
_WHOLE = frozenset({"overall", "final", "total"})
_FILL = _words("a an the of at is are was be it this as for to with my i would perfect full high low")
_AFTER = _words("because for as due and since vs while but to in")
_NEUTRAL = _MARKS | _FILL | _AFTER
_JOINS = frozenset(("and", "or", "vs", "versus", "both"))
_LABELS = frozenset(_NOUNS.split("|")) | {"score", "rating", "overall", "final", "grade", "for", "value"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int = -1
    value: float | None = None
    "None for a range wider than WIDEST, infinite for a number on another scale."
    scale: float | None = None


def read_scores(reply: str, count: int = 2, low: float = 1, high: float = 10) -> tuple[float, ...]:
    """The scores of ``count`` judged texts, in their order; raises Unparsable where they are missing or ambiguous.

    Known forms: JSON ({"scores": [8, 9]}, {"assistant_1": 8, "assistant_2": 9}, {"score": 7}), a first or last line
    (or the last but one) that holds nothing else ("9 8.5"), tables, "Assistant 1: 8/10", "Score: **7**", "8 out of 10".
    """
    if len(reply) > LONGEST:
        raise _refused(f"the reply is {len(reply):,} characters long; at most {LONGEST:,} are read", count, low, high)
    reply = _parts(_THOUGHT.sub(" ", reply))
    forms, rest = [], reply
    for text, value in _objects(reply):
        found = _from_json(value, count, high)
        if found:
            forms.append(found)
            rest = rest.replace(text, "\n", 1)
    lines = [line for line in rest.splitlines() if line.strip() and line.strip("`~ \t") not in ("", "json")]
    first, last = (_from_line(line, count, high) for line in (*(lines[:1] or [""]), *(lines[-1:] or [""])))
    if not first and not last and len(lines) > 2 and not lines[-2].rstrip().endswith((".", ")")):
        forms.append(_from_line(lines[-2], count, high))  # one remark stands below the scores
    forms += [first, last, *(_from_table(group, count) for group in _tables(lines, high))]
    forms.append(_from_statements(lines, count, high, prose=not last))
    return _agreed(forms, count, low, high)


def _parts(reply: str) -> str:
    """The whole lines of a reply's first and last part, if it is longer than both: half a line could say another
    score."""
    if len(reply) <= 2 * PART:
        return reply
    return "\n".join((reply[:PART].rpartition("\n")[0], GAP, reply[-PART:].partition("\n")[2]))


def _refused(why: str, count: int, low: float, high: float) -> Unparsable:
    """No example: a lazy judge would repeat it."""
    wanted = (
        f"the score from {low:g} to {high:g}" if count == 1 else f"the {count} scores from {low:g} to {high:g} in order"
    )
    return Unparsable(f"{why}; end with one line that holds {wanted} and nothing else", "unreadable-score")


def _agreed(forms: Iterable[Found], count: int, low: float, high: float) -> tuple[float, ...]:
    """One score for each place, if all forms that name it say the same."""
    said: Found = {}
    for form in forms:
        for place, found in form.items():
            said.setdefault(place, set()).update(found)
    result = []
    for place in range(count):
        name = "" if count == 1 else f" of answer {place + 1}"
        values = sorted(said.get(place, ()))
        if not values:
            raise _refused(f"there is no score{name} in the reply", count, low, high)
        if len(values) > 1:
            several = ", ".join(f"{value:g}" for value in values[:5])
            raise _refused(f"the reply gives several scores{name} ({several})", count, low, high)
        if math.isinf(values[0]):
            raise _refused(f"the score{name} is on another scale", count, low, high)
        if not low <= values[0] <= high:
            raise _refused(f"the score{name} is {values[0]:g}, not from {low:g} to {high:g}", count, low, high)
        result.append(values[0])
    return tuple(result)


def _tokens(text: str, high: float) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text.replace("*", "").replace("_", " ")):
        kind = match.lastgroup or ""
        if match["name"]:
            index = (match["index"] or match["ordinal"] or match["letter"]).lower()
            place = _PLACES.get(index, ord(index[0]) - ord("a") if index.isalpha() else int(index, 36) - 1)
            found.append(_Token("name", match[0].lower(), place))
        elif match["number"]:
            value, upper = float(match["number"]), float(match["upper"] or match["number"])
            middle = (value + upper) / 2 if 0 <= upper - value <= WIDEST * high else None
            scale = float(match["scale"]) if match["scale"] else None
            if middle is not None and scale not in (None, high):
                middle = math.inf  # 4/5 is not 4 of 10
            found.append(_Token("number", match[0], value=middle, scale=scale))
        else:
            found.append(_Token(kind, match[0].lower()))
    return found


def _objects(reply: str) -> Iterator[tuple[str, JSON]]:
    """The JSON of a reply: all of it, or the objects amid its prose."""
    whole = reply.strip().removeprefix("```json").strip("`").strip()
    for text in (whole, *(match[0] for match in itertools.islice(_OBJECT.finditer(reply), MOST))):
        if text[:1] in "{[":
            try:
                yield text, orjson.loads(text)
            except orjson.JSONDecodeError:
                continue
            if text == whole:
                return


def _from_json(value: JSON, count: int, high: float, levels: int = 3) -> Found:
    if isinstance(value, list):
        if len(value) != count:
            return {}
        numbers = [_plain_number(v, high) for v in value]
        return {} if None in numbers else {place: {n} for place, n in enumerate(numbers) if n is not None}
    if not isinstance(value, dict):
        return {}
    found: Found = {}
    for key, held in value.items():
        words = re.findall(r"[a-z]+|\d+", key.lower())
        whole = levels and set(words) <= {"scores", "ratings", "score", "rating", "final", "overall"}
        if whole and isinstance(held, list | dict):
            inner = _from_json(held, count, high, levels - 1)
        else:
            if isinstance(held, dict):
                held = next((held[k] for k in ("overall", "score", "rating") if k in held), None)
            number, place = _plain_number(held, high), _key_place(words, count)
            inner = {place: {number}} if number is not None and place is not None else {}
        for place, values in inner.items():
            found.setdefault(place, set()).update(values)
    return found


def _key_place(words: list[str], count: int) -> int | None:
    """Which judged text a key speaks of; None if of none, or of one side of it only (its style, its accuracy)."""
    known = {**_PLACES, **{str(k + 1): k for k in range(count)}, **{chr(ord("a") + k): k for k in range(count)}}
    places = [known[word] for word in words if word in known]
    if any(word not in known and word not in _LABELS for word in words):
        return None
    if count == 1 and not places:
        return 0 if words else None
    return places[0] if len(places) == 1 and places[0] < count else None


def _plain_number(value: JSON, high: float) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    tokens = _tokens(value, high) if isinstance(value, str) else []
    return tokens[0].value if len(tokens) == 1 and tokens[0].kind == "number" else None


def _from_line(line: str, count: int, high: float) -> Found:
    """A line that holds ``count`` numbers and nothing else but "Scores:" before and separators between them."""
    if len(line) > LINE:
        return {}
    tokens = [
        t for t in _tokens(line, high) if t.kind not in ("colon", "open", "end") and t.text not in ("and", "vs", *_FILL)
    ]
    while tokens and tokens[0].text in _MARKS:
        del tokens[0]
    if len(tokens) != count or any(t.kind != "number" or t.value is None for t in tokens):
        return {}
    return {place: {token.value} for place, token in enumerate(tokens) if token.value is not None}


def _is_row(line: str) -> bool:
    return line.count("|") >= 2 or bool(re.fullmatch(r"[ \t:|-]*---[ \t:|-]*", line))


def _is_prose(line: list[_Token]) -> bool:
    """Whether a line says anything but scores and whose they are."""
    return any(t.kind == "word" and t.text not in _NEUTRAL for t in line)


def _tables(lines: list[str], high: float) -> Iterator[list[list[list[_Token]]]]:
    """Rows of cells of tokens, for each run of lines with bars; the rule under the header is left out."""
    group: list[list[list[_Token]]] = []
    for line in [*lines, ""]:
        if _is_row(line):
            if line.strip("|:- \t"):
                group.append([_tokens(cell, high) for cell in line.strip().strip("|").split("|")])
        elif group:
            yield group
            group = []


def _from_table(rows: list[list[list[_Token]]], count: int) -> Found:
    """Judged texts as columns with a row of scores, or as rows with a column of scores."""
    header, body = rows[0], rows[1:]
    columns = {cell[0].place: at for at, cell in enumerate(header) if len(cell) >= 1 and cell[0].kind == "name"}
    if set(range(count)) <= set(columns):
        lines = [row for row in body if all(_cell(row, columns[place]) is not None for place in range(count))]
        lines = lines if len(lines) == 1 else [row for row in lines if _speaks_of_the_whole(row[0])]
        return _gather((place, _cell(row, columns[place])) for row in lines for place in range(count))
    pairs: list[tuple[int, float | None]] = []
    for row in body if count > 1 else []:
        if row[0] and row[0][0].kind == "name":
            numbers = [at for at in range(1, len(row)) if _cell(row, at) is not None]
            if len(numbers) > 1:
                numbers = [at for at in numbers if at < len(header) and _speaks_of_the_whole(header[at])]
            pairs += [(row[0][0].place, _cell(row, at)) for at in numbers]
    return _gather(pairs)


def _speaks_of_the_whole(cell: list[_Token]) -> bool:
    words = {token.text for token in cell}
    return bool(words & _WHOLE) or words in ({"score"}, {"rating"})


def _cell(row: list[list[_Token]], at: int) -> float | None:
    return row[at][0].value if at < len(row) and len(row[at]) == 1 else None


def _gather(pairs: Iterable[tuple[int, float | None]]) -> Found:
    found: Found = {}
    for place, value in pairs:
        if value is not None:
            found.setdefault(place, set()).add(value)
    return found


def _from_statements(lines: Iterable[str], count: int, high: float, prose: bool) -> Found:
    """What the sentences say, or without ``prose`` those that say nothing else. A line that begins with a judged text's
    name, and holds no other, speaks of that text; if it holds nothing else, so do the lines below it."""
    whole: list[tuple[int, float | None]] = []
    part: list[tuple[int, float | None]] = []
    section = 0 if count == 1 else -1
    for line in lines:
        if line == GAP:
            section = 0 if count == 1 else -1
        if _is_row(line) or (_is_prose(tokens := _tokens(line, high)) and not prose):
            continue
        subject = section
        if (
            count > 1
            and tokens
            and tokens[0].kind == "name"
            and len({t.place for t in tokens if t.kind == "name"}) == 1
        ):
            subject = tokens[0].place
            section = section if any(t.kind in ("word", "number") for t in tokens) else subject
        for place, value, overall in _statements(tokens, subject, high):
            if 0 <= place < count:
                (whole if overall else part).append((place, value))
    return {**_gather(part), **_gather(whole)}


def _statements(tokens: list[_Token], subject: int, high: float) -> Iterator[tuple[int, float, bool]]:
    """(place, score, whether it is said to be the overall one) for each score in a line.

    A number is a score if it says its scale (8/10), or if it ends its clause and stands behind a word such as
    "score" or "gets", or behind a judged text's name and a colon, with nothing but filling words between.
    """
    place, marked, named, overall, joined = subject, False, False, False, False
    for at, token in enumerate(tokens):
        if token.kind == "name":
            place, named = (-1 if joined else token.place), True
        elif token.kind == "word" and token.text in _MARKS:
            marked, overall = True, overall or token.text in _WHOLE
        elif token.kind in ("colon", "open") or token.text in _FILL or (token.kind == "number" and token.value is None):
            continue
        else:
            if token.value is not None:
                said = marked or (named and tokens[at - 1].kind in ("colon", "open"))
                if token.scale == high or (said and _ends(tokens, at)):
                    yield place, token.value, overall
            joined = token.text == "both" or (token.text in _JOINS and tokens[at - 1].kind == "name")
            place, marked, named, overall = subject, False, False, False


def _ends(tokens: list[_Token], at: int) -> bool:
    """Whether nothing is counted by the number: "8", "8 because", but not "8 examples"."""
    rest = tokens[at + 1 : at + 3]
    if rest and rest[0].text in ("point", "points"):
        rest = rest[1:]
    return not rest or rest[0].kind in ("end", "colon", "open") or rest[0].text in _AFTER
