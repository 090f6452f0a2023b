"""The themes: stocks of words, by field of work and life."""

from cultivar.environments.pddl.procedural.lexicon import Theme
from cultivar.environments.pddl.procedural.themes import care, craft, food, land, learning, stage, transport

THEMES: tuple[Theme, ...] = (
    *care.THEMES,
    *food.THEMES,
    *transport.THEMES,
    *land.THEMES,
    *craft.THEMES,
    *learning.THEMES,
    *stage.THEMES,
)
