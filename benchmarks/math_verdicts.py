"""Final-answer verdicts against recorded correctness: 300 GSM8K problems, four models' solutions to each.

    python -m benchmarks.math_verdicts FOLDER     the folder that holds gsm8k_model_solutions.jsonl

The solutions end "A: 18". So that the other ways of stating an answer are measured on the same material, every solution
is judged again with that line written in another form, and once with the line taken away, which leaves the last resort.
Where a solution was cut off before its last line there is nothing to rewrite, and it stays as it is.

Every verdict that differs from the record is printed. With the line, in all its forms, none does. Without it 13 do;
each was looked at:

    row  models  why
    23   2       right; ends "... from 1:00 to 5:00": the last number is part of a time
    76   1       right; ends with the unrounded "5.27 bags", the answer 5 stood on the line alone
    115  1       right; ends with "$90 - $180 = $-90", the answer 90 stood on the line alone
    123  1       right; ends "50 miles in 7 hours"
    184  1       right; ends "a number greater than 3 than ...", the answer 25 stands earlier in the sentence
    257  2       the line says 5, which is wrong, but the text ends with 5,600, which is right
    272  4       right; all end with "$5.01", the reference is the rounded 5
    287  1       right; ends "8 rows of 5 stars"

So none is a fault of the comparison, and ten are what a last number is: a guess (``guess=False`` does without).

Last, the four models vote: how often the most frequent answer is right, by how many gave it. Agreement is no proof.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson

from cultivar.core.records import JSON
from cultivar.verify.consensus import vote
from cultivar.verify.math import check, final_answer, same_answer

FORMS: dict[str, Callable[[str], str]] = {
    "A: 18": lambda answer: f"A: {answer}",
    "#### 18": lambda answer: f"#### {answer}",
    "\\boxed{18}": lambda answer: f"So the result is $\\boxed{{{answer}}}$.",
    "The answer is $18.": lambda answer: f"The answer is ${answer}.",
    "**Final answer:** 18 units": lambda answer: f"**Final answer:** {answer} units",
    "Answer: 18.0": lambda answer: f"Answer: {answer}.0" if answer.isdigit() else f"Answer: {answer}",
    "no such line": lambda answer: "",
}


def rewritten(solution: str, form: Callable[[str], str]) -> str:
    body, _, last = solution.rstrip().rpartition("\n")
    return f"{body}\n{form(last[3:])}" if last.startswith("A: ") else solution


def agreement(rows: list[JSON], models: list[str]) -> None:
    problems, right = Counter[int](), Counter[int]()
    for row in rows:
        found = vote([final_answer(row[model]["solution"], guess=False) for model in models], same_answer)
        problems[found.votes] += 1
        right[found.votes] += not found.tied and check(f"#### {found.answer}", row["ground_truth"]).passed is True
    for votes in sorted(problems):
        share = 100 * right[votes] / problems[votes]
        print(f"{votes} of {len(models)} agree: {problems[votes]:3} problems, their answer is right in {share:3.0f} %")


def main(folder: Path) -> None:
    rows = [orjson.loads(line) for line in (folder / "gsm8k_model_solutions.jsonl").read_bytes().splitlines()]
    models = [key for key, value in rows[0].items() if isinstance(value, dict)]
    print(f"{len(rows)} problems, {len(rows) * len(models):,} solutions of {', '.join(models)}")
    for name, form in FORMS.items():
        began, differ, unstated = time.process_time(), 0, 0
        for number, row in enumerate(rows):
            for model in models:
                text, recorded = rewritten(row[model]["solution"], form), row[model]["is_correct"]
                verdict = check(text, row["ground_truth"])
                unstated += final_answer(text, guess=False) is None
                if verdict.passed is not recorded:
                    differ += 1
                    print(f"  row {number} {model}: {verdict.passed}, recorded {recorded}: {verdict.reason}")
        total = len(rows) * len(models)
        microseconds = 1e6 * (time.process_time() - began) / total
        print(
            f"{name:28} {100 * (total - differ) / total:6.2f} % as recorded, {differ:3} differ, {unstated:4} state no "
            f"answer, {microseconds:4.0f} us each"
        )
    agreement(rows, models)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
