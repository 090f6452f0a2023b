from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.verify.echo import in_a_voice, speaks_as, without_echo

IDENTITY = "You are a marine biologist and diver who has counted corals for twenty years."
REST = "The reef needs ten years to recover, at least."


@pytest.mark.parametrize(
    "opening",
    [
        "As a marine biologist, ",
        "As a marine biologist with twenty years of practice in warm, shallow and murky seas, ",
        "As an expert in reefs, ",
        "As someone who counts corals, ",
        "**As a marine biologist**, ",
        "**As a marine biologist,** ",
        "Certainly! As a marine biologist, ",
        "Speaking as a diver, ",
        "In my twenty years as a marine biologist, ",
        "With over twenty years of experience in counting corals, ",
        "Drawing on my experience, ",
        "I am a marine biologist. ",
        "Hello! I'm a marine biologist, diver and teacher. ",
        "I am a marine biologist who counts corals.\n\n",
    ],
)
def test_an_echo_is_taken_off(opening: str) -> None:
    assert without_echo(opening + REST, IDENTITY) == REST
    lower = REST[0].lower() + REST[1:]
    assert without_echo(opening + lower, IDENTITY) == REST


@pytest.mark.parametrize(
    "answer",
    [
        REST,
        "As a rule, the reef recovers.",
        "As a result of warm seas, the reef dies.",
        "As a solution, you may count corals.",
        "As a first step, count the corals.",
        "As the reef grows, fish return.",
        "As a chemist, I would object.",  # not who the identity is
        "As an island, Corsica has reefs.",
        "In the sea, fish live.",
        "After the war, my country had no ships.",
        "I am sure. The reef recovers.",
        "I am a marine biologist, and I would wait.",  # more than an opening: it is found by speaks_as
        "I am a marine biologist, and I would wait. Then count.",
        "As a marine biologist, ",
        "As a marine biologist,",
        "I am a marine biologist.",
        "As a marine biologist, diver and reader, count corals, count fish.",  # where does the answer begin?
        "- As a list\n- it stays",
        "",
    ],
)
def test_what_is_no_echo_stays(answer: str) -> None:
    assert without_echo(answer, IDENTITY) == answer


def test_words_for_experts_are_enough_without_a_title() -> None:
    assert without_echo("As an expert, I say no.", "Imagine that you are an expert in the field.") == "I say no."
    assert without_echo("As a baker, I say no.", "Imagine.") == "As a baker, I say no."


PIECES = st.sampled_from(
    [
        *(
            "As a ",
            "as an ",
            "marine biologist",
            "expert",
            ", ",
            ". ",
            "I ",
            "I am a ",
            "the ",
            "reef",
            "\n",
            " ",
            "** ",
        ),
        *("In my ", "years of ", "experience", "Hello! ", "É", "ß", "", "and ", "diver", "who ", "!"),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
def test_only_the_opening_goes_and_never_all_of_it(answer: str) -> None:
    rest = without_echo(answer, IDENTITY)
    assert answer.endswith(rest[1:])
    assert rest[:1].lower() == answer[len(answer) - len(rest) :][:1].lower()
    assert bool(rest.strip()) == bool(answer.strip())
    taken = answer[: len(answer) - len(rest)].strip()
    assert taken.count(".") + taken.count("!") + taken.count("?") <= 2  # a greeting, and one sentence or clause


@pytest.mark.parametrize(
    "answer",
    [
        "Wait. As a marine biologist, I would count.",
        "I am a marine biologist, and I would wait.",
        "It dies. In my practice this is common.",
        "From my many years in reefs: it dies.",
        "I'm an expert on this.",
        f"{IDENTITY}\n\nIt dies.",
    ],
)
def test_who_speaks_as_the_expert(answer: str) -> None:
    assert speaks_as(answer, IDENTITY)


@pytest.mark.parametrize(
    "answer", [REST, "Work as a marine biologist, and you see reefs.", "Ask an expert.", "As a chemist, I object.", ""]
)
def test_who_does_not(answer: str) -> None:
    assert not speaks_as(answer, IDENTITY)


def test_instructions_that_ask_for_a_voice() -> None:
    assert in_a_voice("Write a cover letter for a marine biologist.")
    assert in_a_voice("Act as a pirate.")
    assert in_a_voice("As a doctor, what would you do?")
    assert not in_a_voice("You are given a list of reefs; sort it.")
    assert not in_a_voice("How long does a reef take to recover?")
