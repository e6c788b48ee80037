"""The badge of a report, as Shields reads it from an endpoint: https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from ..verdicts import Level, Outcome, Verdict
from .report import EDITION, Report, ReportError

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
    verdicts = [replace(one.verdict, fails_on=_fails_on(report), own_only=_own_only(report)) for one in about]
    message, color = _of_one(verdicts[0]) if len(verdicts) == 1 else _of_all(verdicts)
    edition = report.versions.get(EDITION)
    message += f" ({edition})" if edition else ""
    content: dict[str, Any] = {"schemaVersion": 1, "label": LABEL, "message": message, "color": color}
    if color == "red":
        content["isError"] = True  # nobody shall give it another color
    return json.dumps(content, indent=1) + "\n"


def _fails_on(report: Report) -> Level:
    """Return the least level whose violations failed the run: a report says it in its command alone."""
    return Level.SHOULD if re.search(r"--conformance-fail-on[= ]should\b", report.command) else Level.MUST


def _own_only(report: Report) -> bool:
    """Whether only violations of a backend's own failed the run."""
    return re.search(r"--conformance-fail-on[= ]own\b", report.command) is not None


def _of_one(verdict: Verdict) -> tuple[str, str]:
    if not verdict.results:
        return "not judged", "lightgrey"
    if not verdict.conforms:
        must = verdict.count(Outcome.VIOLATED, level=Level.MUST)
        return (f"{must} MUST violated", "red") if must else ("could not be judged", "red")
    if verdict.gate:
        return "conforms, gate fails" if verdict.is_whole else "gate fails", "orange"
    if not verdict.is_whole:
        return f"{verdict.judged} of {verdict.of} judged", "lightgrey"
    should = verdict.count(Outcome.VIOLATED, level=Level.SHOULD)
    return (f"conforms, {should} SHOULD violated", "green") if should else ("conforms", "brightgreen")


def _of_all(verdicts: list[Verdict]) -> tuple[str, str]:
    colors = [color for _, color in map(_of_one, verdicts)]
    good = sum(color in ("green", "brightgreen") for color in colors)
    message = f"{good} of {len(verdicts)} conform"
    return message, next(color for color in _WORST_FIRST if color in colors)


_WORST_FIRST = ("red", "orange", "lightgrey", "green", "brightgreen")
"""What several backends show is what the worst of them does."""
