"""Planning domains composed from mechanics and a themed lexicon, without any model."""

from cultivar.environments.pddl.procedural.mechanics import MECHANICS
from cultivar.environments.pddl.procedural.proposal import Proposal, propose
from cultivar.environments.pddl.procedural.themes import THEMES

__all__ = ["MECHANICS", "THEMES", "Proposal", "propose"]
