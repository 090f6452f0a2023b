"""Paperwork: a form is filled in, signed, stamped and filed, each where that can be done.

Variants: how many steps; a form can be revised, which revokes its signature; filing is final, or forms can be drawn
again.
"""

from __future__ import annotations

import random

from cultivar.environments.pddl.procedural.draft import Draft
from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.scene import Scene


class Paperwork(Mechanic):
    name = "paperwork"
    group = "work"
    needs = ("travel", "carrying")

    def __init__(self, rng: random.Random) -> None:
        self.stamp = rng.random() < 0.5
        self.revise = rng.random() < 0.6
        self.final = rng.random() < 0.6
        self.steps = ("sign", "stamp") if self.stamp else ("sign",)

    def build(self, draft: Draft) -> None:
        draft.type("form", draft.theme.document, draft.theme.documents, parent="thing")
        draft.predicate("blank-form", "form", "the {form} ~be blank", "blank|not-filled-in|to-be-filled")
        draft.predicate("ready-form", "form", "the {form} ~be filled in", "filled-in|completed-form|written-out")
        states = {"sign": "signed", "stamp": "stamped"}
        draft.action(
            "fill-in",
            "fill in|write out|complete",
            "who form here",
            "at who here, holds who form, blank-form form",
            "not blank-form form, ready-form form",
            "{who} ~verb the {form} in the {here}",
        )
        before = "ready-form"
        for step in self.steps:
            state = states[step]
            noun = f"{step}ing desk"
            draft.predicate(
                f"{step}-desk", "here", f"a {noun} ~stand in the {{here}}", f"{step}ing-desk-in|{step}-office"
            )
            draft.predicate(state, "form", f"the {{form}} ~be {state}", state)
            draft.action(
                f"{step}-form",
                step,
                "who form here",
                f"at who here, {step}-desk here, holds who form, {before} form, not {state} form",
                f"{state} form",
                f"{{who}} ~verb the {{form}} at the {noun} in the {{here}}",
            )
            draft.rule(f"A {{form}} can be {state} only where a {noun} stands.")
            before = state
        self._archive(draft, before)
        if self.revise:
            undone = ", ".join(f"not {states[step]} form" for step in self.steps)
            draft.action(
                "revise",
                "revise|amend|correct",
                "who form here",
                "at who here, holds who form, ready-form form, signed form",
                f"not ready-form form, blank-form form, {undone}",
                "{who} ~verb the {form} in the {here}, annulling its approval",
            )
            draft.rule("A {form} that is changed loses its approval.")

    def _archive(self, draft: Draft, before: str) -> None:
        draft.predicate("archive", "here", "an archive ~be kept in the {here}", "archive-in|files-in")
        draft.predicate("filed", "form", "the {form} ~be on file", "on-file|filed|archived")
        file = draft.action(
            "file",
            "file|archive",
            "who form here",
            f"at who here, archive here, {before} form",
            "filed form",
            "{who} ~verb the {form} in the {here}",
        )
        draft.release(file, "form")
        if self.final:
            draft.rule("A {form} that is on file stays there.")
            return
        draw = draft.action(
            "draw",
            "take out|look out|request",
            "who form here",
            "at who here, archive here, filed form",
            "not filed form",
            "{who} ~verb the {form} from the archive in the {here}",
        )
        draft.take(draw, "form")

    def furnish(self, scene: Scene) -> None:
        for step in self.steps:
            scene.fact(f"{step}-desk {scene.openly()}")
        scene.fact(f"archive {scene.openly()}")
        forms = scene.several("form", 1 + (scene.size >= 3) + (scene.size >= 6))
        if not self.final and (len(forms) > 1 or scene.rng.random() < 0.3):
            done = forms.pop()
            scene.fact(f"ready-form {done}, signed {done}, filed {done}" + (f", stamped {done}" if self.stamp else ""))
        for form in forms:
            scene.fact(f"lies {form} {scene.anywhere()}")
            state = "blank-form" if scene.rng.random() < 0.6 else "ready-form"
            scene.fact(f"{state} {form}")

    def offer(self, scene: Scene) -> None:
        desks = [next(w[1] for w in scene.facts if w[0] == f"{step}-desk") for step in self.steps]
        archive = next(w[1] for w in scene.facts if w[0] == "archive")
        for form in scene.all("form"):
            if not (source := scene.where(form)):
                target = scene.anywhere(but=archive)
                scene.offer(f"lies {form} {target}", scene.errand(archive, target), f"form {form}")
                continue
            spot = source
            cost = scene.visit(source) + (("blank-form", form) in scene.facts)
            for step, desk in zip(self.steps, desks):
                cost += scene.distance(spot, desk) + 1
                spot = desk
                scene.offer(f"{'signed' if step == 'sign' else 'stamped'} {form}", cost, f"form {form}")
            scene.offer(f"filed {form}", cost + scene.distance(spot, archive) + 1, f"form {form}")
