"""Answers that say who is speaking: what a model that was given an identity lets slip.

    in_a_voice       instructions whose answer may well say so (a letter, a role)
    without_echo     an answer without an opening that says it
    speaks_as        whether an answer says it anywhere

An identity is a paragraph to a "you" ("You are a baker who ..."). The rules are English, and careful: what they are not
sure of stays as it is.
"""

from __future__ import annotations

import re

from cultivar.verify.replies import STOP_WORDS

REPEATED = 40
"""Characters at the beginning of an identity that an answer holds by no accident."""

_EXPERTS = {"expert", "specialist", "professional", "consultant", "authority", "scholar", "veteran", "someone"}
_TITLE = re.compile(r"\byou(?:['’]re| are) (?:an? |the )?([^.;:\n]{3,100})", re.IGNORECASE)
_AFTER_NOUN = re.compile(r",|\b(?:who|with|that|whose|in|at|for|from|of|and|on|working|speciali[sz]ing)\b")
_GREETING = re.compile(
    r"(?:(?:hello|hi|hey|greetings|certainly|sure|of course|absolutely)(?: there)?[,.! ]{1,3})?", re.I
)
_SENTENCE = re.compile(r"[^.!?\n]{0,400}")
_AS = re.compile(r"\W{0,3}(?:(?:speaking|well),? )?as (?:an? |the |your |(?=someone))([^.!?\n]{3,200})", re.IGNORECASE)
_AM = re.compile(r"\W{0,3}I(?:['’]m| am) (?:an? |the |your )([^.!?\n]{3,300})[.!](?=\s)", re.IGNORECASE)
_SINCE = r"\W{0,3}(?:in|with|from|over|after|drawing (?:up)?on|based on|having)\b[^.!?\n]{0,80}?\b"
_MINE = re.compile(_SINCE + r"my [^.!?,\n]{0,60}(?:experience|expertise|years|career|practice|work)\b", re.IGNORECASE)
_YEARS = re.compile(
    _SINCE + r"(?:years|decades) (?:of (?:[\w-]{1,20} ){0,3}?(?:experience|expertise|practice)|as an? [\w -]{3,60}|"
    r"in (?:the|this) (?:field|industry|business|profession|trade))\b",
    re.IGNORECASE,
)
"""Such years are the speaker's own if he goes on with "I"."""
_FIRST = re.compile(r"(?:I|my|we|our|me)\b", re.IGNORECASE)
_STARTS = re.compile(
    r"(?:and |so |but )?(?:I|my|we|our|let|here|the|you|your|it|this|these|there|when|if|first|to|what)\b",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"\bI(?:['’]m| am) (?:an? |your )([^.;:!?\n]{3,60})|\bas (?:an? |your )([^.;:!?\n]{3,120}?), (?:I|my|we)\b"
    r"|\b(?:my (?:[\w-]{1,20} ){0,3}(?:years|decades)\b"
    r"|(?:in|from|throughout) my (?:[\w-]{1,20} ){0,2}(?:career|practice|experience)\b)",
    re.IGNORECASE,
)
_VOICE = re.compile(
    r"\b(?:act as|acting as|pretend|role-?play|you(?: are|['’]re|['’]ve been| have been) an?|as an? \w+(?=,)|letter|"
    r"speech|monologue|diary|bio|biography|introduc\w+|dialog(?:ue)?|resume|cv|first[- ]person|voice of|persona|"
    r"a time (?:when |that )?(?:you|I)|(?:write|tell|compose|create|make up|invent|draft|give|continue|finish) "
    r"(?:me |us )?(?:an?|one|some|the|this|your|two|three|\d+) (?:[\w'-]{1,20} ){0,2}(?:story|stories|tale|novel|"
    r"fiction|scene|poem|lyrics|song|joke|anecdote|quote|sentence|paragraph|e-?mail)s?)\b",
    re.IGNORECASE,
)


def in_a_voice(instruction: str) -> bool:
    """Whether an answer may speak as somebody because it was asked to: nothing in it is an echo then."""
    return _VOICE.search(instruction) is not None


def without_echo(answer: str, identity: str) -> str:
    """The answer without an opening that says who is speaking; never empty.

    Taken off: "As a ..., ", "In my years as ..., " and "I am a ... .", with a greeting before it, where the noun is one
    of the identity's or a word for experts, and what follows is not said of the reader alone ("As a diver, you need").
    What comes back is a tail of the answer, its first letter made a capital; an answer with no such opening comes back
    as it is.
    """
    greeting = _GREETING.match(answer)
    start = greeting.end() if greeting else 0
    sentence = _SENTENCE.match(answer, start)
    end = sentence.end() if sentence else start
    commas = [found.end() for found in re.finditer(r",\W{0,3} ", answer[:end]) if found.start() > start]
    begins = [comma for comma in commas if _STARTS.match(answer, comma)]
    cut = 0
    next_clause = begins[0] if begins else commas[0] if len(commas) == 1 else 0
    if said := _AS.match(answer, start):
        cut = next_clause if _named(said[1], identity) and not _of_the_reader(answer[next_clause:end]) else 0
    elif _MINE.match(answer, start) or (_YEARS.match(answer, start) and _FIRST.match(answer, next_clause)):
        cut = next_clause
    elif (said := _AM.match(answer, start)) and _named(said[1], identity) and not begins:
        cut = said.end()
    rest = answer[cut:].lstrip() if cut else ""
    if not rest:
        return answer
    return rest[0].upper() + rest[1:] if rest[0].isascii() else rest


def speaks_as(answer: str, identity: str) -> bool:
    """Whether somebody says in an answer that he is what the identity names or an expert, or what he did as one.

    An answer that repeats how the identity begins does so too.
    """
    if len(identity) >= REPEATED and identity[:REPEATED].lower() in answer.lower():
        return True
    claims = (found[1] or found[2] for found in _CLAIM.finditer(answer))
    return any(claim is None or _named(claim, identity) for claim in claims)


def _named(phrase: str, identity: str) -> bool:
    """Whether the noun at the head of a phrase is one that the identity begins with, or a word for experts."""
    title = _TITLE.search(identity)
    head = re.findall(r"\w+", _AFTER_NOUN.split(phrase, maxsplit=1)[0].lower())
    own = set(re.findall(r"\w+", title[1].lower())) - STOP_WORDS if title else set()
    return bool(head) and head[-1] in _EXPERTS | own


def _of_the_reader(clause: str) -> bool:
    """Whether somebody speaks to "you" and not of himself."""
    return re.match(r"\W*you(?:r|['’]re)?\b", clause, re.IGNORECASE) is not None and not re.search(
        r"\b(?:I|me|my|we|our)\b", clause, re.IGNORECASE
    )
