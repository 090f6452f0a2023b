"""Which moves can be done in a state, found through one watched fact a move and remembered by what the moves read."""

from __future__ import annotations

from cultivar.environments.pddl.planner.normal import Move, NormalTask, bits

# Remembered answers; past this all are forgotten, so that memory stays bounded (about 200 bytes each).
MAX_REMEMBERED = 400_000


class Successors:
    """The applicable moves of a state, in a fixed order.

    Each move is filed under one fact that it needs, the one that the fewest moves need. The moves under one fact read
    few other facts, so the answer is remembered by the value of those.
    """

    def __init__(self, task: NormalTask) -> None:
        self.task = task
        users: dict[int, int] = {}
        for move in task.moves:
            for fact in bits(move.need):
                users[fact] = users.get(fact, 0) + 1
        filed: dict[int, list[Move]] = {}
        self._always: list[Move] = []
        for move in task.moves:
            if move.need:
                filed.setdefault(min(bits(move.need), key=users.__getitem__), []).append(move)
            else:
                self._always.append(move)
        self._watched = 0
        self._groups: dict[int, tuple[int, dict[int, list[Move]], list[Move]]] = {}
        for fact, moves in filed.items():
            read = 0
            for move in moves:
                read |= move.need
            self._watched |= 1 << fact
            self._groups[1 << fact] = (read & ~(1 << fact), {}, moves)
        self._remembered = 0

    def moves(self, state: int) -> list[Move]:
        found = list(self._always)
        groups = self._groups
        watched = state & self._watched
        while watched:
            low = watched & -watched
            watched ^= low
            read, known, moves = groups[low]
            values = state & read
            answer = known.get(values)
            if answer is None:
                answer = known[values] = [m for m in moves if state & m.need == m.need]
                self._remembered += 1
                if self._remembered > MAX_REMEMBERED:
                    self._forget()
            if answer:
                found += answer
        return found

    def _forget(self) -> None:
        self._remembered = 0
        for _, known, _ in self._groups.values():
            known.clear()
