"""A small field: two backends, one of two releases, and results as a run finds them."""

from pathlib import Path

import pytest
from session_conformance.harness.reporting import Package, Report
from session_conformance.harness.reporting.report import BackendReport
from session_conformance.harness.verdicts import Result, Verdict
from session_conformance.suites.field import RUN_HERE, Entry, FieldResult

CATALOGUE = """
[backends.good]
title = "Good"
package = "good-sessions"
versions = ["2.0", "1.0"]
kind = "session manager"
by = "community"
keeps = "files"
target = "good:Manager"
arguments = { path = "{workdir}" }
links = ["https://pypi.org/project/good-sessions/"]

[backends.broken]
title = "Broken"
package = "broken-sessions"
versions = ["0.1"]
kind = "storage"
by = "community"
keeps = "files"
target = "broken:Storage"
links = ["https://pypi.org/project/broken-sessions/"]

[backends.away]
title = "Away"
package = "away-sessions"
versions = []
kind = "storage"
by = "community"
keeps = "a server"
not-judged = "its server is not to be had"
links = ["https://pypi.org/project/away-sessions/"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "field").mkdir()
    (tmp_path / "field" / "backends.toml").write_text(CATALOGUE, encoding="utf-8")
    return tmp_path / "field"


def result_of(entry: Entry, version: str, outcome: str = "met", sdk: str = "1.62.0", **about: str) -> FieldResult:
    """Return what a run finds that has judged LIF-01 and CNT-01."""
    results = [
        Result(entry.name, "LIF-01", "MUST", "met", "It lives.", "a source"),
        Result(entry.name, "CNT-01", "MUST", outcome, "It keeps text.", "a source", **about),
    ]
    judged = BackendReport(Verdict(entry.name, results, 2), package=Package(entry.package, version))
    versions = {"strands-agents": sdk, "python": "3.11.7"}
    report = Report([judged], "pytest", {}, 2, versions, "2026-11-26T10:00:00+00:00")
    return FieldResult(entry.name, version, RUN_HERE, report.created, 0.1, report)
