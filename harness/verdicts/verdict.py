"""Verdicts: what came of each requirement for each backend, and what that makes of the backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from ..backends import Interface
from .groups import GROUPS
from .registry import Level


class Outcome(Enum):
    """What came of one requirement for one backend."""

    MET = "met"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"
    BROKEN = "could not be judged"


@dataclass(frozen=True)
class Result:
    """One requirement judged for one backend.

    Attributes:
        backend: The backend's name.
        id: The requirement's id.
        level: ``MUST`` or ``SHOULD``.
        outcome: An :class:`Outcome`'s value.
        sentence: What the requirement says.
        source: Where it comes from, in words.
        reason: Why it does not apply, or why it could not be judged.
        expected: What should have been, where it is violated.
        found: What was.
        evidence: What shows it, drawn.
        events: The part of the timeline that shows it: :func:`~.excerpt.excerpt`.
        measured: What was counted, where the check counts.
        known: Why the configuration lists it as a known violation, if it does.
        inherited: The name of the SDK's class that the manager is built on, where that violates it too; or "".
        matrix: What came of each kind of damage or crash, where the check makes many: a
            :class:`~.matrix.Matrix` as a dict.
        command: The command that runs it alone.
        seconds: How long judging took.
        kind: What the backend is: a :class:`~session_conformance.harness.backends.Interface`'s value.
    """

    backend: str
    id: str
    level: str
    outcome: str
    sentence: str
    source: str
    reason: str = ""
    expected: str = ""
    found: str = ""
    evidence: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    measured: str = ""
    known: str = ""
    inherited: str = ""
    matrix: dict[str, Any] | None = None
    command: str = ""
    seconds: float = 0.0
    kind: str = Interface.MANAGER.value

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data, from which ``Result(**data)`` makes it again."""
        return asdict(self)

    @property
    def group(self) -> str:
        """The three letters of the requirement's group."""
        return self.id[:3]

    @property
    def whose(self) -> str:
        """Whose fault a violation is, where that is not the manager's own, in words; or ""."""
        if not self.inherited:
            return ""
        store = "storage" if "Snapshot" in self.inherited else "session repository"
        return f"the SDK's {self.inherited}, which it is built on, violates it over a plain {store} too"

    @property
    def is_known(self) -> bool:
        """Whether it is a violation that the configuration lists."""
        return bool(self.known) and self.outcome == Outcome.VIOLATED.value

    @property
    def is_stale(self) -> bool:
        """Whether the configuration lists it as violated, and it is met."""
        return bool(self.known) and self.outcome == Outcome.MET.value


@dataclass
class Verdict:
    """All results of one backend.

    Attributes:
        backend: The backend's name.
        results: Its results, in the order in which they came.
        of: How many requirements there are, where it is known: a verdict on fewer results says so.
        fails_on: The least level whose violations fail the run: ``--conformance-fail-on``.
        own_only: Whether only violations fail the run that do not come with the SDK's class that it is built on.
    """

    backend: str
    results: list[Result] = field(default_factory=list)
    of: int | None = None
    fails_on: Level = Level.MUST
    own_only: bool = False

    def count(self, outcome: Outcome, *, group: str | None = None, level: Level | None = None) -> int:
        """Return how many requirements had an outcome, of one group or level if asked."""
        return len(self.having(outcome, group=group, level=level))

    def having(self, outcome: Outcome, *, group: str | None = None, level: Level | None = None) -> list[Result]:
        """Return the results with an outcome, of one group or level if asked."""
        return [
            result
            for result in self.results
            if result.outcome == outcome.value
            and group in (None, result.group)
            and level in (None, Level(result.level))
        ]

    @property
    def measured(self) -> list[Result]:
        """The results whose checks counted something."""
        return [result for result in self.results if result.measured]

    @property
    def kind(self) -> str:
        """What the backend is: a session manager, a session repository or a storage."""
        return self.results[0].kind if self.results else Interface.MANAGER.value

    @property
    def groups(self) -> list[str]:
        """The groups of the results, in order of appearance."""
        return list(Counter(result.group for result in self.results))

    @property
    def conforms(self) -> bool:
        """Whether every MUST requirement that was judged is met or does not apply."""
        broken = self.count(Outcome.BROKEN)
        return bool(self.results) and not broken and not self.count(Outcome.VIOLATED, level=Level.MUST)

    @property
    def judged(self) -> int:
        """How many of the project's own requirements were judged: a user's own ones are no part of the whole."""
        return sum(result.group in GROUPS for result in self.results)

    @property
    def is_whole(self) -> bool:
        """Whether every requirement was judged, as far as is known how many there are."""
        return self.of is None or self.judged >= self.of

    @property
    def gate(self) -> str:
        """Why the run fails although no MUST requirement is newly violated, in words; "" where it does not."""
        stale = [result.id for result in self.results if result.is_stale]
        should = [result.id for result in self.having(Outcome.VIOLATED, level=Level.SHOULD) if not result.is_known]
        reasons = []
        if stale:
            what = (
                ("is listed as a known violation", "it")
                if len(stale) == 1
                else ("are listed as known violations", "them")
            )
            reasons.append(f"{', '.join(stale)} {what[0]} and met: remove {what[1]}")
        if should and self.fails_on is Level.SHOULD:
            verb = "is" if len(should) == 1 else "are"
            reasons.append(f"{', '.join(should)} {verb} violated, and --conformance-fail-on=should was given")
        return "; ".join(reasons)

    @property
    def passes(self) -> bool:
        """Whether nothing of the backend fails the run. One with known violations passes, and does not conform."""
        new = any(
            not result.is_known and not (self.own_only and result.inherited)
            for result in self.having(Outcome.VIOLATED, level=Level.MUST)
        )
        return bool(self.results) and not new and not self.count(Outcome.BROKEN) and not self.gate

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        if not self.results:
            return f"{self.backend} was not judged"
        met, away = self.count(Outcome.MET), self.count(Outcome.NOT_APPLICABLE)
        new = self.own_first([result for result in self.having(Outcome.VIOLATED) if not result.is_known])
        must = [result.id for result in new if result.level == Level.MUST.value]
        should = [result.id for result in new if result.level == Level.SHOULD.value]
        known = [result.id for result in self.results if result.is_known]
        broken = [result.id for result in self.having(Outcome.BROKEN)]
        parts = [f"{met} met"]
        if must:
            parts.append(f"{len(must)} MUST violated ({_few(must)})")
        if should:
            parts.append(f"{len(should)} SHOULD violated ({_few(should)})")
        if known:
            parts.append(f"{len(known)} violated as known ({_few(known)})")
        if broken:
            parts.append(f"{len(broken)} could not be judged ({_few(broken)})")
        if away:
            parts.append(f"{away} not applicable")
        gate = f"; {'but ' if self.conforms else ''}the gate fails: {self.gate}" if self.gate else ""
        word = "conforms" if self.conforms else "does not conform"
        return f"{self.backend} {word}{self._so_far()}: {', '.join(parts)}{self._whose()}{gate}"

    @staticmethod
    def own_first(results: Sequence[Result]) -> list[Result]:
        """Return results with those in front that do not come with the SDK's class that the backend is built on."""
        return sorted(results, key=lambda result: bool(result.inherited))

    def _whose(self) -> str:
        """Say how many violations come with the SDK's base class, and which do not."""
        violated = self.having(Outcome.VIOLATED)
        inherited = [result for result in violated if result.inherited]
        if not inherited:
            return ""
        own = [result.id for result in violated if not result.inherited]
        which = f" ({_few(own)})" if own else ""
        return (
            f"; of the violations {len(inherited)} with the SDK's base class, {inherited[0].inherited},"
            f" {len(own)} of its own{which}"
        )

    def _so_far(self) -> str:
        """Say how little a part of the requirements tells."""
        if self.is_whole:
            return ""
        own = len(self.results) - self.judged
        if own and not self.judged:
            return f", as far as {own} requirements beside the {self.of} tell"
        beside = f" and {own} beside them" if own else ""
        return f", as far as {self.judged} of {self.of} requirements{beside} tell"


MOST_IDS = 16
"""How many ids a line has at most: more are counted by group."""


def _few(ids: Sequence[str]) -> str:
    """Return ids, or how many there are of each group where a line of all of them would not be read."""
    if len(ids) <= MOST_IDS:
        return ", ".join(ids)
    return ", ".join(f"{group} {count}" for group, count in Counter(id[:3] for id in ids).items())


def verdicts(
    results: Iterable[Result], of: int | None = None, *, fails_on: Level = Level.MUST, own_only: bool = False
) -> list[Verdict]:
    """Collect results into one verdict a backend, in order of groups and numbers.

    Args:
        results: In any order. One that comes twice (a test that was run again) counts as it came last.
        of: How many requirements there are, where it is known.
        fails_on: The least level whose violations fail the run.
        own_only: Whether only violations of a backend's own do.
    """
    by_backend: dict[str, dict[str, Result]] = {}
    for result in results:
        by_backend.setdefault(result.backend, {})[result.id] = result
    order = list(GROUPS)

    def place(result: Result) -> tuple[int, str]:
        return (order.index(result.group) if result.group in order else len(order), result.id)

    return [
        Verdict(name, sorted(found.values(), key=place), of, fails_on, own_only) for name, found in by_backend.items()
    ]
