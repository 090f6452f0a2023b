from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.records import (
    Document,
    EnvironmentSpec,
    Instruction,
    Preference,
    Ranking,
    Record,
    Sample,
    StepLabels,
    Task,
    Trajectory,
    Turn,
    Verdict,
    content_hash,
    record_from_json,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
data = st.dictionaries(text, st.one_of(text, st.integers(-(2**53), 2**53), st.none()), max_size=3)
base = {"parents": st.lists(text, max_size=2).map(tuple), "meta": data}
turns = st.builds(
    Turn,
    role=st.sampled_from(["user", "assistant"]),
    content=text,
    train=st.booleans(),
    thought=text,
    tool_calls=st.lists(data, max_size=2).map(tuple),
    tool_call_id=st.none() | text.filter(bool),
    name=st.none() | text.filter(bool),
)
records = st.one_of(
    st.builds(Document, text=text, title=text, **base),
    st.builds(Instruction, prompt=text, reference=st.none() | text, **base),
    st.builds(EnvironmentSpec, family=text, name=text, description=text, data=data, **base),
    st.builds(Task, environment=text, goal=text, data=data, **base),
    st.builds(
        Trajectory, task=text, turns=st.lists(turns, max_size=3).map(tuple), success=st.booleans(), reward=st.just(1.0)
    ),
    st.builds(Sample, messages=st.lists(st.fixed_dictionaries({"role": text, "content": text}), max_size=2).map(tuple)),
    st.builds(Preference, prompt=text, chosen=text, rejected=text, **base),
    st.builds(Ranking, prompt=text, ranked=st.lists(text, max_size=3).map(tuple), **base),
    st.builds(
        StepLabels,
        prompt=text,
        steps=st.lists(text, max_size=3).map(tuple),
        labels=st.lists(st.booleans(), max_size=3).map(tuple),
        **base,
    ),
    st.builds(Verdict, subject=text, verifier=text, passed=st.none() | st.booleans(), **base),
)


@given(records)
def test_json_and_back(record: Record) -> None:
    again = record_from_json(record.to_json())
    assert again == record
    assert again.id == record.id


@given(text, text)
def test_the_id_is_of_the_content(a: str, b: str) -> None:
    assert (Document(text=a).id == Document(text=b).id) == (a == b)


def test_meta_is_no_part_of_the_id_and_parents_are() -> None:
    assert Document(text="a", meta={"x": 1}).id == Document(text="a").id
    assert Document(text="a", parents=("p",)).id != Document(text="a").id


def test_turns_without_tools_keep_the_ids_that_they_had_before_there_were_tools() -> None:
    plain = Trajectory(task="t", turns=(Turn("user", "Go."),), success=True, reward=1.0)
    (turn,) = plain.to_json()["turns"]
    assert list(turn) == ["role", "content", "thought", "action", "reward", "progress", "train"]
    assert plain.id == "04732cbc9a46d4a7"
    called = Turn("assistant", "", tool_calls=({"id": "c1", "function": {"name": "go", "arguments": "{}"}},))
    assert Trajectory(task="t", turns=(called,), success=True, reward=1.0).to_json()["turns"][0]["tool_calls"]
    later = {**plain.to_json(), "turns": [{**turn, "later": 1}]}
    assert record_from_json(later) == plain


def test_unknown_keys_are_ignored_and_unknown_kinds_refused() -> None:
    assert record_from_json({"kind": "document", "id": "x", "text": "a", "later": 1}) == Document(text="a")
    with pytest.raises(ValueError, match="no record is of kind 'x'"):
        record_from_json({"kind": "x"})


def test_a_sample_of_one_exchange_shows_prompt_and_response_and_keeps_its_id() -> None:
    sample = Sample(messages=({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}))
    row = sample.to_json()
    assert (row["prompt"], row["response"]) == ("a", "b")
    again = record_from_json(row)
    assert again == sample
    assert again.id == sample.id == content_hash({"kind": "sample", "parents": [], "messages": row["messages"]})
    longer = Sample(messages=(*sample.messages, *sample.messages))
    assert "prompt" not in longer.to_json()
