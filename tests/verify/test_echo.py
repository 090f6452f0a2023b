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
        "After eleven years of rejection letters, she opened the envelope and read that it would be published.",
        "After ten years of marriage, I left.",
        "In the years of the Depression, the banks failed.",
        "With ten years of experience, the diver may ask for more.",
        "As a diver, you need a licence.",  # said of the reader
        "As a diver, your first duty is to your partner.",
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


@pytest.mark.parametrize(
    ("opening", "rest"),
    [
        ("With over twenty years of experience in counting corals, ", "I can tell you that they recover."),
        ("After two decades as a diver, ", "I would wait."),
        ("As a diver, ", "I can tell you what your reef needs."),
        ("As a diver, ", "you would hear from me to wait."),
    ],
)
def test_an_echo_before_what_is_said_in_the_first_person(opening: str, rest: str) -> None:
    assert without_echo(opening + rest, IDENTITY) == rest[0].upper() + rest[1:]


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
    assert in_a_voice("You've been a teacher for 30 years. How was it?")
    assert in_a_voice("Write a short story about a diver.")
    assert in_a_voice('Write a sentence that ends with the word "published".')
    assert in_a_voice("Give me an example of a time when you had to laugh.")
    assert not in_a_voice("You are given a list of reefs; sort it.")
    assert not in_a_voice("Explain a reef in one sentence.")
    assert not in_a_voice("How do I find a publisher for my story?")
    assert not in_a_voice("How do I prepare for an interview?")
    assert not in_a_voice("What happened at the time when reefs formed?")
    assert not in_a_voice("How long does a reef take to recover?")
