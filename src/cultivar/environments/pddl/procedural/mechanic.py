"""The shape of a mechanic: a small rule of a world, such as locks or fuel, that can be combined with others.

A mechanic is drawn once per domain and draws its own *variants* then (is the key used up? is there a lid?). It is asked

- ``build``: once, for its types, predicates, actions, wordings and changes to other mechanics' actions;
- ``conclude``: once, when all mechanics are built, for what depends on all actions;
- ``lay_out``: in every task, for the places it adds to the map;
- ``furnish``: in every task, for its objects and initial facts;
- ``offer``: in every task, for goals, once everything is where it is.

What it adds must leave its goals within reach: see ``Scene``. To write a new one, copy any other and name it in
``mechanics/__init__.py``, whose order is the order in which mechanics are asked.
"""

from __future__ import annotations

import random
from typing import ClassVar, Literal

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.scene import Scene

Group = Literal["base", "gate", "work", "modifier", "extra"]


class Mechanic:
    """``needs``: mechanics without which this one makes no sense. ``after``: kinds of action of which one must be there
    (see ``ActionDraft.kind``); ``provides``: the
    kinds that it adds itself. ``clashes``: mechanics that do not go with it. ``crew``: asks for named workers.
    ``lexical``: a field of the theme that must not be empty. ``group``: what it is to a world; a *gate* closes a place,
    *work* offers things to be done to objects, a *modifier* makes the actions of others harder."""

    name: ClassVar[str]
    group: ClassVar[Group]
    needs: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ()
    clashes: ClassVar[tuple[str, ...]] = ()
    crew: ClassVar[bool] = False
    lexical: ClassVar[str] = ""

    def __init__(self, rng: random.Random) -> None:
        """Draws the variants."""

    def build(self, draft: Draft) -> None:
        raise NotImplementedError

    def conclude(self, draft: Draft) -> None:
        """Adds nothing unless told otherwise."""

    def lay_out(self, scene: Scene) -> None:
        """Adds no place unless told otherwise."""

    def furnish(self, scene: Scene) -> None:
        """Adds no object unless told otherwise."""

    def offer(self, scene: Scene) -> None:
        """Adds no goal unless told otherwise."""
