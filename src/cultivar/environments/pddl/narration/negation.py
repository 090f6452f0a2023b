"""The words that deny a sentence: ``block a is clear`` -> ``block a is not clear``, where that is surely right."""

from __future__ import annotations

import re
from collections.abc import Container

from cultivar.environments.pddl.model import Domain
from cultivar.environments.pddl.narration.language import Language
from cultivar.environments.pddl.narration.templates import Template, words

_BE = frozenset(("is", "are", "am", "was", "were"))
_VERBS = _BE | frozenset(("can", "has", "have", "holds", "contains"))
_UNSAFE = frozenset(
    words(
        "no not nothing nobody none never neither nor only every each all some any both either if when unless "
        "until who which that whose where while because or but cannot"
    )
)
_VERB = re.compile(rf"\b({'|'.join(sorted(_VERBS))})\b", re.IGNORECASE)
_PARTICIPLE = re.compile(r" (?:been|\w+ed)\b", re.IGNORECASE)
_THING = re.compile(r" (?:an?|the|your|its|\{arg\d+\})(?= |$)", re.IGNORECASE)
_SELF = re.compile(
    r"(?:you|I) (?!(?:am|are|was|were|can|may|must|will|shall|should|could|would)\b)(\w.*)", re.IGNORECASE
)
_JOINED = re.compile(r"\{arg\d+\} and (?=\{arg\d+\})", re.IGNORECASE)
_PLAIN = {"holds": "does not hold", "contains": "does not contain", "has": "does not have", "have": "do not have"}
_THERE = re.compile(r"^there (is|are) (?:an? )?", re.IGNORECASE)
_DENIED = re.compile(r"(.+?) (is|are|am|does|do) not (.+)$", re.IGNORECASE)
_ACTOR = re.compile(r"((?:the )?\{arg\d+\}) (\w+s)\b", re.IGNORECASE)
_JOINT = re.compile(r",|\b(?:and|or|then|but|while)\b")
_OTHER_SUBJECT = re.compile(r"\{arg|\b(?:an?|the|who|which|that|it|they|you|I)\b")
_AFTER_VERB_UNSAFE = frozenset(("and", "also", "still", "already", "always", "now"))
LONG = "it is not the case that "


def _verb(template: Template) -> re.Match[str] | None:
    """The only verb of a template that is a simple statement."""
    plain = [e for e in template.elements if isinstance(e, str)]
    if sum(w in _VERBS for w in plain) != 1 or any(w in _UNSAFE for w in plain):
        return None
    found = _VERB.search(template.text)
    if found is None or set(words(_JOINED.sub(" ", template.text[found.end() :]))) & _AFTER_VERB_UNSAFE:
        return None
    return found


def negated(template: Template) -> Template:
    """A template that says the contrary: short where it is safe, ``it is not the case that ...`` otherwise."""
    found = _verb(template)
    if found is None:
        return long_negated(template)
    there = _THERE.match(template.text)
    if there is not None:
        return Template.parse(f"there {there[1].lower()} no {template.text[there.end() :]}")
    verb, after = found[0].lower(), template.text[found.end() :]
    if verb in _BE or verb == "can" or (verb in ("has", "have") and _PARTICIPLE.match(after)):
        return Template.parse(f"{template.text[: found.end()]} not{after}")
    if verb in ("has", "have") and not _THING.match(after):
        return long_negated(template)
    return Template.parse(f"{template.text[: found.start()]}{_PLAIN[verb]}{after}")


def long_negated(template: Template) -> Template:
    return Template.parse(LONG + template.text)


def infinitive(template: Template) -> Template | None:
    """``block a is clear`` -> ``block a to be clear`` (after "I need ..."); None where it would not be English."""
    own = _SELF.match(template.text)
    if own is not None and not any(w in _UNSAFE for w in template.elements):
        return Template.parse(f"to {own[1]}")
    found = _verb(template)
    if found is None or found.start() == 0 or found[0].lower() not in ("is", "are", "am"):
        return None
    if _THERE.match(template.text):
        return None
    subject = template.text[: found.start()]
    return Template.parse(f"{'' if subject == 'I ' else subject}to be{template.text[found.end() :]}")


def wishes(said: Template, denied: Template) -> tuple[Template | None, Template | None]:
    """What can follow "I need" for a fact and for its contrary: ``the door to be open``, ``the door not to be open``.

    Both are read off the denial (``the lamp does not hang in x`` gives ``the lamp to hang in x``), which shows the verb
    in its base form, where it differs from the statement in that verb alone; None where it does not.
    """
    short, found = infinitive(said), _DENIED.match(denied.text)
    if found is None or found[1] == "I":
        return short, None
    subject, verb, rest = found.groups()
    if verb in _BE:
        stated, wish = f"{subject} {verb} {rest}", f"to be {rest}"
    else:
        base, _, tail = rest.partition(" ")
        stem = said.text.removeprefix(f"{subject} ").partition(" ")[0]
        known = base in _base_forms(stem) or (stem, base) in (("has", "have"), ("have", "have"))
        stated, wish = f"{subject} {stem} {tail}".rstrip() if known else "", f"to {rest}"
    if stated != said.text:
        return short, None
    return short or Template.parse(f"{subject} {wish}"), Template.parse(f"{subject} not {wish}")


def directed(template: Template, base_forms: Container[str]) -> Template | None:
    """``the {arg1} walks to x`` -> ``have the {arg1} walk to x``, for one who tells others what to do.

    Only where the sentence begins with an argument and one verb in the third person, of which the base form is known,
    and where nothing after it may be a second verb of the same subject; None elsewhere.
    """
    found = _ACTOR.match(template.text)
    if found is None:
        return None
    base = next((form for form in _base_forms(found[2]) if form in base_forms), None)
    rest = template.text[found.end() :]
    heads = [_OTHER_SUBJECT.split(part, maxsplit=1)[0] for part in _JOINT.split(rest)[1:]]
    if base is None or any(word.endswith("s") for head in heads for word in words(head)):
        return None
    return Template.parse(f"have {found[1]} {base}{rest}")


def _base_forms(verb: str) -> tuple[str, ...]:
    """ "carries" -> "carry" and so on: what a verb in the third person may come from, the likeliest first."""
    return (verb[:-1], f"{verb[:-3]}y" if verb.endswith("ies") else verb, verb[:-2] if verb.endswith("es") else verb)


def bare_command(template: Template) -> Template:
    """``you walk to the hall`` -> ``walk to the hall``: what can follow "to"; other templates as they are."""
    own = _SELF.match(template.text)
    return template if own is None else Template.parse(own[1])


_PERSONS = (
    (r"^you are\b", "I am"), (r"^you were\b", "I was"), (r"^you\b", "I"), (r"\byou are\b", "I am"),
    (r"\byour\b", "my"), (r"\byourself\b", "myself"), (r"\byou\b", "me"),
)  # fmt: skip


def first_person(template: Template) -> Template:
    """``you are holding block a`` -> ``I am holding block a``: for the thoughts of the one who acts."""
    text = template.text
    for pattern, said in _PERSONS:
        text = re.sub(pattern, said, text, flags=re.IGNORECASE)
    return Template.parse(text) if text != template.text else template


def negations(domain: Domain, language: Language) -> dict[str, Template]:
    """The denying template of every predicate: the given one, the derived one, or the long form where that clashes."""
    plain = {p.name: Template.parse(language.predicates[p.name]) for p in domain.predicates}
    taken = {template.shape for template in plain.values()}
    taken |= {Template.parse(text).shape for text in language.actions.values()}
    found: dict[str, Template] = {}
    for name, template in plain.items():
        given = language.negated.get(name)
        found[name] = Template.parse(given) if given is not None else negated(template)
        if given is None and found[name].shape in taken:
            found[name] = long_negated(template)
        taken.add(found[name].shape)
    return found
