"""What a diagnostic shows, and how a report collects them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cultivar.environments.pddl.parsing.diagnostics import (
    MAX_DIAGNOSTICS,
    Diagnostic,
    Report,
    listed,
    quote,
    render_all,
)


def test_rendering_points_at_the_column() -> None:
    report = Report("(a)\n\t(bad word)\n")
    report.error("some-code", "something is wrong", 9)
    (diagnostic,) = report.diagnostics()
    assert (diagnostic.line, diagnostic.column, diagnostic.text) == (2, 6, "\t(bad word)")
    assert diagnostic.render("d.pddl") == "d.pddl:2:6: error: something is wrong\n  \t(bad word)\n  \t    ^"
    assert diagnostic.render().startswith("line 2, column 6: error: something is wrong\n")


def test_a_diagnostic_without_a_position() -> None:
    diagnostic = Diagnostic("more-errors", "3 more errors not shown")
    assert diagnostic.render() == "error: 3 more errors not shown"
    assert diagnostic.render("d.pddl") == "d.pddl: error: 3 more errors not shown"


def test_json_has_every_field() -> None:
    diagnostic = Diagnostic("code", "message", 1, 2, "text", "warning")
    assert Diagnostic(**diagnostic.to_json()) == diagnostic


def test_many_are_counted_and_not_kept() -> None:
    report = Report("x" * 500)
    for at in range(MAX_DIAGNOSTICS + 7):
        report.error("code", "wrong", at)
    report.warning("doubt", "odd", 3)
    found = report.diagnostics()
    assert len(found) == MAX_DIAGNOSTICS + 2
    assert found[-1].message == "7 more errors not shown"
    assert report.errors == MAX_DIAGNOSTICS + 7
    assert [d.severity for d in found].count("warning") == 1


def test_once_is_once_and_a_costly_message_is_made_only_if_kept() -> None:
    made: list[int] = []

    def message() -> str:
        made.append(1)
        return "wrong"

    report = Report("text")
    for _ in range(3):
        report.error("code", message, 0, once="key")
    assert len(report.diagnostics()) == len(made) == 1


def test_order_is_that_of_position() -> None:
    report = Report("one\ntwo\nthree")
    report.error("b", "second", 5)
    report.warning("a", "first", 1)
    assert [d.code for d in report.diagnostics()] == ["a", "b"]
    assert render_all(report.diagnostics()).count("\n\n") == 1


def test_warnings_do_not_fail() -> None:
    report = Report("text")
    report.warning("code", "odd", 0)
    assert not report.failed
    report.error("code", "wrong", 0)
    assert report.failed


def test_suggestions() -> None:
    report = Report("")
    assert report.suggest("on-tabel", ["clear", "on-table"]) == "; did you mean 'on-table'?"
    assert report.suggest("zebra", ["clear", "on-table"]) == ""
    assert report.suggest("x" * 1000, ["x" * 1001]) == ""


def test_listed_and_quote() -> None:
    assert listed(["a", "b", "c"]) == "a, b or c"
    assert listed([]) == ""
    assert listed([str(i) for i in range(12)], "and").endswith("9 and 2 more")
    assert quote("a" * 100) == "'" + "a" * 57 + "...'"
    assert quote("a\x1b[31m") == "'a\N{REPLACEMENT CHARACTER}[31m'"


@given(st.text(alphabet=st.characters(exclude_characters="\r")), st.data())
def test_every_position_renders(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, max(0, len(text) - 1)))
    report = Report(text)
    report.error("code", "wrong", at)
    (diagnostic,) = report.diagnostics()
    lines = text.split("\n")
    assert diagnostic.column <= len(lines[diagnostic.line - 1]) + 1
    assert len(diagnostic.text) <= 160
    render = diagnostic.render("x").split("\n")
    if text and text[at].isprintable() and text[at] != " ":
        assert render[1][len(render[2]) - 1] == text[at]
    diagnostic.render().encode()


@given(st.integers(0, 999))
def test_long_lines_are_cut_around_the_column(at: int) -> None:
    text = "".join(chr(ord("a") + i % 26) for i in range(1000))
    report = Report(text)
    report.error("code", "wrong", at)
    head, line, caret = report.diagnostics()[0].render("x").split("\n")
    assert head == f"x:1:{at + 1}: error: wrong"
    assert line[len(caret) - 1] == text[at]
    assert len(line) <= 162
