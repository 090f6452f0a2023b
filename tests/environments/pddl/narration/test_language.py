from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cultivar.core.errors import InputError, Unparsable
from cultivar.environments.pddl.model import Action, Domain, Predicate, Variable
from cultivar.environments.pddl.narration.check_language import MAX_TEMPLATE, check_language
from cultivar.environments.pddl.narration.language import Language, Visibility, default_language
from cultivar.environments.pddl.narration.negation import (
    bare_command,
    directed,
    first_person,
    infinitive,
    negated,
    negations,
    wishes,
)
from cultivar.environments.pddl.narration.read_language import MAX_REPLY, read_language
from cultivar.environments.pddl.narration.templates import Template
from cultivar.environments.pddl.parsing.parse import parse_domain


def variables(*types: str) -> tuple[Variable, ...]:
    return tuple(Variable(f"?x{k}", (kind,)) for k, kind in enumerate(types))


BLOCKS = Domain(
    "blocks",
    types=(("block", ("object",)), ("hand", ("object",))),
    predicates=(Predicate("on", variables("block", "block")), Predicate("held", variables("block", "hand"))),
    actions=(Action("stack", variables("block", "block")), Action("pick-up", variables("block"))),
)
GOOD = Language(
    {"on": "{arg1} is on {arg2}.", "held": "{arg2} holds {arg1}."},
    {"stack": "Stack {arg1} on {arg2}.", "pick-up": "Pick up {arg1}."},
)


def codes(language: Language, domain: Domain = BLOCKS) -> list[str]:
    return [d.code for d in check_language(domain, language)]


def changed(**texts: str) -> Language:
    """GOOD with some templates replaced; a name with two underscores is an action."""
    predicates = {**GOOD.predicates, **{k: v for k, v in texts.items() if k in GOOD.predicates}}
    actions = {**GOOD.actions, **{k.replace("_", "-"): v for k, v in texts.items() if k not in GOOD.predicates}}
    return Language(predicates, actions)


def test_a_good_language_has_no_diagnostics() -> None:
    assert check_language(BLOCKS, GOOD) == []


def test_missing_and_surplus_names_are_all_reported_at_once() -> None:
    language = Language({"onn": "{arg1} is on {arg2}."}, {"stack": "Stack {arg1} on {arg2}.", "fly": "Fly."})
    found = check_language(BLOCKS, language)
    assert sorted(d.code for d in found) == [
        "missing-template", "missing-template", "missing-template", "surplus-template", "surplus-template",
    ]  # fmt: skip
    assert "did you mean 'on'?" in next(d.message for d in found if "'onn'" in d.message)
    assert "(held ?x0 ?x1)" in next(d.message for d in found if "held" in d.message)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{arg1} is on something.", "missing-placeholder"),
        ("{arg1} is on {arg2} and {arg3}.", "placeholder-out-of-range"),
        ("{arg0} and {arg1} and {arg2}.", "unknown-placeholder"),
        ("{arg1} is on {arg2}, I say {arg2}.", "repeated-placeholder"),
        ("{arg1} is on {arg2} {block}.", "unknown-placeholder"),
        ("{arg1} is on {arg2} {.", "unknown-placeholder"),
        ("", "empty-template"),
        ("{arg1} {arg2}.", "empty-template"),
        ("{arg1} is on\n{arg2}.", "control-character"),
        ("{arg1} is on\x00{arg2}.", "control-character"),
        (f"{{arg1}} is on {{arg2}} {'x' * MAX_TEMPLATE}", "long-template"),
        ("{arg1}-{arg2} are stacked.", "glued-placeholder"),
        ("{arg1}{arg2} are stacked.", "glued-placeholder"),
    ],
)
def test_each_fault_of_a_template_has_its_code(text: str, code: str) -> None:
    assert code in codes(changed(on=text))


def test_brackets_are_refused_in_actions_only() -> None:
    assert codes(changed(stack="Stack {arg1} (on {arg2}).")) == ["brackets"]
    assert codes(changed(stack="Action: stack {arg1} on {arg2}.")) == ["reserved-words"]
    assert codes(changed(on="{arg1} is on {arg2} (stacked).")) == []


def test_two_templates_that_read_alike_are_named() -> None:
    found = check_language(BLOCKS, changed(stack="{arg2} is on the {arg1}"))
    assert [d.code for d in found] == ["template-clash"]
    assert "'stack'" in found[0].message and "'on'" in found[0].message


def test_templates_of_one_shape_over_disjoint_types_do_not_clash() -> None:
    assert codes(changed(held="{arg1} is on {arg2}")) == []


def test_a_given_negation_must_differ_from_every_predicate() -> None:
    language = Language(
        {"on": "{arg1} is on {arg2}.", "held": "{arg2} holds {arg1}."}, GOOD.actions, {"on": "{arg1} is on {arg2}"}
    )
    assert codes(language) == ["template-clash"]


def test_visibility_is_checked() -> None:
    language = Language(GOOD.predicates, GOOD.actions, {}, Visibility("onn", ("held",), "hands", "on"))
    assert codes(language) == ["unknown-predicate", "wrong-arity", "unknown-type"]


def test_language_survives_json() -> None:
    language = Language(
        GOOD.predicates, GOOD.actions, {"on": "no {arg1} {arg2}"}, Visibility("held", ("on",), None, "on")
    )
    assert Language.from_json(json.loads(json.dumps(language.to_json()))) == language


@pytest.mark.parametrize("data", [{}, {"predicates": {"a": 1}, "actions": {}}, {"predicates": [], "actions": 3}])
def test_a_bad_record_of_a_language_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Language.from_json(data)


# Negations.


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("{arg1} is clear.", "x is not clear"),
        ("There is a link between {arg1} and {arg2}.", "there is no link between x and oak"),
        ("Nothing is on {arg1}.", "it is not the case that nothing is on x"),
        ("{arg1} has {arg2}", "x does not have oak"),
        ("{arg1} has been visited", "x has not been visited"),
        ("{arg1} has visited {arg2}", "x has not visited oak"),
        ("{arg1} is wet and cold", "it is not the case that x is wet and cold"),
        ("Currently at {arg1}", "it is not the case that currently at x"),
    ],
)
def test_negation(text: str, denied: str) -> None:
    assert negated(Template.parse(text)).render(["x", "oak"]) == denied


def test_the_derived_negation_gives_way_to_a_predicate_that_reads_like_it() -> None:
    domain = Domain("d", predicates=(Predicate("open", variables("object")), Predicate("shut", variables("object"))))
    language = Language({"open": "{arg1} is open.", "shut": "{arg1} is not open."}, {})
    said = {name: template.render(["x"]) for name, template in negations(domain, language).items()}
    assert said["open"] == "it is not the case that x is open"
    assert len({"x is open", "x is not open", *said.values()}) == 4


def test_infinitive_and_first_person() -> None:
    template = first_person(Template.parse("You are holding {arg1}."))
    assert template.render(["x"]) == "I am holding x"
    short = infinitive(template)
    assert short is not None and short.render(["x"]) == "to be holding x"
    assert infinitive(Template.parse("There is a {arg1}")) is None


def test_what_follows_to() -> None:
    def to(text: str) -> str | None:
        short = infinitive(first_person(Template.parse(text)))
        return None if short is None else short.render(["x"])

    assert to("You hold {arg1}.") == "to hold x"
    assert to("You can see {arg1}.") is None
    assert to("You never saw {arg1}.") is None
    assert bare_command(Template.parse("You walk to {arg1}.")).render(["x"]) == "walk to x"
    assert bare_command(Template.parse("Walk to {arg1}.")).render(["x"]) == "walk to x"


def test_the_article_follows_the_name() -> None:
    assert Template.parse("Eat a {arg1}").render(["apple"]) == "eat an apple"
    assert Template.parse("Eat an {arg1}").render(["pear"]) == "eat a pear"


# The default language.

NAME = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)


@given(
    st.dictionaries(NAME, st.integers(0, 4), min_size=1, max_size=8),
    st.dictionaries(NAME, st.integers(0, 4), min_size=1, max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_the_default_language_is_always_good(predicates: dict[str, int], actions: dict[str, int]) -> None:
    domain = Domain(
        "d",
        predicates=tuple(Predicate(n, variables(*["object"] * k)) for n, k in predicates.items()),
        actions=tuple(Action(n, variables(*["object"] * k)) for n, k in actions.items()),
    )
    assert check_language(domain, default_language(domain)) == []


def test_the_default_language_reads_as_english_where_that_is_safe() -> None:
    domain = Domain(
        "d",
        predicates=(Predicate("at", variables("object", "object")), Predicate("clear", variables("object"))),
        actions=(Action("drive", (Variable("?car"), Variable("?from"), Variable("?to"))),),
    )
    language = default_language(domain)
    assert language.predicates == {"at": "{arg1} is at {arg2}.", "clear": "{arg1} is clear."}
    assert language.actions == {"drive": "Drive {arg1} from {arg2} to {arg3}."}


# Reading replies.

NESTED = {"predicates": dict(GOOD.predicates), "actions": dict(GOOD.actions)}
FLAT = {**GOOD.predicates, **GOOD.actions}


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps(NESTED),
        json.dumps(FLAT, indent=2),
        f"Sure! Here it is, with {{arg1}} for the first argument:\n```python\n{FLAT!r}\n```\nI hope {{this}} helps.",
        f"```json\n{json.dumps(NESTED)}\n```",
        json.dumps(NESTED).replace("}}", ",},}  // done"),
        "predicates = " + repr(NESTED["predicates"]) + "\nactions = " + repr(NESTED["actions"]),
        'x = {"on": "{arg1} is " # a comment\n "on {arg2}.", "held": """{arg2} holds\n {arg1}.""", '
        "'stack': ('Stack {arg1} on {arg2}.'), 'pick_up': 'Pick up {arg1}.'}",
        '{"(On ?x ?y)": "{arg1} is on {arg2}.", "HELD": "{arg2} holds {arg1}.", "Stack": "Stack {arg1} on {arg2}.", '
        '"pick-up": "Pick up {arg1}."}',
        json.dumps({"on": "an example"}) + "\n" + json.dumps(FLAT),
    ],
)
def test_read_language_out_of_free_replies(reply: str) -> None:
    assert read_language(reply, BLOCKS) == GOOD


def test_unknown_names_are_kept_for_the_check() -> None:
    language = read_language('{"on": "{arg1} is on {arg2}.", "fly": "Fly."}', BLOCKS)
    assert "surplus-template" in codes(language)


def test_a_flat_dictionary_is_refused_where_a_name_is_both() -> None:
    domain = Domain("d", predicates=(Predicate("clean", variables("object")),), actions=(Action("clean"),))
    with pytest.raises(Unparsable, match="'clean' is a predicate and an action"):
        read_language('{"clean": "Clean {arg1}."}', domain)
    language = read_language('{"predicates": {"clean": "{arg1} is clean."}, "actions": {"clean": "Clean."}}', domain)
    assert check_language(domain, language) == []


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ("", "no dictionary"),
        ("I cannot do that.", "no dictionary"),
        ('{"on": 3}', "not a string"),
        ('{"on": __import__("os").system("true")}', "not a string"),
        ('{"predicates": {"on": {"a": {"b": {"c": "d"}}}}}', "one sentence"),
        ('{"on": "x"', "ends"),
        ("{" * 100_000, "expected"),
        ('{"a":' * 30_000, "nested"),
        ('{"a":"b",' * 20_000, "expected"),
        ("'" * 100_000 + "{" * 50_000, "expected"),
        ("{" + '"""' * 50_000, "closed|quotation|colon|ends"),
        ('{"a": "b' + "\\" * 150_000, "not closed"),
        ("{/*" * 60_000, "quotation|expected|ends|colon"),
        ("{x" * (MAX_REPLY // 2 + 1), "characters"),
    ],
    ids=range(14),
)
def test_hostile_replies_are_refused_in_words_and_in_time(reply: str, word: str) -> None:
    start = time.process_time()
    with pytest.raises(Unparsable, match=word):
        read_language(reply, BLOCKS)
    assert time.process_time() - start < 1.0


@given(st.text(alphabet="{}\"':,abon/*#\\\n rg1", max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_language_or_unparsable(reply: str) -> None:
    try:
        language = read_language(reply, BLOCKS)
    except Unparsable as error:
        assert str(error)
    else:
        check_language(BLOCKS, language)


def test_the_published_interfaces_can_be_read(shared_data: Path) -> None:
    path = shared_data / "agentgen_seed_environments.jsonl"
    if not path.exists():
        pytest.skip("the seed environments are not here")
    good = 0
    for line in path.read_text().splitlines():
        row = json.loads(line)
        domain = parse_domain(row["domain"]).value
        if domain is None:
            continue
        assert check_language(domain, default_language(domain)) == []
        try:
            language = read_language(f"```python\n{row['nl_interface']!r}\n```", domain)
        except Unparsable as error:
            assert "is a predicate and an action" in str(error)
            continue
        good += not any(d.severity == "error" for d in check_language(domain, language))
    assert good >= 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The {arg1} walks from {arg2} to {arg3}", "have the x walk from y to z"),
        ("{arg1} hurries to {arg2} and {arg3}", "have x hurry to y and z"),
        ("The {arg1} passes {arg2}, who is first in line, in {arg3}", "have the x pass y, who is first in line, in z"),
        ("{arg1} greets {arg2} at {arg3} to wake and warm it", "have x greet y at z to wake and warm it"),
        ("The {arg1} takes {arg2} to {arg3}, and quickly hides it", None),
        ("The {arg1} fixes {arg2} to {arg3}, bringing it down", "have the x fix y to z, bringing it down"),
        ("The {arg1} walks to {arg2} and takes {arg3}", None),
        ("The {arg1} walks to {arg2}, then greets {arg3}", None),
        ("The {arg1} walks to {arg2}, greets {arg3}", None),
        ("The {arg1} is at {arg2} near {arg3}", None),
        ("The {arg1} juggles {arg2} and {arg3}", None),
        ("Walk {arg1} to {arg2} by {arg3}", None),
    ],
)
def test_a_worker_is_told_what_to_do_where_the_sentence_is_surely_of_that_shape(text: str, told: str | None) -> None:
    found = directed(Template.parse(text), {"walk", "hurry", "pass", "fix", "greet", "take"})
    assert (None if found is None else found.render(["x", "y", "z"])) == told


@pytest.mark.parametrize(
    ("text", "denied", "wish", "contrary"),
    [
        ("The lamp hangs in {arg1}", "The lamp does not hang in {arg1}", "the lamp to hang in x", "not to hang in x"),
        ("{arg1} is open", "{arg1} is not open", "x to be open", "x not to be open"),
        ("{arg1} has power", "{arg1} does not have power", "x to have power", "x not to have power"),
        ("{arg1} follows", "{arg1} does not follow", "x to follow", "x not to follow"),
        ("I hold {arg1}", "I do not hold {arg1}", "to hold x", None),
        ("{arg1} is open", "{arg1} is shut and not open", "x to be open", None),
        ("{arg1} blocks {arg1}", "{arg1} does not allow {arg1}", None, None),
        ("{arg1} gleams", "It is not the case that {arg1} gleams", None, None),
        ("{arg1} never sleeps", "{arg1} does not never sleep", None, None),
    ],
)
def test_what_one_can_need(text: str, denied: str, wish: str | None, contrary: str | None) -> None:
    found = [None if t is None else t.render(["x"]) for t in wishes(Template.parse(text), Template.parse(denied))]
    assert found[0] == wish
    assert (found[1] is None) == (contrary is None) and (found[1] or "").endswith(contrary or "")
