"""The report of a run: every result of every backend, with all that it holds for, and its JSON form."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions, version
from importlib.metadata import packages_distributions as distributions_by_package
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from ..backends import Interface
from ..verdicts import Growth, Measure, Result, Verdict
from ._secrets import conceal

SCHEMA = 1
"""The version of the report's layout. It grows when a reader of older reports would misread a new one."""

SCHEMA_FILE = Path(__file__).with_name("report_schema.json")
"""The layout as a JSON Schema (draft 2020-12), in which every field is described."""


VERSIONED = (
    "strands-agents",
    "strands-session-conformance",
    "pytest",
    "pytest-benchmark",
    "hypothesis",
    "boto3",
    "moto",
)
"""The distributions whose versions a report has, where they are installed."""


class ReportError(Exception):
    """A report cannot be read or written. The text is one line and says why, and what to do."""


@dataclass(frozen=True)
class Package:
    """The installed distribution that a backend comes from: what a verdict holds for, before all else."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass
class BackendReport:
    """What a run found of one backend.

    Attributes:
        verdict: Its results.
        target: The importable name it was found by, or None.
        arguments: What it was built with, beside what each workspace has.
        capabilities: The names of its capabilities.
        benchmarks: What was measured.
        growth: How that grows.
        kind: What it is: a :class:`~session_conformance.harness.backends.Interface`'s value.
        package: What it was installed with, or None where it was not, or is not known.
    """

    verdict: Verdict
    target: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    kind: str = Interface.MANAGER.value
    benchmarks: list[Measure] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    package: Package | None = None

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.verdict.backend


@dataclass
class Report:
    """What a run found.

    Attributes:
        backends: What it found of each backend.
        command: The command that was run; "" where it is not known.
        seeds: The seeds of what was random, by whose they are (``hypothesis``), where one was given.
        requirements: How many requirements there are, where it is known: a backend with fewer results is not wholly
            judged.
        versions: What it holds for, name to version.
        created: When, in ISO 8601 with a time zone.
    """

    backends: list[BackendReport]
    command: str = ""
    seeds: dict[str, int] = field(default_factory=dict)
    requirements: int | None = None
    versions: dict[str, str] = field(default_factory=lambda: versions())
    created: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"))

    def to_json(self) -> str:
        """Return the report as JSON text, laid out as :data:`SCHEMA_FILE` says."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "schema": SCHEMA,
            "created": self.created,
            "command": self.command,
            "seeds": self.seeds,
            "versions": self.versions,
            "requirements": self.requirements,
            "backends": [_backend_to_dict(backend) for backend in self.backends],
        }

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Build a report from its JSON text.

        Raises:
            ReportError: The text is no JSON, or no report, or of a layout that this release does not know.
        """
        try:
            data: Any = json.loads(text)
        except ValueError as error:
            raise ReportError(f"it is no JSON: {error}") from error
        if not isinstance(data, dict) or "schema" not in data:
            raise ReportError("it is no report: give a file that --conformance-report=FILE.json has written")
        if data["schema"] != SCHEMA:
            raise ReportError(
                f"its schema is {data['schema']!r}, and this release reads schema {SCHEMA}: use the release of"
                " strands-session-conformance that wrote it"
            )
        wrong = best_match(_validator().iter_errors(data))
        if wrong is not None:
            raise ReportError(f"it is no report: {wrong.json_path}: {_cut(wrong.message)}")
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """Build a report from its plain data."""
        requirements = data.get("requirements")
        return cls(
            [_backend_from_dict(backend, requirements) for backend in data["backends"]],
            command=data.get("command", ""),
            seeds=data.get("seeds", {}),
            requirements=requirements,
            versions=data["versions"],
            created=data["created"],
        )


def report_of(
    verdicts: Sequence[Verdict],
    specs: Mapping[str, Mapping[str, Any]],
    *,
    command: str = "",
    seeds: Mapping[str, int] | None = None,
    edition: str = "",
    new_in_sdk: Sequence[str] = (),
) -> Report:
    """Return the report of a run that ends now, without the secrets that backends were given.

    Args:
        verdicts: What came of each backend that was judged.
        specs: By backend name, in the order of the report, any of ``kind``, ``target``, ``arguments``,
            ``capabilities``, ``benchmarks`` and ``growth``, the last two as lists of dicts with the fields of
            :class:`~.measure.Measure` and :class:`~.measure.Growth`.
        command: The command that was run.
        seeds: The seeds of what was random.
        edition: The edition of the requirements that were judged.
        new_in_sdk: What the installed SDK has that the suites do not know.
    """
    judged = {verdict.backend: verdict for verdict in verdicts}
    names = [*specs, *(name for name in judged if name not in specs)]
    abouts = {name: {"package": package_of(about.get("target")), **about} for name, about in specs.items()}
    report = Report(
        [_backend_of(judged.get(name, Verdict(name)), abouts.get(name, {})) for name in names],
        command=command,
        seeds=dict(seeds or {}),
        requirements=next((verdict.of for verdict in verdicts), None),
        versions={
            **versions(),
            **({EDITION: edition} if edition else {}),
            **({NEW_IN_SDK: f"{len(new_in_sdk)} ({', '.join(new_in_sdk)})"} if new_in_sdk else {}),
        },
    )
    given = {name: value for backend in report.backends for name, value in backend.arguments.items()}
    return Report.from_dict(conceal(report.to_dict(), given))


def read(path: Path) -> Report:
    """Read a report's JSON file.

    Raises:
        ReportError: It cannot be read, or is no report; the text names the file.
    """
    try:
        return Report.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"cannot read {path}: it is no text") from error
    except ReportError as error:
        raise ReportError(f"cannot read {path}: {error}") from error


EDITION = "edition"
"""The name, among the versions that a report holds for, of the edition of its requirements."""


NEW_IN_SDK = "new in the SDK, not judged"
"""The name, among the versions that a report holds for, of what the SDK has that the suites do not know, counted."""


def versions() -> dict[str, str]:
    """Return the versions a verdict holds for: Python, the platform, the SDK, the harness, and what that works with."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def package_of(target: str | None) -> dict[str, str] | None:
    """Return the name and the version of what a target was installed with, or None where that is not known.

    A module that is merely called as an installed one is, and a folder that was never installed, have no version:
    where the module was imported, its file must be one of the distribution's.

    Args:
        target: ``module:attribute``.
    """
    module = (target or "").partition(":")[0]
    file = getattr(sys.modules.get(module), "__file__", None)
    named = dict.fromkeys(distributions_by_package().get(module.partition(".")[0], ()))
    found = [one for one in map(distribution, named) if file is None or _holds(one, Path(file))]
    if len(found) > 1:  # a namespace that several distributions share
        found = [one for one in found if _lists(one, module)]
    if not found and file is not None:
        # Build backends other than setuptools do not say what an editable one holds, and Python 3.10 hears of none.
        found = [
            one
            for one in distributions()
            if ((folder := _project(one)) and folder in Path(file).parents) or _lists(one, module)
        ]
    return {"name": found[0].metadata["Name"], "version": found[0].version} if len(found) == 1 else None


def _lists(one: Distribution, module: str) -> bool:
    path = module.replace(".", "/")
    return bool({f"{path}.py", f"{path}/__init__.py"} & {held.as_posix() for held in one.files or ()})


def _holds(one: Distribution, file: Path) -> bool:
    return any(folder in file.parents for folder in (Path(str(one.locate_file(""))), _project(one)) if folder)


def _project(one: Distribution) -> Path | None:
    """Return the folder of an editable distribution (PEP 610), or None."""
    about = json.loads(one.read_text("direct_url.json") or "{}")
    if not about.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(about["url"]).path))


def _backend_to_dict(backend: BackendReport) -> dict[str, Any]:
    verdict = backend.verdict
    return {
        "name": verdict.backend,
        "kind": backend.kind,
        "target": backend.target,
        "package": backend.package and {"name": backend.package.name, "version": backend.package.version},
        "arguments": backend.arguments,
        "capabilities": backend.capabilities,
        "conforms": verdict.conforms if verdict.results else None,
        "verdict": verdict.sentence,
        "results": [result.to_dict() for result in verdict.results],
        "benchmarks": [benchmark.to_dict() for benchmark in backend.benchmarks],
        "growth": [growth.to_dict() for growth in backend.growth],
    }


def _backend_from_dict(data: Mapping[str, Any], requirements: int | None) -> BackendReport:
    results = [made(Result, result) for result in data["results"]]
    return _backend_of(Verdict(data["name"], results, requirements), data)


def _backend_of(verdict: Verdict, about: Mapping[str, Any]) -> BackendReport:
    return BackendReport(
        verdict,
        about.get("target"),
        dict(about.get("arguments", {})),
        list(about.get("capabilities", [])),
        about.get("kind", verdict.kind),
        [made(Measure, benchmark) for benchmark in about.get("benchmarks", [])],
        [made(Growth, growth) for growth in about.get("growth", [])],
        made(Package, about["package"]) if about.get("package") else None,
    )


Made = TypeVar("Made", Result, Measure, Growth, Package)


def made(kind: type[Made], data: Mapping[str, Any]) -> Made:
    """Make an object of plain data. What a later release has added to it is left out."""
    names = {item.name for item in fields(kind)}
    return kind(**{name: value for name, value in data.items() if name in names})


@cache
def _validator() -> Any:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def _cut(text: str, width: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width // 2]} … {text[-width // 2 :]}"
