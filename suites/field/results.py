"""Results: what was found of each release, kept as small files beside the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from session_conformance.harness.reporting import BackendReport, Report, ReportError
from session_conformance.harness.verdicts import Outcome

from ..catalog import shipped_requirements
from .errors import FieldError

RESULTS = "results"
"""The folder, beside the catalogue, with a folder for each backend and in it a file for each release."""

RUN_HERE = "run here"
SUBMITTED = "submitted"

LONGEST_EVIDENCE = 3000
"""How many characters of what shows a violation are kept."""


@dataclass(frozen=True)
class FieldResult:
    """What was found of one release.

    Attributes:
        backend: The catalogue's name for it.
        version: The release.
        origin: :data:`RUN_HERE` or :data:`SUBMITTED`.
        created: When, in ISO 8601.
        minutes: How long judging it took, rounded.
        report: What was found, or None.
        failed: Why nothing was found; or "".
        cut_short: Whether the run met its limit of time, and what it had judged by then is all that is known.
    """

    backend: str
    version: str
    origin: str
    created: str
    minutes: float
    report: Report | None
    failed: str = ""
    cut_short: bool = False

    @property
    def judged(self) -> BackendReport | None:
        """What was found of the backend, or None."""
        return self.report.backends[0] if self.report is not None else None

    @property
    def sdk(self) -> str:
        """The release of the SDK that it was judged with; "" where nothing was found."""
        return self.report.versions.get("strands-agents", "") if self.report is not None else ""


def keep(result: FieldResult, folder: Path) -> Path:
    """Write a result into the field's folder, and return its file.

    Raises:
        FieldError: It cannot be written.
    """
    path = folder / RESULTS / result.backend / f"{result.version}.json"
    report = None if result.report is None else _compact(result.report.to_dict())
    fields = {**{name: value for name, value in asdict(result).items() if name != "report"}, "report": report}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fields, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise FieldError(f"cannot write {path}: {error.strerror}") from error
    return path


def kept(folder: Path) -> dict[tuple[str, str], FieldResult]:
    """Return the results of a field's folder, by backend and release.

    Raises:
        FieldError: One cannot be read; the text names the file.
    """
    return {(one.backend, one.version): one for one in _read_all(folder / RESULTS)}


def _read_all(folder: Path) -> Iterator[FieldResult]:
    for path in sorted(folder.glob("*/*.json")):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            report = None if data["report"] is None else Report.from_json(json.dumps(_whole(data["report"])))
            yield FieldResult(**{**data, "report": report})
        except (OSError, ValueError, KeyError, TypeError, ReportError) as error:
            raise FieldError(f"cannot read {path}: {error}") from error


def _compact(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report without what can be had from the catalog of requirements, and without drawings."""
    return {**report, "backends": [_compact_backend(one) for one in report["backends"]]}


def _compact_backend(backend: Mapping[str, Any]) -> dict[str, Any]:
    return {**backend, "results": [_compact_result(one) for one in backend["results"]]}


_KEPT_ALWAYS = ("id", "level", "outcome")
_DROPPED = ("backend", "kind", "events", "matrix", "seconds")


def _compact_result(result: Mapping[str, Any]) -> dict[str, Any]:
    known = _sentences().get(result["id"])
    violated = result["outcome"] == Outcome.VIOLATED.value
    small = {name: value for name, value in result.items() if name in _KEPT_ALWAYS or (value and name not in _DROPPED)}
    if known == (result["sentence"], result["source"]):
        del small["sentence"], small["source"]
    if not violated:
        small.pop("command", None)
    if "evidence" in small:
        small["evidence"] = small["evidence"][:LONGEST_EVIDENCE] if violated and not result["inherited"] else ""
        small = {name: value for name, value in small.items() if value or name in _KEPT_ALWAYS}
    return small


def _whole(report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **report,
        "backends": [
            {**backend, "results": [_whole_result(one, backend) for one in backend["results"]]}
            for backend in report["backends"]
        ],
    }


def _whole_result(result: Mapping[str, Any], backend: Mapping[str, Any]) -> dict[str, Any]:
    sentence, source = _sentences().get(result["id"], ("", ""))
    return {
        "backend": backend["name"],
        "kind": backend.get("kind", "session manager"),
        "sentence": sentence,
        "source": source,
        **result,
    }


def _sentences() -> dict[str, tuple[str, str]]:
    return {one.id: (one.sentence, one.source) for one in shipped_requirements()}
