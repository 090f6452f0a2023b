"""What an agent can see of a state, by a ``Visibility`` declaration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cultivar.environments.pddl.grounded import GroundTask
from cultivar.environments.pddl.model import Atom
from cultivar.environments.pddl.narration.language import Visibility


class Sight:
    """The eyes of the agents of one task. See ``Visibility`` for the rule."""

    def __init__(self, task: GroundTask, declared: Visibility) -> None:
        domain = task.domain
        self._declared = declared
        self._static = tuple(task.static)
        agent_type = declared.agent_type
        self._agents = frozenset(
            name for name, types in task.objects.items() if agent_type is None or domain.is_a(types, (agent_type,))
        )
        self._closable: frozenset[str] = frozenset()
        if declared.open is not None and declared.open in domain.predicate:
            wanted = domain.predicate[declared.open].parameters[0].types
            self._closable = frozenset(n for n, types in task.objects.items() if domain.is_a(types, wanted))

    def seen(self, atoms: Iterable[Atom], unchanging: Sequence[Atom], *, first: bool) -> list[Atom]:
        """The facts whose arguments are all visible.

        Of the unchanging ones all on a first look, and later those of things that can go out of sight.
        """
        facts = list(atoms)
        hidden, placed = self._hidden([*facts, *self._static])
        kept = [a for a in unchanging if first or not placed.isdisjoint(a.args)]
        return [a for a in (*facts, *kept) if hidden.isdisjoint(a.args)]

    def _hidden(self, facts: Sequence[Atom]) -> tuple[set[str], set[str]]:
        """What cannot be seen, and all that has a place."""
        declared = self._declared
        here: set[str] = set()
        agents: set[str] = set()
        holders: dict[str, list[str]] = {}
        opened: set[str] = set()
        for fact in facts:
            args = fact.args
            if fact.predicate == declared.agent_at and (len(args) == 1 or (len(args) == 2 and args[0] in self._agents)):
                here.add(args[-1])
                agents.update(args[:-1])
            elif fact.predicate in declared.at and len(args) == 2:
                holders.setdefault(args[0], []).append(args[1])
            elif fact.predicate == declared.open and len(args) == 1:
                opened.add(args[0])
        visible: dict[str, bool] = dict.fromkeys(agents, True)

        def placed_in_sight(holder: str, above: frozenset[str]) -> bool:
            if holder in here:
                return True
            if holder in self._closable and holder not in opened:
                return False
            return holder in holders and can_see(holder, above)

        def can_see(thing: str, above: frozenset[str]) -> bool:
            """A thing that holds itself, through others, is not seen."""
            if thing not in visible:
                if thing in above:
                    return False
                inside = above | {thing}
                visible[thing] = any(placed_in_sight(holder, inside) for holder in holders[thing])
            return visible[thing]

        return {thing for thing in holders if not can_see(thing, frozenset())}, set(holders)
