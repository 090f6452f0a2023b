"""The themes: stocks of words, by field of work and life."""

from cultivar.environments.pddl.procedural.lexicon import Theme
from cultivar.environments.pddl.procedural.themes import care

THEMES: tuple[Theme, ...] = (*care.THEMES,)
