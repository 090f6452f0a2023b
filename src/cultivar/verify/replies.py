"""Faults of a reply that can be seen without a model, and what models put around a text that was asked for.

    fault            refused, cut off or empty, by what the endpoint said
    declines         a reply that opens with an apology or a refusal
    apologises       the "sorry" rule of Evol-Instruct (arXiv 2304.12244)
    only_stop_words  its rule on replies that say nothing
    leaked           its rule on words of the prompt's template
    bare             a text without its preamble, heading, fence, quotes and closing remark

The words are English; in other languages only the commonest refusals are known. Every function is linear in the length
of its text.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence

from cultivar.core.errors import Unparsable
from cultivar.core.protocols import Choice
from cultivar.core.replies import MAX_REPLY, fenced_blocks

_FUNCTION_WORDS = """
a about above after again all also am an and any are as at be because been before being below between both but by
can could did do does doing don't down during each few for from further had has have having he her here hers herself
him himself his how i i'd i'll i'm i've if in into is it it's its itself just let's may me might more most must my
myself nor of off on once only or other our ours ourselves out over own same shall she should so some such than that
that's the their theirs them themselves then there there's these they they're this those through to too under until
up upon us very was we we're were what when where which while who whom whose why will with would you you're your
yours yourself yourselves
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
"""English words that say nothing by themselves. "yes", "no" and "not" are answers, and none of them."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SORRY = re.compile(r"\bsorry\b", re.IGNORECASE)
_HELP = "help|assist|provide|fulfil|comply|answer|do (?:that|this)|complete|rewrite|create|generate|write|produce|share"
_DECLINES = re.compile(
    r"(?:oh|hmm|well|hello|hi|unfortunately|i understand[^.]{0,80})?\W*(?:"
    r"i(?:'m| am) (?:so |very |really |deeply )?(?:sorry|afraid)[,.!;:]? (?:but|that i|i|as an ai|we|this|there)\b"
    r"|(?:i |my )?(?:sincere |sincerely )?apolog(?:ies|ise|ize)\b"
    r"|sorry[,.!]? (?:but )?(?:i\b|as an ai\b)"
    r"|as an? (?:ai\b|artificial intelligence|(?:large )?language model)"
    rf"|i (?:can't|cannot|can not|couldn't|won't|will not|am unable to|am not able to) (?:{_HELP})"
    rf"|i'm (?:unable|not able) to (?:{_HELP}))"
)
_DECLINES_ABROAD = re.compile(
    # an apology, and that one cannot: German, French, Spanish, Portuguese, Italian, Russian, Chinese, Japanese, Korean
    r"(?:es )?tut mir (?:\w+ )?leid\b[^.]{0,40}\b(?:kann|darf)\b[^.]{0,60}\b(?:nicht|keine?[nrs]?)\b"
    r"|(?:je suis )?(?:vraiment )?désolée?\b[^.]{0,40}\bje ne (?:peux|puis|suis pas en mesure)\b"
    r"|lo siento\b[^.]{0,40}\bno puedo\b"
    r"|(?:desculpe|sinto muito|lamento)\b[^.]{0,40}\bnão (?:posso|consigo)\b"
    r"|mi dispiace\b[^.]{0,40}\bnon (?:posso|sono in grado)\b"
    r"|(?:извините|простите|к сожалению)\b[^.]{0,40}\bне (?:могу|смогу)\b"
    r"|(?:很|非常)?(?:抱歉|对不起|對不起)[^。]{0,20}(?:无法|無法|不能)"
    r"|(?:大変)?申し訳(?:ございません|ありません)が[^。]{0,40}(?:できません|できかねます|いたしかねます)"
    r"|죄송(?:합니다|하지만)[^.]{0,60}(?:수 없|못)"
    # that one cannot, without an apology
    r"|(?:leider )?(?:ich kann|kann ich)\b[^.]{0,60}\bnicht (?:helfen|weiterhelfen|beantworten|umschreiben|erstellen)\b"
    r"|je ne (?:peux|puis) (?:malheureusement )?pas (?:vous |t'|te )?(?:aider|répondre|fournir|réécrire|créer)\b"
    r"|no puedo (?:ayudar|responder|proporcionar|reescribir|cumplir)"
    r"|não (?:posso|consigo) (?:ajudar|responder|fornecer|reescrever)|non posso (?:aiutar|rispondere|fornire)"
    r"|我(?:无法|無法|不能)(?:帮助|協助|协助|提供|回答)"
    # what one is
    r"|als (?:ki\b|ki-|künstliche intelligenz|sprachmodell)"
    r"|en tant qu(?:'ia\b|'intelligence artificielle|e modèle de l)"
    r"|como (?:una ia\b|uma ia\b|(?:un |una |um |uma )?(?:inteligencia artificial|inteligência artificial|modelo de l))"
    r"|作为(?:一个|一名)?(?:人工智能|ai)"
)


def fault(choice: Choice, *, cut_off: bool = False) -> str | None:
    """Why a reply is not to be used: "refused", "cut-off" or "empty"; None if it is whole.

    ``cut_off`` lets replies pass that ended at their token limit. Only what the endpoint said counts: ``declines``
    reads the words.
    """
    if choice.finish in ("refusal", "content_filter"):
        return "refused"
    if choice.finish == "length" and not cut_off:
        return "cut-off"
    return None if choice.text.strip() else "empty"


def declines(text: str) -> bool:
    """Whether a text opens by saying that it will not do what was asked ("I'm sorry, but", "As an AI", "I cannot")."""
    opening = " ".join(text[:400].replace("’", "'").replace("*", "").lower().split()).lstrip(string.punctuation + " ¡“")
    return any(pattern.match(opening) for pattern in (_DECLINES, _DECLINES_ABROAD))


def apologises(text: str, words: int = 80) -> bool:
    """Whether a text says "sorry" and has fewer than ``words`` words."""
    return _SORRY.search(text) is not None and len(text.split(maxsplit=words)) < words


def only_stop_words(text: str) -> bool:
    """Whether a text is punctuation and stop words alone.

    A single letter is no stop word (it may be the choice of an answer), and no symbol is punctuation but those of
    ASCII: "∞" is an answer.
    """
    text = text.replace("’", "'").lower()
    words = _WORD.findall(text)
    if any(word not in STOP_WORDS for word in words) or (len(words) == 1 and len(words[0]) == 1):
        return False
    return all(_is_punctuation(character) for character in _WORD.sub("", text))


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character)[0] in "PZC"


def leaked(text: str, headers: Sequence[str]) -> str | None:
    """The first of ``headers`` (words of a prompt's template) that a text repeats, in any case and markup, or None.

    "#Rewritten_Prompt#" and "rewritten  prompts" repeat "rewritten prompt"; "rewritten promptly" does not.
    """
    for header in headers:
        if re.search(rf"(?<![^\W_]){_spelled(header)}s?(?![^\W_])", text, re.IGNORECASE):
            return header
    return None


def _spelled(header: str) -> str:
    return r"[\s_*#-]{1,8}".join(re.escape(word) for word in header.split())


_ASIDE = r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|great|got it|understood|gladly)\b"
_INTERJECTION = re.compile(
    rf"{_ASIDE}(?:[,.! ]{{1,3}}(?:here (?:it is|you go)|i(?:'d| would) be (?:happy|glad) to(?: help)?))?"
    r"[^\w\n\"'“#*`]*\n",
    re.IGNORECASE,
)
"""In a line of its own."""
_MADE = (
    "rewritten|rewrite|re-written|revised|reworded|new|evolved|created|modified|updated|improved|harder|easier|simpler|"
    "complicated|more [a-z]+|deepened|expanded|enhanced|adapted|possible|requested|final|challenging|complex|adjusted|"
    "concrete"
)
_PREAMBLE = re.compile(
    rf"[#*_]{{0,4}} ?(?:{_ASIDE}[,.!: ]{{1,3}})?(?:here(?:['’]s| is| are)|below is|this is|the following is) "
    r"(?:(?:the|your|my|a|an|one) )?"
    rf"(?:[a-z-]{{1,20}},? ){{0,3}}?(?:{_MADE})\b[^\n:]{{0,80}}:(?:[*_]{{1,3}}(?=\s))?\s*",
    re.IGNORECASE,
)
_HEADING = re.compile(
    rf"[#*_]{{0,4}} ?(?:(?:an? )?(?:(?:{_MADE}) ){{1,2}}(?:prompt|version|instruction|question|task|problem)|prompt)"
    r"(?::[*_]{1,3}|[*_]{0,3}:)\s*",
    re.IGNORECASE,
)
_DID = "kept|keeps|added|adds|changed|made|replaced|inserted|included|embedded|introduced|preserved|preserves|turned"
_NOTE = r"(?:note|explanation|changes)\b[^\w\n]{1,6}"
_REMARK = re.compile(
    r"[(*_]{0,2}(?:let me know (?:if|whether)|i hope (?:this|that|it) (?:helps|meets|works|is)|would you like me to|"
    r"feel free to (?:ask|adjust|modify|let|reach)|what i changed|changes made|explanation of (?:the )?changes|"
    r"(?:this|the) (?:(?:rewritten|revised|new|evolved|modified) (?:prompt|version|instruction|question)|rewrite)\b"
    r"[^.\n]{0,40}\b(?:adds|asks|requires|keeps|is|now|makes|introduces)|"
    rf"(?:{_NOTE})?(?:i(?:['’]ve| have)?|this) (?:{_DID})\b[^\n]{{0,200}}?(?:the original (?:prompt|task|question|"
    r"instruction|request|meaning)|the rewrite|so that (?:an|the) answer|to make (?:it|the (?:prompt|task|question)) "
    r"(?:harder|more))|"
    rf"{_NOTE}(?:i(?:['’]ve| have)?|this) (?:{_DID})\b[^\n]{{0,40}}?(?:constraint|requirement|reasoning|depth))\b",
    re.IGNORECASE,
)
"""How a closing line of the model's own begins."""
_QUOTES = {
    "<<<": ">>>",
    "**": "**",
    "*": "*",
    "`": "`",
    "> ": "",
    '"': '"',
    "“": "”",
    "«": "»",
    "„": "“",
    "「": "」",
    "'": "'",
}
"""What opens and closes around a whole text: the marks of our prompts, Markdown's, and quotes."""
_TEXTS = ("", "text", "txt", "plaintext", "markdown", "md", "prompt")


def bare(reply: str, headers: Sequence[str] = ()) -> str:
    """The text in a reply to "write the text and nothing else", without what models put around it all the same.

    Taken off, however they are nested: inlined reasoning (``<think>``), "Sure!", "Here is the rewritten prompt:", one
    of ``headers`` as a heading, a fence or quotes around the whole, a closing "Let me know if ...". What comes back is
    a stretch of the reply as it stands; it may be empty. Raises Unparsable if the reply is longer than is read.
    """
    if len(reply) > MAX_REPLY:
        raise Unparsable(f"the reply is {len(reply):,} characters long; at most {MAX_REPLY:,} are read")
    text = reply.strip()
    if text.startswith("<think>"):
        text = text.partition("</think>")[2].strip()
    for _ in range(8):  # each peels one layer; more than a few are nobody's mistake
        before = text
        text = _unheaded(text, headers)
        text = _unfenced(text)
        text = _unquoted(text)
        if text == before:
            break
    return text


def _unheaded(text: str, headers: Sequence[str]) -> str:
    for pattern in (_INTERJECTION, _PREAMBLE, _HEADING):
        if found := pattern.match(text):
            text = text[found.end() :].strip()
    for header in headers:
        mark = re.match(rf"[#*_\s\[<]{{0,8}}{_spelled(header)}[#*_\]>]{{0,4}}\s*(?::[*_#]{{0,3}}|\n|\Z)\s*", text, re.I)
        if mark:
            text = text[mark.end() :].strip()
    for gap in ("\n\n", "\n"):
        before, _, last = text.rpartition(gap)
        if before and _REMARK.match(last):
            text = before.rstrip().removesuffix("---").rstrip()
    return text


def _unfenced(text: str) -> str:
    """The body of the fence that is all of a text, if it says that it holds text."""
    if not text.startswith(("```", "~~~")):
        return text
    blocks = fenced_blocks(text)
    if len(blocks) != 1 or blocks[0][0] not in _TEXTS:
        return text
    body = blocks[0][1]
    start = text.index("\n") + 1 if "\n" in text else len(text)
    after = text[start + len(body) :].strip()
    return body.strip() if not after.strip("`~") else text


def _unquoted(text: str) -> str:
    if text.endswith("\n>>>") and text.count(">>>") == 1 and "<<<" not in text:
        return text[:-3].rstrip()
    for mark, close in _QUOTES.items():
        if not text.startswith(mark) or not text.endswith(close) or len(text) < len(mark + close):
            continue
        inner = text[len(mark) : len(text) - len(close)]
        if (close or "\n") not in inner and (mark[0] not in "*`" or inner.strip() == inner):
            return inner.strip()
    return text
