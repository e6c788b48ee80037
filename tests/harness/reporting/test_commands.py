"""The commands that read reports: what they write, where, and what the exit code says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_conformance.suites.command import main

from tests.harness.reporting import invented


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with reports of two releases, the second of which is worse, and one of everything."""
    monkeypatch.chdir(tmp_path)
    for name, report in {
        "old.json": invented.with_outcomes("b", {"ORD-01": "met", "UPD-01": "violated"}),
        "new.json": invented.with_outcomes("b", {"ORD-01": "violated", "UPD-01": "met"}),
        "all.json": invented.report(),
    }.items():
        Path(name).write_text(report.to_json(), encoding="utf-8", errors="backslashreplace")
    return tmp_path


@pytest.mark.parametrize(
    ("output", "begins"),
    [("r.html", "<!DOCTYPE html>"), ("r.md", "<!-- session-conformance -->"), ("r.json", '{\n "schema": 1')],
)
def test_report_writes_by_the_files_ending(output: str, begins: str, folder: Path) -> None:
    assert main(["report", "all.json", "-o", output]) == 0
    assert (folder / output).read_text(encoding="utf-8").startswith(begins)


def test_report_shows_earlier_reports_as_a_trend(folder: Path) -> None:
    assert main(["report", "old.json", "new.json", "-o", "trend.html"]) == 0
    assert '<section id="history"' in (folder / "trend.html").read_text(encoding="utf-8")


def test_report_prints_markdown_or_what_it_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "new.json"]) == 0
    assert capsys.readouterr().out.startswith("<!-- session-conformance -->")
    assert main(["report", "new.json", "--format=html"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert main(["report", "all.json", "--format=json"]) == 0
    assert json.loads(capsys.readouterr().out)["backends"][1]["results"][1]["found"] == invented.NASTY
    assert main(["report", "new.json", "--format=markdown", "-o", "summary"]) == 0
    assert (folder / "summary").read_text(encoding="utf-8").startswith("<!-- session-conformance -->")


def test_compare_fails_on_regressions_only_where_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "old.json", "new.json"]) == 0
    assert "1 regression (ORD-01), 1 improvement (UPD-01), 0 as before" in capsys.readouterr().out
    assert main(["compare", "old.json", "new.json", "--fail-on-regression"]) == 1
    assert main(["compare", "new.json", "new.json", "--fail-on-regression"]) == 0


def test_compare_writes_what_the_terminals_encoding_has(folder: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii", "COLUMNS": "60"}
    code = "from session_conformance.suites.command import main; main(['compare', 'old.json', 'new.json'])"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **plain}
    ).stdout
    assert shown.startswith("b: old.json -> new.json")
    assert "\\u" not in shown
    assert main(["compare", "old.json", "new.json", "-o", "c.txt"]) == 0
    assert (folder / "c.txt").read_text(encoding="utf-8").startswith("b: old.json → new.json")


def test_compare_writes_files(folder: Path) -> None:
    for output, begins in (("c.md", "<!-- session"), ("c.html", "<!DOCTYPE"), ("c.txt", "b: old.json → new.json")):
        assert main(["compare", "old.json", "new.json", "-o", output]) == 0
        assert (folder / output).read_text(encoding="utf-8").startswith(begins)


def test_badge_writes_what_shields_reads(folder: Path) -> None:
    assert main(["badge", "all.json", "--backend=good", "-o", "badge.json"]) == 0
    assert json.loads((folder / "badge.json").read_text())["message"] == "conforms"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "no.json"], "cannot read no.json: No such file or directory"),
        (["report", "old.json", "new.json"], "several reports are a trend on a page: give -o FILE.html"),
        (["report", "broken.json"], "cannot read broken.json: it is no JSON: "),
        (["report", "later.json"], "cannot read later.json: its schema is 99, "),
        (["report", "all.json", "-o", "r.pdf"], "cannot tell the format of r.pdf by its ending: expected .htm, .html,"),
        (["report", "all.json", "-o", "no/r.md"], "cannot write no/r.md: No such file or directory"),
        (["compare", "new.json"], "there is nothing to compare: give several reports, or one of several backends"),
        (["compare", "new.json", "old.json", "-o", "c.json"], "a comparison has no format json: expected text,"),
        (["compare", "new.json", "broken.json"], "cannot read broken.json"),
        (["badge", "all.json", "--backend=x"], "there is no backend 'x' in the report: it has good, bad, unjudged"),
        (["report", "all.json", "--what"], "report does not take --what"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_4(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.json").write_text('{"schema": 1,')
    (folder / "later.json").write_text('{"schema": 99}')
    assert main(arguments) == 4
    captured = capsys.readouterr()
    assert captured.err.startswith(f"session-conformance: {message}")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
