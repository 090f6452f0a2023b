"""The reference simulators of ``benchmarks.simulation``. Run by the Python that has them; imports nothing of cultivar.

    python _simulation_references.py JOB.json

The job holds the files of a problem and walks, each a list of [action, digest of the applicable actions]. Prints one
JSON line a simulator: steps per second, or why there are none. Every walk is first replayed untimed, which finds out
where the chosen action stands in the simulator's own list and checks that the list holds the same actions.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def digest(actions: Iterable[str]) -> str:
    """Of the set: pymimir lists an action with a disjunctive precondition once for each disjunct."""
    return hashlib.sha1("\n".join(sorted(set(actions))).encode(), usedforsecurity=False).hexdigest()


def positions(job: dict[str, Any], initial: Any, listed: Callable[..., Any], after: Callable[..., Any]) -> Any:
    """For each walk, where each chosen action stands in the list that ``listed`` gives, and the last state."""
    found = []
    for walk in job["walks"]:
        state, where = initial, []
        for chosen, expected in walk:
            actions = listed(state)
            names = [" ".join(str(a).lower().split()).replace(" )", ")") for a in actions]
            if digest(names) != expected:
                raise RuntimeError(f"other applicable actions ({len(names)}) before {chosen}")
            where.append(names.index(chosen))
            state = after(state, actions[where[-1]])
        found.append((where, state))
    return found


def pymimir_public(job: dict[str, Any]) -> dict[str, float]:
    import pymimir  # type: ignore[import-not-found,unused-ignore]

    problem = pymimir.Problem(pymimir.Domain(Path(job["domain"])), Path(job["problem"]), mode="grounded")
    initial, goal = problem.get_initial_state(), problem.get_goal_condition()
    found = positions(job, initial, lambda s: s.generate_applicable_actions(False), lambda s, a: a.apply(s))
    rng, steps, start = random.Random(0), 0, time.process_time()
    while time.process_time() - start < job["seconds"]:
        for where, last in found:
            state = initial
            for position in where:
                actions = state.generate_applicable_actions(False)
                rng.random()
                state = actions[position].apply(state)
                goal.holds(state)
            steps += len(where)
            assert state == last
    return {"steps_per_second": steps / (time.process_time() - start)}


def pymimir_core(job: dict[str, Any]) -> dict[str, float]:
    """The C++ objects under the public interface, which adds no Python code of its own to a step."""
    import pymimir

    problem = pymimir.Problem(pymimir.Domain(Path(job["domain"])), Path(job["problem"]), mode="grounded")
    context, advanced = problem._search_context, problem._advanced_problem
    applicable = context.get_applicable_action_generator().generate_applicable_actions
    successor = context.get_state_repository().get_or_create_successor_state
    initial = problem.get_initial_state()._advanced_state
    literals = problem.get_goal_condition().get_literals()
    goal = [x._advanced_ground_literal for x in literals if not x.get_atom().is_static()]

    class Named:
        def __init__(self, action: Any) -> None:
            self.action = action

        def __str__(self) -> str:
            return str(self.action.to_string_for_plan(advanced))

    found = positions(
        job, initial, lambda s: [Named(a) for a in applicable(s)], lambda s, a: successor(s, a.action, 0.0)[0]
    )
    rng, steps, start = random.Random(0), 0, time.process_time()
    while time.process_time() - start < job["seconds"]:
        for where, last in found:
            state = initial
            for position in where:
                actions = applicable(state)
                rng.random()
                state = successor(state, actions[position], 0.0)[0]
                state.literal_holds(goal)
            steps += len(where)
            assert state == last
    return {"steps_per_second": steps / (time.process_time() - start)}


def unified_planning(job: dict[str, Any]) -> dict[str, float]:
    """Each step is timed by itself, because replaying whole walks beforehand would take minutes."""
    import unified_planning.shortcuts as up  # type: ignore[import-not-found,unused-ignore]
    from unified_planning.engines.sequential_simulator import (  # type: ignore[import-not-found,unused-ignore]
        UPSequentialSimulator,
    )
    from unified_planning.io import PDDLReader  # type: ignore[import-not-found,unused-ignore]

    up.get_environment().credits_stream = None
    up.get_environment().error_used_name = False
    simulator = UPSequentialSimulator(PDDLReader().parse_problem(job["domain"], job["problem"]))
    rng, steps, spent = random.Random(0), 0, 0.0
    while spent < job["seconds"]:
        for walk in job["walks"]:
            state = simulator.get_initial_state()
            for chosen, expected in walk:
                start = time.process_time()
                actions = list(simulator.get_applicable_actions(state))
                rng.random()
                spent += time.process_time() - start
                names = [f"({' '.join([a.name, *map(str, args)])})".lower() for a, args in actions]
                if digest(names) != expected:
                    raise RuntimeError(f"other applicable actions ({len(names)}) before {chosen}")
                action, args = actions[names.index(chosen)]
                start = time.process_time()
                state = simulator.apply(state, action, args)
                simulator.is_goal(state)
                spent += time.process_time() - start
                steps += 1
                if spent > job["seconds"]:
                    return {"steps_per_second": steps / spent}
    return {"steps_per_second": steps / spent}


REFERENCES = {"pymimir": pymimir_public, "pymimir core": pymimir_core, "unified-planning": unified_planning}


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    for name, measure in REFERENCES.items():
        module = name.split()[0].replace("-", "_")
        if importlib.util.find_spec(module) is None:
            answer: dict[str, Any] = {"missing": f"{module} is not installed in {sys.executable}"}
        else:
            try:
                answer = measure(job)
            except Exception as error:
                answer = {"refused": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:90]}"}
        print("RESULT " + json.dumps({"name": name, **answer}), flush=True)


if __name__ == "__main__":
    main()
