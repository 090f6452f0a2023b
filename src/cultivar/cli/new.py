"""new: the smallest good recipe, with its test, to begin one's own from."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
import sys
from pathlib import Path

from cultivar.cli.printing import print_json
from cultivar.core import registry
from cultivar.core.errors import InputError, UsageError

RECIPE = '''\
"""TITLE: say here in one line what this recipe makes.

row -> question -> answer that keeps to its length -> sample

Run it:   cultivar run STEM.py --input rows.jsonl --model openai:NAME@http://host:port/v1
Test it:  pytest test_STEM.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from cultivar import Dataset, Engine, Instruction, Sample, Scope, Unparsable, recipe

# What the model is asked: a constant, so that a reader finds it. The braces are filled in below.
ASK = """\\
Answer the question below in at most {words} words. Write the answer alone.

{question}"""


@dataclass(frozen=True)
class Config:
    words: int = 50
    "Words that an answer may have. (A field of Config is a flag, --words; this text is its help.)"


def read_answer(reply: str, words: int) -> str:
    """The answer, or Unparsable: then the model is shown its reply and the reason, and asked again."""
    found = len(reply.split())
    if found > words:
        raise Unparsable(f"it has {found} words, and may have {words}")
    return reply.strip()


async def answer(row: Instruction, scope: Scope, config: Config) -> Sample:
    """What happens to one row. Whatever is not pure goes through the scope (ask, once, rng, drop), which finds it again
    in the run's journal: so a run can be killed and started again, and pays for no reply twice."""
    question = ASK.format(words=config.words, question=row.prompt)
    text = await scope.ask("writer", question, parse=partial(read_answer, words=config.words))
    if "as an ai" in text.lower():
        scope.drop("speaks-of-itself", answer=text)  # this row ends here; the reason is counted, the answer kept
    messages = ({"role": "user", "content": row.prompt}, {"role": "assistant", "content": text})
    return Sample(messages=messages, parents=(row.id,), meta=row.meta)


# Rows of an --input are Instructions; a recipe whose items are Iterable[Document] gets the passages of a --corpus.
@recipe("NAME", roles=("writer",))
async def run(engine: Engine, rows: Iterable[Instruction], config: Config = Config()) -> Dataset:
    return Dataset(await engine.map(answer, rows, config))
'''

TEST = '''\
"""Tests of STEM.py. Journal, engine and recipe are the real ones; only the model is a stand-in."""

from __future__ import annotations

from cultivar import Instruction
from cultivar.testing import ScriptedModel, try_recipe

from STEM import Config, run

ROWS = [Instruction(prompt="Why is the sky blue?")]


def test_an_answer_becomes_a_sample() -> None:
    dataset, dropped = try_recipe(run, ROWS, model=ScriptedModel(["Air scatters blue light."]))
    assert [record.to_json()["response"] for record in dataset.records] == ["Air scatters blue light."]
    assert dropped == []


def test_a_long_answer_is_asked_for_again_with_the_reason() -> None:
    model = ScriptedModel(["It is blue because air scatters blue light.", "Air scatters it."])
    dataset, _ = try_recipe(run, ROWS, Config(words=3), model=model)
    assert "may have 3" in model.requests[1].messages[-1]["content"]
    assert [record.to_json()["response"] for record in dataset.records] == ["Air scatters it."]


def test_an_answer_about_itself_is_dropped_with_its_reason() -> None:
    dataset, dropped = try_recipe(run, ROWS, model=ScriptedModel(["As an AI I see no sky."]))
    assert list(dataset.records) == []
    assert [row["reason"] for row in dropped] == ["speaks-of-itself"]
'''


def new_command(given: argparse.Namespace) -> int:
    """Writes both files into the current folder, or neither."""
    name, stem = _checked(given.name)
    words = {"TITLE": name.replace("-", " ").capitalize(), "STEM": stem, "NAME": name}
    files = {Path(f"{stem}.py"): RECIPE, Path(f"test_{stem}.py"): TEST}
    for path in files:
        if path.exists():
            raise UsageError(f"{path} exists; give another name, or move it away")
    for path, text in files.items():
        for word, value in words.items():
            text = text.replace("openai:NAME", "openai:\0").replace(word, value).replace("openai:\0", "openai:NAME")
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}; go to a folder of yours") from None
    if given.json:
        print_json({"recipe": f"{stem}.py", "test": f"test_{stem}.py"})
    else:
        print(
            f"{stem}.py\ntest_{stem}.py\n\ntest it:   pytest test_{stem}.py\n"
            f"run it:    cultivar run {stem}.py --input rows.jsonl --model openai:NAME@http://host:port/v1\n"
            f"settings:  cultivar run {stem}.py --help"
        )
    return 0


def _checked(name: str) -> tuple[str, str]:
    """The recipe's name and its module's; raises UsageError if either cannot be."""
    name = name.removesuffix(".py").replace("_", "-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        near = "-".join(re.findall(r"[a-z0-9]+", name.lower())).lstrip("0123456789-")
        hint = f", such as {near}" if near else ""
        raise UsageError(f"{name!r} cannot be a recipe's name: write small letters, digits and hyphens{hint}")
    stem = name.replace("-", "_")
    if name in registry.names():
        raise UsageError(f"a recipe that ships is called {name!r}; give yours another name, such as my-{name}")
    if keyword.iskeyword(stem) or stem in sys.stdlib_module_names or _is_installed(stem):
        raise UsageError(f"{stem!r} is the name of a Python module or word; give another one, such as my-{name}")
    return name, stem


def _is_installed(stem: str) -> bool:
    """Whether a module of that name could be imported, but for a file in the current folder."""
    found = importlib.util.find_spec(stem)
    return found is not None and Path(found.origin or "").parent != Path.cwd()
