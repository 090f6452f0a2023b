"""The card: a head that hubs can read, the same bytes each time, no markup from a model."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cultivar.core.figures import Provenance, Report, Tile
from cultivar.export.card import card, code, escape, table, write_card
from tests.export.fake_run import report
from tests.export.test_report import EMPTY, NASTY, everywhere


def head(text: str) -> list[str]:
    """The lines of the YAML head."""
    start, body, _ = text.split("---\n", 2)
    assert start == ""
    return body.splitlines()


def test_the_head_has_what_hubs_read() -> None:
    lines = head(card(report()))
    assert 'license: "apache-2.0"' in lines
    assert '- "n<1K"' in lines
    assert [line for line in lines if line in ('- "planning"', '- "agentgen"', '- "synthetic"')]
    assert '  data_files: "trl.jsonl"' in lines
    many = dataclasses.replace(report(), counts={"trajectory": 12_000, "document": 9_000_000})
    assert '- "10K<n<100K"' in head(card(many))


def test_rows_that_were_chosen_are_not_called_synthetic() -> None:
    made = dataclasses.replace(report(), tags=("data-selection",))
    assert '- "synthetic"' not in head(card(made)) and "The rows are synthetic" not in card(made)
    assert "The rows are synthetic" in card(report())


def test_the_export_that_is_advised_is_the_runs_own() -> None:
    assert "export RUN --format trl --out RUN/trl.jsonl" in card(report())
    made = dataclasses.replace(report(), format="trl-turns")
    assert "export RUN --format trl-turns --out RUN/trl.jsonl" in card(made)


def test_the_head_is_yaml() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not here to read the card's head")
    for made in (report(), EMPTY, *map(everywhere, NASTY)):
        found = yaml.safe_load("\n".join(head(card(made))))
        assert set(found) == {"license", "pretty_name", "task_categories", "size_categories", "tags", "configs"}
        assert all(isinstance(tag, str) for tag in found["tags"])


@pytest.mark.parametrize("text", NASTY)
def test_every_scalar_of_the_head_is_one_json_string(text: str) -> None:
    for line in head(card(everywhere(text))):
        value = re.sub(r"^(\w+:|- config_name:|  data_files:|-) ?", "", line)
        assert value == "" or isinstance(orjson.loads(value), str)


def test_a_replay_writes_the_same_card(tmp_path: Path) -> None:
    made = report()
    later = dataclasses.replace(
        made,
        costs=tuple(dataclasses.replace(cost, cpu_seconds=99.0) for cost in made.costs),
        tiles=tuple(Tile(t.label, "another", t.note, True) if t.volatile else t for t in made.tiles),
    )
    write_card(tmp_path / "a.md", made)
    write_card(tmp_path / "b.md", Report.from_json(later.to_json()))
    assert (tmp_path / "a.md").read_bytes() == (tmp_path / "b.md").read_bytes()
    assert "61.4 s" not in card(made)


def test_the_card_says_what_was_made_and_what_was_dropped() -> None:
    text = card(report())
    for part in (
        "[arXiv:2408.00764](https://arxiv.org/abs/2408.00764)",
        "| `solved-by-random-walk` | tasks | 41 | A random walk must not",
        "| 3-4 | 58.2 | 14.1 |",
        "cultivar run agentgen --environments 28",
        "| trajectory | 512 |",
        "- `sharegpt`: ",
        "Plans are the best known, not always optimal.",
    ):
        assert part in text
    assert "Nothing was accepted in this run." in card(EMPTY)


def test_tables_keep_their_columns() -> None:
    for made in (report(), *map(everywhere, NASTY), everywhere("a|b\\|c`|`d")):
        for block in re.findall(r"(?:^\|.*\|\n)+", card(made), re.MULTILINE):
            cells = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block.splitlines()}
            assert len(cells) == 1, block
    assert "5 more rows are left out here." in table(("a",), [(i,) for i in range(105)])


@given(text=st.text(max_size=60))
def test_escaped_text_has_no_markup(text: str) -> None:
    found = escape(text)
    assert "\n" not in found
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|~$&@]", found)
    assert not re.search(r"(?<!\\)://", found)


@given(text=st.text(st.sampled_from("`ab |\\\n"), max_size=20))
def test_code_spans_are_closed_by_their_own_fence_only(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None
    runs = [run for run in re.findall("`+", span) if len(run) == len(fence[0])]
    assert len(runs) == 2 and span.endswith(runs[1])


def test_a_fence_in_the_command_does_not_end_the_block() -> None:
    made = Report(title="t", about="", provenance=Provenance(recipe="r", command="echo '```'\n# Not a heading"))
    assert "````sh\necho '```'\n# Not a heading\n````" in card(made)
