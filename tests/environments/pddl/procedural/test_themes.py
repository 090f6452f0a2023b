"""Every theme makes a world that reads well enough to be told apart."""

from __future__ import annotations

import random

import pytest

from cultivar.environments.pddl.grounding.ground import ground
from cultivar.environments.pddl.narration.narrate import Narrator
from cultivar.environments.pddl.procedural import MECHANICS, THEMES
from cultivar.environments.pddl.procedural.lexicon import Theme
from cultivar.environments.pddl.procedural.proposal import assemble

NAMES = ("travel", "carrying", "containers", "stages", "machine", "assembly", "paperwork", "queues", "tools", "supply")


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_a_world_of_all_its_words_is_injective(theme: Theme) -> None:
    made = assemble(theme, [m for m in MECHANICS if m.name in NAMES], [], random.Random(1))
    task = ground(made.domain, made.sample(random.Random(2), 6))
    narrator = Narrator(task, made.language)
    assert narrator.clash() is None
    for operator in task.operators[:: max(1, len(task.operators) // 40)]:
        assert narrator.read_action(narrator.action(operator.name, operator.args)) == (operator.name, operator.args)
