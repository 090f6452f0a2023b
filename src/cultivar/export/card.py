"""``card.md``: the dataset card of a run, Markdown with the YAML head that dataset hubs read.

Everything in it follows from the ``Report``; times and rates are left out, so a replay writes the same bytes. Texts may
come from a model: in Markdown they are escaped, in YAML they are quoted.

Source of the head: Hugging Face, "Dataset Cards" (license, pretty_name, task_categories, size_categories, tags,
configs).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson

from cultivar.core.figures import Bars, Cost, Drop, Figure, Histogram, Provenance, Report, Table, total
from cultivar.core.files import write_whole
from cultivar.core.records import JSON
from cultivar.core.text import Cell, clip, money, number, one_line, shown
from cultivar.export.formats import FORMATS
from cultivar.export.report import paper_link

MAX_CELL = 300
MAX_ROWS = 100
MAX_TEXT = 2_000

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
TRAINABLE = ("trajectory", "sample", "preference", "ranking", "steps")

_MARKUP = re.compile(r"([\\`*_\[\]<>#|~$&@]|:(?=//)|(?<=www)\.)")
_NUMBER = re.compile(r"–|\$?\d[\d.,]*%?")


def write_card(path: str | Path, report: Report) -> None:
    """Write the card; raises InputError where the disk refuses."""
    write_whole(Path(path), card(report))


def card(report: Report) -> str:
    """The card as text. The same report gives the same card."""
    blocks = [
        _head(report),
        f"# {escape(report.title)}",
        escape_block(report.about),
        *_at_a_glance(report),
        *_how_made(report.provenance),
        *_dropped(report.drops),
        *(block for section in report.sections for block in _section(section.title, section.text, section.figures)),
        *_costs(report.costs),
        *_use(report.format),
        "## Known limits",
        _bullets((*report.limits, *(() if SELECTED in report.tags else (SYNTHETIC,)), LIMIT)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


SELECTED = "data-selection"
"""The tag of rows that were chosen from what others wrote, and made by nobody here."""
SYNTHETIC = (
    "The rows are synthetic: what they say of the world is as good as the text, templates and models they came from."
)
LIMIT = (
    "A row that passed every gate is what the gates demand, and no more; that it helps a model is measured by training "
    "one, not shown by this card."
)


def escape(text: str) -> str:
    """One line in which nothing is Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", one_line(text, MAX_CELL))


def escape_block(text: str) -> str:
    """Paragraphs in which nothing is Markdown or HTML."""
    paragraphs = re.split(r"\n\s*\n", clip(text, MAX_TEXT))
    return "\n\n".join(_line_start(escape(part)) for part in paragraphs if part.strip())


def _line_start(text: str) -> str:
    """A paragraph that begins like a list, or a rule, is none."""
    return re.sub(r"^(\d{1,9})([.)])|^([-+=])", lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", text)


def code(text: str) -> str:
    """An inline code span, whatever back-ticks the text has."""
    text = one_line(text, MAX_CELL)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    inner = f" {text} " if text.startswith("`") or text.endswith("`") or not text else text
    return f"{fence}{inner}{fence}"


def _fenced(text: str, language: str = "") -> str:
    text = clip(text, MAX_TEXT)
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_line_start(escape(line))}" for line in lines)


def table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A Markdown table; columns of numbers are flush right, cells are escaped unless they are ``Code``."""
    right = [bool(rows) and all(_NUMBER.fullmatch(number(row[i])) for row in rows) for i in range(len(columns))]
    lines = [" | ".join(map(escape, columns)), " | ".join("--:" if flush else "---" for flush in right)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in rows[:MAX_ROWS]]
    found = "\n".join(f"| {line} |" for line in lines)
    return found if len(rows) <= MAX_ROWS else f"{found}\n\n{len(rows) - MAX_ROWS:,} more rows are left out here."


class Code(str):
    """A cell that is Markdown already."""


def _code_cell(text: str) -> Code:
    """A code span, unless the text has a bar, which would end the cell even within one."""
    return Code(escape(text) if "|" in text else code(text))


def _cell(cell: Cell) -> str:
    return cell if isinstance(cell, Code) else escape(number(cell))


def _head(report: Report) -> str:
    rows = sum(report.counts.get(kind, 0) for kind in TRAINABLE)
    size = next((name for limit, name in SIZES if rows < limit), "n>10M")
    made = () if SELECTED in report.tags else ("synthetic",)
    tags = list(dict.fromkeys((*made, "cultivar", report.provenance.recipe, *report.tags)))
    lines = ["---", f"license: {_yaml(report.license)}", f"pretty_name: {_yaml(report.title)}"]
    lines += ["task_categories:", '- "text-generation"', "size_categories:", f"- {_yaml(size)}", "tags:"]
    lines += [f"- {_yaml(tag)}" for tag in tags]
    lines += ["configs:", '- config_name: "default"', '  data_files: "trl.jsonl"', "---"]
    return "\n".join(lines)


def _yaml(text: str) -> str:
    """A JSON string, which is a YAML string: no text can leave it."""
    return orjson.dumps(one_line(text, MAX_CELL)).decode()


def _at_a_glance(report: Report) -> list[str]:
    tiles: list[tuple[Cell, ...]] = [(t.label, number(t.value), t.note) for t in report.tiles if not t.volatile]
    counts: list[tuple[Cell, ...]] = list(report.counts.items())
    found = ["## At a glance"]
    found += [table(("figure", "value", "note"), tiles)] if tiles else []
    found += [table(("records", "count"), counts)] if counts else []
    return found if sum(report.counts.values()) else [*found, "Nothing was accepted in this run."]


def _how_made(made: Provenance) -> list[str]:
    link = paper_link(made.paper)
    paper = f" ([arXiv:{made.paper}]({link}))" if link else f" ({escape(made.paper)})" if made.paper else ""
    models = [f"{escape(role)} model: {code(name)}" for role, name in made.models.items()] or ["model: none"]
    versions = [f"{escape(name)}: {code(version)}" for name, version in made.versions.items()]
    facts = [f"recipe: {code(made.recipe)}{paper}", *models, f"seed: {made.seed}", *versions]
    found = ["## How it was made", "\n".join(f"- {fact}" for fact in facts)]
    found += [_fenced(made.command, "sh")] if made.command else []
    return [*found, _config(made.config)] if made.config else found


def _config(config: Mapping[str, JSON]) -> str:
    return table(("setting", "value"), [(_code_cell(str(key)), _code_cell(shown(v))) for key, v in config.items()])


def _dropped(drops: Sequence[Drop]) -> list[str]:
    if not drops:
        return ["## What was dropped", "Nothing."]
    ordered = sorted(drops, key=lambda drop: (-drop.count, drop.reason))
    rows = [(_code_cell(drop.reason), drop.stage, drop.count, drop.sentence) for drop in ordered]
    lead = "By the gate that refused it; the evidence for each stands in `dropped.jsonl`."
    return ["## What was dropped", lead, table(("gate", "stage", "count", "what it demands"), rows)]


def _section(title: str, text: str, figures: Sequence[Figure]) -> list[str]:
    found = [f"## {escape(title)}", escape_block(text)]
    for figure in figures:
        found += [f"### {escape(figure.title)}", _figure(figure), escape_block(figure.note)]
    return found


def _figure(figure: Figure) -> str:
    if isinstance(figure, Table):
        return table(figure.columns, figure.rows)
    if isinstance(figure, Histogram):
        return table((figure.unit or "from", "count"), list(zip(figure.labels(), figure.counts)))
    return _bars(figure)


def _bars(bars: Bars) -> str:
    unit = f" ({bars.unit.strip()})" if bars.unit.strip() else ""
    rows: list[tuple[Cell, ...]] = [
        (label, *(values[i] for values in bars.series.values())) for i, label in enumerate(bars.labels)
    ]
    return table(("", *(name + unit for name in bars.series)), rows)


def _costs(costs: Sequence[Cost]) -> list[str]:
    costs = [cost for cost in costs if cost.calls]  # CPU seconds differ in a replay: the report alone has them
    if not costs:
        return []
    shown = [*costs, total(costs)] if len(costs) > 1 else list(costs)
    rows = [(c.stage, c.calls, c.prompt_tokens, c.completion_tokens, money(c.dollars)) for c in shown]
    return ["## Costs", table(("stage", "calls", "tokens in", "tokens out", "money"), rows)]


def _use(format: str) -> list[str]:
    names = "\n".join(f"- `{name}`: {escape(found.about)}" for name, found in FORMATS.items())
    return [
        "## Load and export",
        "`records.jsonl` holds every record of the run, one JSON object a line, each with its `kind` and the ids it "
        "was made from. Rows to train on are written by",
        _fenced(f"cultivar export RUN --format {format} --out RUN/trl.jsonl", "sh"),
        names,
        "Preferences, rankings and step labels have other columns than conversations: each has a file of its own "
        "beside the one that is named. The rows are read by",
        _fenced(
            'from datasets import load_dataset\n\nrows = load_dataset("json", data_files="RUN/trl.jsonl")',
            "python",
        ),
    ]
