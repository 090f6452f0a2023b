from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.errors import Unparsable
from cultivar.core.protocols import Choice
from cultivar.verify.replies import apologises, bare, declines, fault, leaked, only_stop_words

HEADERS = ("given prompt", "rewritten prompt")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice("Como."), None),
        (Choice("  \n"), "empty"),
        (Choice("The Rhi", "length"), "cut-off"),
        (Choice("No.", "content_filter"), "refused"),
        (Choice("", "refusal"), "refused"),
        (Choice("I'm sorry, but I can't."), None),  # what it says is for `declines`
    ],
)
def test_fault(choice: Choice, expected: str | None) -> None:
    assert fault(choice) == expected


def test_a_cut_off_reply_may_be_let_through_but_not_an_empty_one() -> None:
    assert fault(Choice("The Rhi", "length"), cut_off=True) is None
    assert fault(Choice(" ", "length"), cut_off=True) == "empty"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot do this.",
        "**Sorry**, but I cannot answer.",
        "As an AI language model, I have no opinions.",
        "I cannot rewrite this prompt.",
        "Unfortunately, I am unable to assist with that.",
        "My apologies, this is not something I do.",
        "I apologize, but no.",
        "I'm sorry. I can't do that.",
        "I'm afraid I can't do that.",
        "I am sorry that I cannot help.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Leider kann ich diese Frage nicht beantworten.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Désolée, je ne suis pas en mesure de répondre.",
        "Lo siento, pero no puedo ayudar con eso.",
        "Como modelo de lenguaje, no tengo opiniones.",
        "Desculpe, mas não posso ajudar com isso.",
        "Mi dispiace, ma non posso rispondere.",
        "Извините, но я не могу помочь.",
        "抱歉，我无法协助您完成这个请求。",
        "作为一个人工智能，我没有观点。",
        "申し訳ありませんが、お答えできません。",
        "죄송하지만 도와드릴 수 없습니다.",
    ],
)
def test_declines(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry is a song by Justin Bieber.",
        "As an aid to memory, write it down.",
        "Write a letter that says: I'm sorry.",
        "I cannot recommend this book enough.",
        "I am so sorry for that! But here are a few things that could help.",
        "I'm afraid of spiders; how do I get rid of the fear?",
        "Es tut mir leid, dass du krank bist. Gute Besserung!",
        "Leider kann ich kein Französisch: was heißt 'merci'?",
        "Désolé is the French word for sorry.",
        "Lo siento means: I am sorry.",
        "No puedo dormir. ¿Qué hago?",
        "抱歉的近义词是什么？",
        "Als Kind las ich viel.",
        "Como ia dizendo, é tarde.",
        "",
    ],
)
def test_what_does_not_decline(text: str) -> None:
    assert not declines(text)


def test_an_apology_counts_in_a_short_reply_alone() -> None:
    assert apologises("I am Sorry, no.")
    assert apologises("sorry " + "word " * 78)  # 79 words
    assert not apologises("sorry " + "word " * 79)  # 80 words
    assert not apologises("It is a sorrowful story.")
    assert not apologises("It is a story.")
    assert apologises("Sorry, no.", words=3)
    assert not apologises("Sorry, no, not.", words=3)


@pytest.mark.parametrize(
    "text", ["", "...", " \n!?", "it is that, and so on", "I'm with you.", "“The”", "We’re the…", "— –"]
)
def test_only_stop_words(text: str) -> None:
    assert only_stop_words(text)


@pytest.mark.parametrize(
    "text", ["No.", "not", "Yes", "42", "∞", "A", "B.", "的", "the Rhine", "😀", "x + y", "it is blue"]
)
def test_what_says_something(text: str) -> None:
    assert not only_stop_words(text)


@pytest.mark.parametrize(
    "text",
    ["#Rewritten Prompt#: Name it.", "the rewritten  prompts", "Rewritten_Prompt", "as the **rewritten**\nprompt says"],
)
def test_leaked(text: str) -> None:
    assert leaked(text, HEADERS) == "rewritten prompt"


def test_what_does_not_leak() -> None:
    assert leaked("The letter was rewritten promptly.", HEADERS) is None
    assert leaked("It is rewritten. Prompt the user.", HEADERS) is None
    assert leaked("An unrewritten prompt", HEADERS) is None
    assert leaked("given the prompt", HEADERS) is None
    assert leaked("anything", ()) is None
    assert leaked("a c++ (draft)", ("c++ (draft)",)) == "c++ (draft)"


TEXT = "Name three rivers of Europe and the countries that they cross."


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f"  {TEXT}\n",
        f"Here is the rewritten prompt:\n\n{TEXT}",
        f"Here's a more challenging version of the prompt: {TEXT}",
        f"Sure! Here is the rewritten prompt:\n{TEXT}",
        f"Sure!\n\n{TEXT}",
        f"Certainly, here you go:\n{TEXT}",
        f"Okay, here's a rewritten version: {TEXT}",
        f"Below is your new instruction:\n```\n{TEXT}\n```",
        f"```text\n{TEXT}\n```",
        f"```\n{TEXT}\n```\nLet me know if it should be harder!",
        f'"{TEXT}"',
        f"“{TEXT}”",
        f'**Rewritten Prompt:** "{TEXT}"',
        f'```\nHere is the rewritten prompt: "{TEXT}"\n```',
        f"#Rewritten Prompt#:\n{TEXT}",
        f"### Rewritten prompt\n\n{TEXT}",
        f"Rewritten Prompt: {TEXT}",
        f"<think>They want it harder. Rewritten prompt: no.</think>\n{TEXT}",
        f"{TEXT}\n\nI hope this helps!",
        f"{TEXT}\n\n---\n*This rewritten prompt adds a constraint.*",
        f'Of course!\n\nHere is the revised prompt:\n\n```markdown\n"{TEXT}"\n```',
        f"<<<\n{TEXT}\n>>>",
        f"Rewritten prompt:\n<<<\n{TEXT}\n>>>",
        f"{TEXT}\n>>>",
        f"**New prompt:** {TEXT}",
        f"Sure! Here's an easier version:\n\n{TEXT}",
        f"Here is a simpler problem about the same trip:\n{TEXT}",
        f"An easier version:\n\n{TEXT}",
        f"**A simpler problem:** {TEXT}",
        f"Rewritten version:\n{TEXT}",
        f"Prompt: {TEXT}",
        f"**Here is the rewritten prompt:**\n\n{TEXT}",
        f"Sure! Here's the given prompt, made harder:\n\n{TEXT}",
        f"**{TEXT}**",
        f"***{TEXT}***",
        f"*{TEXT}*",
        f"`{TEXT}`",
        f"'{TEXT}'",
        f"> {TEXT}",
        f"{TEXT}\n\nI kept the original task and added JSON with two kinds of errors, so that an answer has to use it.",
        f"{TEXT}\n\n(Note: I added a constraint.)",
        f"{TEXT}\n\n**Note:** This keeps the original task, and asks for more.",
        f"{TEXT}\n\n---\n\n*I've added a limit on length to make it harder.*",
        f"Here is the rewritten prompt:\n\n```\n{TEXT}\n```\n\nI added a table so that the answer has to read it.",
    ],
)
def test_a_text_without_what_is_around_it(reply: str) -> None:
    assert bare(reply, HEADERS) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```\nWhat does this print?",
        "```python\nprint(1)\n```",
        "What does this print?\n```\n1\n```",
        '"To be" or "not to be": who said it?',
        "Here is a table of prices: 1, 2, 3. Add them up.",
        "Sure enough, it rains. Why?",
        "Alright, here is a question for you. Which film won?",
        "Okay, here is the thing: I cannot sleep. Why?",
        "Okay is a word of which language?",
        "Great Britain has how many rivers?",
        "Write a poem.\nFeel free to rhyme.",
        "Summarise the debate.\nThe new law requires that nobody sings.",
        "Note: use no loops.",
        "Name a river.\nNote: I added two already.",
        "Why does it fail?\n\nI added a constraint to my table, and now the insert is refused.",
        "Mend this.\n\nI made a new version of the recipe and it is harder than before.",
        "What does this print?\n>>> 1 + 1\n>>>",
        "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\nWhat is this?",
        "**Name** a river and a **lake**",
        "* Name a river\n* and a lake *",
        "`ls` or `dir`",
        "'To be' or 'not to be'",
    ],
)
def test_what_belongs_to_the_text_stays(text: str) -> None:
    assert bare(text, HEADERS) == text


def test_nothing_but_wrapping_is_nothing() -> None:
    assert bare("Here is the rewritten prompt:", HEADERS) == ""
    assert bare("```\n```") == bare('""') == bare("<<<\n>>>") == ""
    assert bare("<think>I never stop", HEADERS) == ""


def test_a_reply_that_is_too_long_is_not_read() -> None:
    with pytest.raises(Unparsable, match="at most 1,000,000"):
        bare("a" * 1_000_001)


PIECES = st.sampled_from(
    [
        *(
            "Sure!",
            "Here is the rewritten prompt:",
            "```",
            "```text",
            '"',
            "“",
            "”",
            "#Rewritten Prompt#",
            "\n",
            "\n\n",
            " ",
        ),
        *("Let me know if", "<think>", "</think>", "---", "Name a river.", "sorry", "the", "**", ":", "I'm"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_bare_is_a_stretch_of_the_reply(reply: str) -> None:
    text = bare(reply, HEADERS)
    assert text in reply
    assert text == text.strip()
    assert len(text) == len(reply.strip()) or text != reply.strip()


@given(st.text(max_size=200))
def test_no_text_breaks_the_rules(text: str) -> None:
    assert bare(text, HEADERS) in text
    declines(text), apologises(text), leaked(text, HEADERS)
    assert only_stop_words(text) == only_stop_words(text + " ...")


@pytest.mark.parametrize(
    "unit",
    [
        "sorry ",
        "rewritten ",
        "rewritten_",
        "here is the ",
        '"',
        "```\n",
        "it's",
        "Let me know if\n",
        "i'm so ",
        "# ",
        "> ",
        "*",
        "<<<",
        "note: i added ",
    ],
)
def test_the_cost_grows_with_the_length_alone(unit: str) -> None:
    """Eight times the text takes nowhere near sixty-four times as long."""

    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        bare(text, HEADERS), declines(text), apologises(text), only_stop_words(text), leaked(text, HEADERS)
        return time.process_time() - start

    small = min(cost(20_000) for _ in range(3))
    assert cost(160_000) < 30 * small + 0.02


@pytest.mark.parametrize(
    ("file", "field"),
    [("self_instruct_seeds", "instruction"), ("wizardlm_testset", "Instruction"), ("lima", "instruction")],
)
def test_instructions_that_people_wrote_stay_as_they_are(file: str, field: str, shared_data: Path) -> None:
    prompts = [json.loads(line)[field] for line in (shared_data / f"{file}.jsonl").open(encoding="utf-8")]
    assert [p for p in prompts if bare(p, HEADERS) not in (p.strip(), p.strip().strip('"'))] == []  # two are quotations
    assert [p for p in prompts if declines(p)] == []
    assert [p for p in prompts if leaked(p, HEADERS)] in ([], ["Identify the bias or stereotype in the given prompt."])


def test_refusals_that_models_wrote_are_found(shared_data: Path) -> None:
    """LIMA's answers are written by people, but for a handful that play a safe assistant: four of 700 decline."""
    answers = [json.loads(line)["response"] for line in (shared_data / "lima.jsonl").open(encoding="utf-8")]
    found = [answer for answer in answers if declines(answer)]
    assert [answer[:12] for answer in sorted(found)] == ["As an AI ass", "I am sorry, ", "I am sorry, ", "I cannot pro"]
