"""Badges: what Shields needs, and no green that was not earned."""

import json

import pytest
from session_conformance.harness import Verdict
from session_conformance.harness.reporting import BackendReport, Report, ReportError, badge

from tests.harness.reporting import invented


def of(
    *outcomes: str, requirements: int | None = None, level: str = "MUST", group: str = "LIF", known: str = "",
    command: str = "",
) -> Report:  # fmt: skip
    results = [
        invented.result("b", f"{group}-{number:02}", outcome, level=level, known=known)
        for number, outcome in enumerate(outcomes)
    ]
    return Report([BackendReport(Verdict("b", results, requirements))], command)


@pytest.mark.parametrize(
    ("report", "message", "color"),
    [
        (of("met", "not applicable"), "conforms", "brightgreen"),
        (of("met", "violated", level="SHOULD"), "conforms, 1 SHOULD violated", "green"),
        (of("met", "violated", "violated"), "2 MUST violated", "red"),
        (of("met", "could not be judged"), "could not be judged", "red"),
        (of("met", requirements=85), "1 of 85 judged", "lightgrey"),
        (of("met", requirements=85, group="OWN"), "0 of 85 judged", "lightgrey"),
        (of("met", known="once"), "conforms, gate fails", "orange"),
        (of("met", known="once", requirements=85), "gate fails", "orange"),
        (
            of("met", "violated", level="SHOULD", command="pytest --conformance-fail-on=should"),
            "conforms, gate fails",
            "orange",
        ),
        (of(), "not judged", "lightgrey"),
        (invented.report(), "1 of 3 conform", "red"),
    ],
)
def test_what_it_says(report: Report, message: str, color: str) -> None:
    content = json.loads(badge(report))
    assert content.pop("isError", False) == (color == "red")
    assert content == {"schemaVersion": 1, "label": "session conformance", "message": message, "color": color}


def test_it_can_be_about_one_backend() -> None:
    assert json.loads(badge(invented.report(), "good"))["message"] == "conforms"
    with pytest.raises(ReportError, match="no backend 'other' in the report: it has good, bad, unjudged"):
        badge(invented.report(), "other")
