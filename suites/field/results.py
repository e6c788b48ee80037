"""Results: what was found of each release, kept as small files beside the catalogue."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from session_conformance.harness.reporting import BackendReport, Report, ReportError
from session_conformance.harness.verdicts import Outcome

from .errors import FieldError

RESULTS = "results"
"""The folder, beside the catalogue, with a folder for each backend and in it a file for each release."""

RUN_HERE = "run here"
SUBMITTED = "submitted"

REQUIREMENTS = "requirements.json"
"""The file, beside the catalogue, with what the requirements say that results are about."""

LONGEST_TEXT = 3000
"""How many characters of a text are kept."""


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
    """Write a result into the field's folder, and return its file. What requirements say is kept once for all results.

    Where the environment or a scratch folder lay is of no use to a reader, and is left out: a file is named from there
    on.

    Raises:
        FieldError: It cannot be written.
    """
    path = folder / RESULTS / result.backend / f"{result.version}.json"
    fields = {name: value for name, value in asdict(result).items() if name != "report"}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if result.report is None:
            _write(path, {**fields, "report": None})
            return path
        report = _without_folders(result.report.to_dict())
        with _WRITING:
            known = {**sentences(folder), **_sentences_of(report)}
            _write(folder / REQUIREMENTS, dict(sorted(known.items())))
        _write(path, {**fields, "report": _compact(report, known)})
    except OSError as error:
        raise FieldError(f"cannot write {path}: {error.strerror}") from error
    return path


def kept(folder: Path) -> dict[tuple[str, str], FieldResult]:
    """Return the results of a field's folder, by backend and release.

    Raises:
        FieldError: One cannot be read; the text names the file.
    """
    known = sentences(folder)
    return {(one.backend, one.version): one for one in _read_all(folder / RESULTS, known)}


def sentences(folder: Path) -> dict[str, dict[str, str]]:
    """Return what the requirements say that results are about, by id: ``level``, ``sentence`` and ``source``.

    Raises:
        FieldError: The file cannot be read.
    """
    path = folder / REQUIREMENTS
    if not path.exists():
        return {}
    try:
        found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FieldError(f"cannot read {path}: {error}") from error
    return found


def _read_all(folder: Path, known: Mapping[str, Mapping[str, str]]) -> Iterator[FieldResult]:
    for path in sorted(folder.glob("*/*.json")):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            report = None if data["report"] is None else Report.from_json(json.dumps(_whole(data["report"], known)))
            yield FieldResult(**{**data, "report": report})
        except (OSError, ValueError, KeyError, TypeError, ReportError) as error:
            raise FieldError(f"cannot read {path}: {error}") from error


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Write data, each result on a line of its own: what changes between two runs is seen in a comparison."""
    text = json.dumps(data, indent=1, ensure_ascii=True)
    path.write_text(_INNERMOST.sub(lambda found: json.dumps(json.loads(found[0])), text) + "\n", encoding="utf-8")


_INNERMOST = re.compile(r"\{[^{}\[\]\"]*(?:\"(?:[^\"\\]|\\.)*\"[^{}\[\]\"]*)*\}")
"""An object of plain values."""

_WRITING = threading.Lock()


_LIBRARY = r"[/\\](?:site-packages|lib[/\\]python3\.\d+)[/\\]"
"""Where installed packages are, and Python's own."""

_SCRATCH = r"[/\\]session-conformance-[\w-]+[/\\]"
"""Where the suites themselves put a state of storage that they look at."""

_ONLY_HERE = re.compile(
    rf"""(?<=["'])[^"'\n]*{_LIBRARY}|(?<![\w.])(?:[A-Za-z]:)?[/\\]\S*(?:{_LIBRARY}|{_SCRATCH})|(?<![\w.]){_SCRATCH}"""
)
"""The beginnings of paths that mean nothing on another machine."""


def _without_folders(value: Any) -> Any:
    if isinstance(value, str):
        return _ONLY_HERE.sub("", value)
    if isinstance(value, dict):
        return {name: _without_folders(item) for name, item in value.items()}
    return [_without_folders(item) for item in value] if isinstance(value, list) else value


def _sentences_of(report: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {
        result["id"]: {name: result[name] for name in ("level", "sentence", "source")}
        for backend in report["backends"]
        for result in backend["results"]
    }


def _compact(report: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a report without what is kept once for all, and without drawings."""
    backends = [
        {**one, "verdict": "", "results": [_compact_result(result, known) for result in one["results"]]}
        for one in report["backends"]
    ]
    return {**report, "backends": backends}


_KEPT_ALWAYS = ("id", "level", "outcome")
_DROPPED = ("backend", "kind", "events", "matrix", "seconds")


def _compact_result(result: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    own = result["outcome"] == Outcome.VIOLATED.value and not result["inherited"]
    told = known[result["id"]]
    small = {name: value for name, value in result.items() if name in _KEPT_ALWAYS or (value and name not in _DROPPED)}
    small = {name: value for name, value in small.items() if name in _KEPT_ALWAYS or told.get(name) != value}
    small = {name: value for name, value in small.items() if own or name not in ("command", "evidence")}
    texts = {name: value[:LONGEST_TEXT] for name, value in small.items() if isinstance(value, str)}
    return {**small, **texts}


def _whole(report: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    backends = [
        {**backend, "results": [_whole_result(one, backend, known) for one in backend["results"]]}
        for backend in report["backends"]
    ]
    return {**report, "backends": backends}


def _whole_result(
    result: Mapping[str, Any], backend: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    told = {"sentence": "", "source": "", **known.get(result["id"], {})}
    return {"backend": backend["name"], "kind": backend.get("kind", "session manager"), **told, **result}
