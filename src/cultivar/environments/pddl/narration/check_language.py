"""What is wrong with a language interface, said so that whoever wrote it can mend all of it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cultivar.core.errors import did_you_mean
from cultivar.environments.pddl.model import Domain, Variable
from cultivar.environments.pddl.narration.language import Language, Visibility
from cultivar.environments.pddl.narration.read_action import ACTION_MARK
from cultivar.environments.pddl.narration.templates import PLACEHOLDER, Template
from cultivar.environments.pddl.parsing.diagnostics import Diagnostic, Severity

MAX_TEMPLATE = 300
"Characters; a sentence of an observation is read many times over."
MAX_FOUND = 100

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BRACED = re.compile(r"\{([^{}]{0,40})\}")


def check_language(domain: Domain, language: Language) -> list[Diagnostic]:
    """Every error and warning, at most ``MAX_FOUND``; a language without an error can be rendered and read back."""
    predicates = {p.name: p.parameters for p in domain.predicates}
    actions = {a.name: a.parameters for a in domain.actions}
    found: list[Diagnostic] = []
    for what, parameters, texts in (
        ("predicate", predicates, language.predicates),
        ("action", actions, language.actions),
    ):
        found += _keys(what, parameters, texts)
        for name, text in texts.items():
            if name in parameters:
                found += _template(what, name, parameters[name], text)
    for name, text in language.negated.items():
        if name in predicates:
            found += _template("negated", name, predicates[name], text)
        else:
            found.append(
                _error("unknown-name", f"'negated' has the key {_cut(name)}, which is no predicate of the domain")
            )
    found += _clashes(domain, language)
    if language.visibility is not None:
        found += _visibility(domain, language.visibility)
    return found[:MAX_FOUND]


def _error(code: str, message: str, text: str = "", severity: Severity = "error") -> Diagnostic:
    return Diagnostic(code, message, text=_CONTROL.sub(" ", text)[:160], severity=severity)


def _cut(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:57]}...")


def _form(name: str, parameters: tuple[Variable, ...]) -> str:
    return f"({' '.join((name, *(p.name for p in parameters)))})"


def _keys(what: str, parameters: Mapping[str, tuple[Variable, ...]], texts: Mapping[str, str]) -> Iterator[Diagnostic]:
    surplus = [name for name in texts if name not in parameters]
    for name in surplus:
        missing = [n for n in parameters if n not in texts]
        yield _error(
            "surplus-template",
            f"there is a template for the {what} {_cut(name)}, but the domain has no such {what}"
            f"{did_you_mean(name[:60], missing or parameters) or '; leave it out'}",
            texts[name],
        )
    for name, names in parameters.items():
        if name not in texts:
            yield _error(
                "missing-template",
                f"the {what} {_form(name, names)} has no template; "
                f"add {name!r}: a sentence with {_wanted(len(names)) or 'no placeholder'}",
            )


def _wanted(count: int) -> str:
    return ", ".join(f"{{arg{k + 1}}}" for k in range(count))


def _template(what: str, name: str, parameters: tuple[Variable, ...], text: str) -> Iterator[Diagnostic]:
    where = f"the template of {'the negated predicate' if what == 'negated' else f'the {what}'} {name!r}"
    form = _form(name, parameters)
    if len(text) > MAX_TEMPLATE:
        yield _error("long-template", f"{where} has {len(text)} characters; at most {MAX_TEMPLATE} are allowed", text)
        return
    if _CONTROL.search(text):
        yield _error("control-character", f"{where} holds a line break or control character; write one line", text)
        return
    template = Template.parse(text)
    if not template.shape or set(template.shape) == {"{}"}:
        yield _error("empty-template", f"{where} has no words of its own; write a sentence that says {form}", text)
        return
    braced = [b for b in _BRACED.findall(text) if not PLACEHOLDER.fullmatch(f"{{{b}}}")]
    if (
        braced
        or PLACEHOLDER.sub("", text).count("{") != len(braced)
        or PLACEHOLDER.sub("", text).count("}") != len(braced)
    ):
        shown = f"{{{braced[0]}}}" if braced else "a brace without its partner"
        yield _error(
            "unknown-placeholder",
            f"{where} has {shown}; placeholders of {form} are {_wanted(len(parameters)) or 'none at all'}",
            text,
        )
    yield from _placeholders(where, form, len(parameters), template, text)
    if what == "action" and re.search(r"[\[\]()<>`*\"]", text):
        yield _error("brackets", f"{where} has brackets, quotation marks or '*'; write plain words", text)
    if what == "action" and ACTION_MARK.search(text):
        yield _error(
            "reserved-words", f"{where} has 'action:', the mark that an action comes after; leave it out", text
        )
    if template.glued:
        yield _error("glued-placeholder", f"{where} has a placeholder that touches a word; put spaces around it", text)


def _placeholders(where: str, form: str, arity: int, template: Template, text: str) -> Iterator[Diagnostic]:
    wanted = _wanted(arity) or "no placeholder"
    for k in range(arity):
        if k not in template.arguments:
            yield _error(
                "missing-placeholder",
                f"{where} does not mention {{arg{k + 1}}}; {form} needs {wanted}, each once",
                text,
            )
        elif template.arguments.count(k) > 1:
            yield _error(
                "repeated-placeholder",
                f"{where} mentions {{arg{k + 1}}} {template.arguments.count(k)} times; once is enough",
                text,
                "warning",
            )
    for k in sorted(set(template.arguments)):
        if not 0 <= k < arity:
            yield _error(
                "placeholder-out-of-range",
                f"{where} mentions {{arg{k + 1}}}, but {form} has {arity or 'no'} argument{'s' if arity != 1 else ''}: "
                f"use {wanted}",
                text,
            )


def overlapping(domain: Domain, left: Variable, right: Variable) -> bool:
    """Whether one object can be of both types."""
    return any(domain.is_a((name,), left.types) and domain.is_a((name,), right.types) for name in domain.ancestors)


def _clashes(domain: Domain, language: Language) -> Iterator[Diagnostic]:
    """Two templates of one shape whose arguments can be the same objects."""
    known = [
        *(("the predicate", p.name, p.parameters, language.predicates.get(p.name)) for p in domain.predicates),
        *(("the negation of", p.name, p.parameters, language.negated.get(p.name)) for p in domain.predicates),
        *(("the action", a.name, a.parameters, language.actions.get(a.name)) for a in domain.actions),
    ]
    named = [(f"{what} {name!r}", ps, Template.parse(text)) for what, name, ps, text in known if text is not None]
    met: dict[tuple[str, ...], list[tuple[str, tuple[Variable, ...], Template]]] = {}
    for entry in named:
        name, parameters, template = entry
        if any(a >= len(parameters) for a in template.arguments):
            continue
        for other, others, earlier in met.setdefault(template.shape, []):
            pairs = zip(template.arguments, earlier.arguments)
            if all(overlapping(domain, parameters[a], others[b]) for a, b in pairs):
                yield _error(
                    "template-clash",
                    f"{name} and {other} read alike: {template.text!r} and {earlier.text!r}; change the words of one",
                    template.text,
                )
        met[template.shape].append(entry)


def _visibility(domain: Domain, seen: Visibility) -> Iterator[Diagnostic]:
    arity = {p.name: p.arity for p in domain.predicates}
    wanted = [(seen.agent_at, (1, 2), "agent_at"), *((name, (2,), "at") for name in seen.at)]
    if seen.open is not None:
        wanted.append((seen.open, (1,), "open"))
    for name, counts, key in wanted:
        if name not in arity:
            yield _error(
                "unknown-predicate",
                f"visibility: {key!r} names {_cut(name)}, which is no predicate{did_you_mean(name[:60], arity)}",
            )
        elif arity[name] not in counts:
            need = " or ".join(map(str, counts))
            yield _error("wrong-arity", f"visibility: {key!r} needs a predicate with {need} arguments, not {name!r}")
    if seen.agent_type is not None and seen.agent_type not in domain.ancestors:
        yield _error(
            "unknown-type",
            f"visibility: 'agent_type' names {_cut(seen.agent_type)}, which is no type"
            f"{did_you_mean(seen.agent_type[:60], domain.ancestors)}",
        )
