"""Comparisons: what got worse and what got better, between releases of a backend or between backends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from ..verdicts import GROUPS, Measure, Result
from ._states import State, state_of
from .report import EDITION, BackendReport, Report, ReportError


class ChangeKind(Enum):
    """What a change means."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    ADDED = "added"
    REMOVED = "removed"
    OTHER = "other change"


SUITES = "strands-session-conformance"

_BETWEEN_BACKENDS = {
    ChangeKind.REGRESSION: "worse",
    ChangeKind.IMPROVEMENT: "better",
    ChangeKind.ADDED: "judged of the second alone",
    ChangeKind.REMOVED: "judged of the first alone",
    ChangeKind.OTHER: "other difference",
}


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a backend, as a report found it.

    Attributes:
        file: The name of the report.
        backend: What it found.
        report: The whole of it: when and with what it was made.
    """

    file: str
    backend: BackendReport
    report: Report

    @property
    def line(self) -> str:
        """What was judged with what, and when, in one line."""
        versions = self.report.versions
        named = (
            f"{name} {versions[name]}" for name in ("strands-agents", SUITES, EDITION, "python") if name in versions
        )
        judged = self.backend.package
        return ", ".join(dict.fromkeys([*([str(judged)] if judged else []), *named, self.report.created]))

    @property
    def facts(self) -> dict[str, str]:
        """All that the side holds for, by what it is called."""
        judged = self.backend.package
        return {
            "created": self.report.created,
            "judged": str(judged) if judged else "",
            "target": self.backend.target or "",
            **self.report.versions,
            "command": self.report.command,
        }


@dataclass(frozen=True)
class Change:
    """A requirement whose result is not the same on both sides; None where it was not judged."""

    kind: ChangeKind
    before: Result | None
    after: Result | None

    @property
    def result(self) -> Result:
        """The result of the side that has one, of the later side if both have."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def states(self) -> tuple[str, str]:
        """What was, and what is, as words; "-" where it was not judged."""
        before, after = (state_of(one).value if one is not None else "-" for one in (self.before, self.after))
        return before, after


@dataclass(frozen=True)
class MeasuredTwice:
    """A benchmark that both sides have."""

    before: Measure
    after: Measure

    @property
    def factor(self) -> float | None:
        """How many times the cost grew: by the ratios to the floor where both have one, else by the medians."""
        before, after = self.before.ratio, self.after.ratio
        if before is None or after is None:
            before, after = self.before.median, self.after.median
        return after / before if before else None


@dataclass(frozen=True)
class Comparison:
    """Two sides, and what is not the same.

    Attributes:
        before: The side that is compared with.
        after: The side that is compared.
        changes: The requirements that changed, regressions first.
        benchmarks: What both measured.
        unchanged: How many requirements are as they were.
    """

    before: Side
    after: Side
    changes: list[Change]
    benchmarks: list[MeasuredTwice]
    unchanged: int

    @property
    def title(self) -> str:
        """What is compared with what."""
        before, after = self.before.backend.name, self.after.backend.name
        if before == after:
            return f"{before}: {self.before.file} → {self.after.file}"
        if self.before.file == self.after.file:
            return f"{before} → {after}"
        return f"{before} ({self.before.file}) → {after} ({self.after.file})"

    @property
    def headings(self) -> tuple[str, str]:
        """What the two sides are called."""
        return ("before", "after") if self._is_of_releases else (self.before.backend.name, self.after.backend.name)

    @property
    def _is_of_releases(self) -> bool:
        return self.before.backend.name == self.after.backend.name

    def word(self, kind: ChangeKind) -> str:
        """Return the word for a kind of change: a backend that is not the same one does not regress."""
        return kind.value if self._is_of_releases else _BETWEEN_BACKENDS.get(kind, kind.value)

    def of(self, kind: ChangeKind) -> list[Change]:
        """Return the changes of a kind."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What each side was judged with, and when, in one line each."""
        return [(heading, side.line) for heading, side in zip(self.headings, (self.before, self.after), strict=True)]

    @property
    def facts(self) -> list[tuple[str, str, str]]:
        """All that the two sides hold for: what it is called, and what it is on either side; "-" where unknown."""
        then, now = self.before.facts, self.after.facts
        every = ((name, then.get(name) or "-", now.get(name) or "-") for name in {**then, **now})
        return [(name, one, two) for name, one, two in every if (one, two) != ("-", "-")]

    @property
    def sentence(self) -> str:
        """The outcome in one line."""
        parts = []
        for kind in ChangeKind:
            found = self.of(kind)
            if found:
                word = self.word(kind)
                plural = "s" * (len(found) > 1 and word.endswith(("regression", "improvement", "change", "difference")))
                parts.append(f"{len(found)} {word}{plural} ({', '.join(change.result.id for change in found)})")
        return ", ".join([*parts, f"{self.unchanged} {'as before' if self._is_of_releases else 'alike'}"])


def compare(reports: Sequence[tuple[str, Report]]) -> list[Comparison]:
    """Compare reports.

    Backends that are in several reports are compared release by release, each with the report before it. Where there is
    none, each backend is compared with the first one.

    Args:
        reports: Each with the name of its file, the oldest first.

    Raises:
        ReportError: There is nothing to compare.
    """
    sides = [Side(file, backend, report) for file, report in reports for backend in report.backends]
    releases: dict[str, list[Side]] = {}
    for side in sides:
        releases.setdefault(side.backend.name, []).append(side)
    pairs = [(one, two) for found in releases.values() for one, two in pairwise(found)]
    if not pairs:
        pairs = [(sides[0], side) for side in sides[1:]]
    if not pairs:
        raise ReportError("there is nothing to compare: give several reports, or one of several backends")
    return [_compared(before, after) for before, after in pairs]


def _compared(before: Side, after: Side) -> Comparison:
    then = {result.id: result for result in before.backend.verdict.results}
    now = {result.id: result for result in after.backend.verdict.results}
    changes = list(_changes(then, now))
    measured = {(one.name, one.unit, one.size): one for one in before.backend.benchmarks}
    benchmarks = [
        MeasuredTwice(measured[key], one)
        for one in after.backend.benchmarks
        if (key := (one.name, one.unit, one.size)) in measured
    ]
    names = list(dict.fromkeys(one.after.name for one in benchmarks))
    benchmarks.sort(key=lambda one: (names.index(one.after.name), one.after.size or 0))
    return Comparison(before, after, changes, benchmarks, len({*then, *now}) - len(changes))


def _changes(then: dict[str, Result], now: dict[str, Result]) -> Iterator[Change]:
    order = list(GROUPS)
    ids = sorted({*then, *now}, key=lambda id: (order.index(id[:3]) if id[:3] in order else len(order), id))
    found = [Change(kind, then.get(id), now.get(id)) for id in ids if (kind := _kind(then.get(id), now.get(id)))]
    kinds = list(ChangeKind)
    yield from sorted(found, key=lambda change: kinds.index(change.kind))


def _kind(before: Result | None, after: Result | None) -> ChangeKind | None:
    """Return what a change means, or None where there is none.

    What a newer release asks for the first time is no regression of the backend, whatever came of it.
    """
    if before is None:
        return ChangeKind.ADDED
    if after is None:
        return ChangeKind.REMOVED
    was, now = state_of(before), state_of(after)
    bad, good = (State.VIOLATED, State.BROKEN), (State.MET, State.STALE)
    if was is now or (was in good and now in good):
        return None
    if now in bad and was not in bad:
        # A known violation that is no longer declared is a matter of the configuration, not of the backend.
        return ChangeKind.OTHER if was is State.KNOWN else ChangeKind.REGRESSION
    if now in good and was in (*bad, State.KNOWN):
        return ChangeKind.IMPROVEMENT
    return ChangeKind.OTHER
