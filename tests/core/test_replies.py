from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import Unparsable
from cultivar.core.replies import fenced, fenced_blocks, json_value


def test_blocks() -> None:
    reply = "first\n```pddl\n(a)\n```\nthen\n~~~json\n{}\n~~~\nlast\n```\nopen"
    assert fenced_blocks(reply) == [("pddl", "(a)"), ("json", "{}"), ("", "open")]
    assert fenced(reply, "json") == "{}"
    assert fenced(reply, "yaml") == "(a)"
    assert fenced(" no fence ") == "no fence"


@pytest.mark.parametrize(
    "reply", ['{"a": [1]}', 'Here it is:\n```json\n{"a": [1]}\n```', 'I think {"a": [1]} fits.', '```\n{"a": [1]}\n```']
)
def test_json_amid_prose(reply: str) -> None:
    assert json_value(reply) == {"a": [1]}


def test_a_comma_too_many_is_forgiven_outside_strings() -> None:
    assert json_value('{"a": [1, 2,], "b": ",]",\n}') == {"a": [1, 2], "b": ",]"}
    assert json_value('["a\\",", "b" ,]') == ['a",', "b"]


@pytest.mark.parametrize(
    "reply", ["none here", '{"a": ', "[1, 2", "{'a': 1}", "{" * 200_000, "," * 100_000, '"' + "\\" * 100_001]
)
def test_what_is_no_json_says_so(reply: str) -> None:
    with pytest.raises(Unparsable):
        json_value(reply)


@given(st.text())
def test_nothing_crashes(reply: str) -> None:
    fenced_blocks(reply)
    try:
        json_value(reply)
    except Unparsable as error:
        assert str(error)
