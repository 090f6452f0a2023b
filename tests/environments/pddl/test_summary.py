from __future__ import annotations

from cultivar.core.figures import Bars
from cultivar.core.records import Document
from cultivar.environments.pddl.auditing.gates import GATES
from cultivar.environments.pddl.summary import describe
from cultivar.recipes.agentgen import Config, run
from cultivar.testing import try_recipe


def test_the_figures_of_a_run() -> None:
    passage = Document(text="The ferry crew loads carts and crosses the river twice a day.")
    made, _ = try_recipe(run, [passage], Config(environments=1, tasks=6))
    tiles = {t.label: t.value for t in made.tiles}
    assert (tiles["environments"], tiles["tasks"], tiles["trajectories"]) == (1, 6, 6)
    assert 0 <= float(tiles["the same, stage 1 alone"]) <= float(tiles["entropy of the difficulty curve"]) <= 2.59
    bars = made.sections[0].figures[0]
    assert isinstance(bars, Bars)
    for shares in bars.series.values():
        assert abs(sum(shares) - 100) < 0.5
    assert [s.title for s in made.sections] == [
        "Difficulty",
        "Diversity of the environments",
        "Does the checker notice?",
    ]
    assert made.reasons is GATES
    assert 1 <= len(made.examples) <= 3


def test_nothing_looks_sensible() -> None:
    made = describe([], 5)
    assert made.tiles[0].value == 0
    assert made.examples == ()
