"""History: several reports of one backend as a trend, the latest last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..verdicts import Level, Measure
from ._quantities import ratio
from ._states import State, state_of
from .report import BackendReport, Report

STEP = 72
"""Pixels from one report to the next."""

MARGIN = 24
TOP, BOTTOM = 20, 56


@dataclass(frozen=True)
class Entry:
    """What one report found of a backend.

    Attributes:
        when: When it was made, to the minute.
        package: The package that was judged, with its version; "" where it is not known.
        sdk: The version of the SDK.
        met: How many requirements were met.
        must: How many MUST requirements were violated, or could not be judged.
        should: How many SHOULD requirements were violated.
        changed: What is violated that was not in the report before, and what was mended, in words.
    """

    when: str
    package: str
    sdk: str
    met: int
    must: int
    should: int
    changed: str = ""

    @property
    def violated(self) -> int:
        """How many requirements were violated."""
        return self.must + self.should


@dataclass(frozen=True)
class History:
    """The reports of a backend.

    Attributes:
        backend: Its name.
        entries: What each report found, the latest last.
        measured: For each benchmark how many times its floor it took, report by report; "" where it was not measured.
    """

    backend: str
    entries: list[Entry]
    measured: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The drawing's width in pixels."""
        return 2 * MARGIN + STEP * (len(self.entries) - 1)

    @property
    def points(self) -> list[tuple[int, float, Entry]]:
        """Where each report stands in the drawing: the more is violated, the higher."""
        most = max((entry.violated for entry in self.entries), default=0) or 1
        return [
            (MARGIN + STEP * index, round(BOTTOM - (BOTTOM - TOP) * entry.violated / most, 1), entry)
            for index, entry in enumerate(self.entries)
        ]

    @property
    def line(self) -> str:
        """The points of the line."""
        return " ".join(f"{x},{y:g}" for x, y, _ in self.points)


def histories(report: Report, earlier: Sequence[Report]) -> list[History]:
    """Return the history of each backend of a report that an earlier one has, too.

    Args:
        report: The latest.
        earlier: Those before it, in any order: they are put in the order of their dates.
    """
    reports = [*sorted(earlier, key=lambda one: one.created), report]
    found = []
    for backend in report.backends:
        held = [
            (one, same)
            for one in reports
            for same in one.backends
            if same.name == backend.name and same.verdict.results
        ]
        if len(held) > 1:
            entries = [_entry(one, same, held[at - 1][1] if at else None) for at, (one, same) in enumerate(held)]
            found.append(History(backend.name, entries, _measured([same for _, same in held])))
    return found


def _entry(report: Report, backend: BackendReport, before: BackendReport | None) -> Entry:
    states = [(result, state_of(result)) for result in backend.verdict.results]
    bad = [result for result, state in states if state in (State.VIOLATED, State.KNOWN, State.BROKEN)]
    must = sum(result.level == Level.MUST.value for result in bad)
    return Entry(
        report.created[:16].replace("T", " "),
        str(backend.package or ""),
        report.versions.get("strands-agents", ""),
        sum(state in (State.MET, State.STALE) for _, state in states),
        must,
        len(bad) - must,
        "" if before is None else _changed(before, backend),
    )


def _changed(before: BackendReport, after: BackendReport) -> str:
    bad = (State.VIOLATED, State.KNOWN, State.BROKEN)
    was = {result.id: state_of(result) in bad for result in before.verdict.results}
    now = {result.id: state_of(result) in bad for result in after.verdict.results}
    worse = [id for id, is_bad in now.items() if is_bad and not was.get(id, False)]
    better = [id for id, is_bad in was.items() if is_bad and now.get(id) is False]
    parts = [f"worse: {', '.join(worse)}"] if worse else []
    return "; ".join([*parts, *([f"mended: {', '.join(better)}"] if better else [])])


def _measured(backends: Sequence[BackendReport]) -> list[tuple[str, list[str]]]:
    """Return the ratios to the floor of each benchmark, at the longest history that the latest report has."""
    latest: dict[str, Measure] = {}
    for one in sorted(backends[-1].benchmarks, key=lambda one: one.size or 0):
        if one.ratio is not None:
            latest[one.name] = one
    found = []
    for name, last in latest.items():
        same = [
            next((one for one in backend.benchmarks if (one.name, one.size) == (name, last.size)), None)
            for backend in backends
        ]
        found.append((name, [ratio(one.ratio) if one else "" for one in same]))
    return found
