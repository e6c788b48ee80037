"""The badge of a report, as Shields reads it from an endpoint: https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

import json
from typing import Any

from session_conformance.harness.report import BackendReport, Report, ReportError
from session_conformance.harness.requirement import Level
from session_conformance.harness.verdict import Outcome

LABEL = "session conformance"


def badge(report: Report, backend: str | None = None) -> str:
    """Return the badge as JSON text: ``schemaVersion``, ``label``, ``message``, ``color`` and ``isError``.

    Args:
        report: The report.
        backend: The backend that the badge is about; by default all of them.

    Raises:
        ReportError: There is no such backend, or none at all.
    """
    about = [one for one in report.backends if backend in (None, one.name)]
    if not about:
        names = ", ".join(one.name for one in report.backends) or "none"
        raise ReportError(f"there is no backend {backend!r} in the report: it has {names}")
    message, color = _of_one(about[0]) if len(about) == 1 else _of_all(about)
    content: dict[str, Any] = {"schemaVersion": 1, "label": LABEL, "message": message, "color": color}
    if color == "red":
        content["isError"] = True  # nobody shall give it another color
    return json.dumps(content, indent=1) + "\n"


def _of_one(backend: BackendReport) -> tuple[str, str]:
    verdict = backend.verdict
    if not verdict.results:
        return "not judged", "lightgrey"
    if not verdict.conforms:
        must = verdict.count(Outcome.VIOLATED, level=Level.MUST)
        return (f"{must} MUST violated", "red") if must else ("could not be judged", "red")
    if verdict.of is not None and len(verdict.results) < verdict.of:
        return f"{len(verdict.results)} of {verdict.of} judged", "lightgrey"
    should = verdict.count(Outcome.VIOLATED, level=Level.SHOULD)
    return (f"conforms, {should} SHOULD violated", "green") if should else ("conforms", "brightgreen")


def _of_all(backends: list[BackendReport]) -> tuple[str, str]:
    each = [_of_one(backend) for backend in backends]
    good = sum(color in ("green", "brightgreen") for _, color in each)
    message = f"{good} of {len(backends)} conform"
    if good == len(backends):
        return message, "green" if any(color == "green" for _, color in each) else "brightgreen"
    return message, "red" if any(color == "red" for _, color in each) else "lightgrey"
