"""Checkers: pure functions over a finished history that say what was lost, doubled, mixed up, leaked or damaged.

They hold a backend to what it said itself. A message that was acknowledged is in every reading that begins afterwards,
unless somebody deleted its session or redacted it since. One that was not acknowledged may be there or not: its process
may have been killed before or after the write. A deletion that was acknowledged leaves nothing of what was stored
before it began.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .anomaly import (
    DAMAGED,
    DISORDERED,
    DOUBLED,
    HUNG,
    LEAKED,
    LOST,
    MIXED_UP,
    UNREDACTED,
    Anomaly,
    anomaly,
)
from .history import FAILED, History, Operation
from .plan import APPEND, CLEAN_UP, DELETE, OPEN, READ, REDACT, STREAM


@dataclass
class _OfSession:
    """What was done in one session, each list in the order in which it was begun."""

    stored: dict[str, Operation] = field(default_factory=dict)
    redacted: dict[str, list[Operation]] = field(default_factory=dict)
    removed: list[Operation] = field(default_factory=list)
    readings: list[Operation] = field(default_factory=list)
    at_work: list[Operation] = field(default_factory=list)


def anomalies(history: History, *, may_refuse: bool = False) -> list[Anomaly]:
    """Return what a history shows that no correct backend does, each thing once, in order of time.

    Args:
        history: The history.
        may_refuse: Whether the backend lets one process at a time open a session, and refuses others with one of the
            SDK's exceptions: such a refusal is then no damage while others are at work.
    """
    sessions = _by_session(history.operations())
    owners = {token: id for id, session in sessions.items() for token in session.stored}
    found = [
        Anomaly(HUNG, record.session, f"life {record.life} did not end", (record,))
        for record in history
        if record.operation == HUNG
    ]
    for id, session in sessions.items():
        told: set[tuple[str, str]] = set()
        lost = _Lost(session)
        for reading in session.readings:
            for kind, about, make in _in_reading(id, session, reading, owners, lost, may_refuse):
                if (kind, about) not in told:  # the first reading that shows it ends the shortest stretch
                    told.add((kind, about))
                    found.append(make())
    return sorted(found, key=lambda one: one.stretch[-1].time)


def _by_session(operations: Sequence[Operation]) -> dict[str, _OfSession]:
    sessions: dict[str, _OfSession] = {one.session: _OfSession() for one in operations if one.name != CLEAN_UP}
    for one in operations:
        if one.name == CLEAN_UP:  # may remove any session that nobody has open
            for session in sessions.values():
                session.removed.append(one)
            continue
        session = sessions[one.session]
        session.at_work.append(one)
        if one.name in (APPEND, STREAM):
            session.stored[one.token] = one
        elif one.name == REDACT:
            session.redacted.setdefault(one.token, []).append(one)
        elif one.name == DELETE:
            session.removed.append(one)
        elif one.name in (READ, OPEN):
            session.readings.append(one)
    return sessions


_Found = Iterator[tuple[str, str, Callable[[], Anomaly]]]


def _in_reading(
    id: str, session: _OfSession, reading: Operation, owners: dict[str, str], lost: _Lost, may_refuse: bool
) -> _Found:
    """Yield the anomalies that one reading shows: their kind, what they are about, and what makes them."""
    if reading.answer == FAILED:
        yield from _damaged(session, reading, may_refuse)
    if not reading.is_acknowledged:
        return
    yield from lost.in_reading(reading)
    for token, count in Counter(reading.found).items():
        stored = session.stored.get(token)
        if stored is None:
            owner = owners.get(token)
            whose = f"is of session {owner}" if owner else "was never said"
            yield MIXED_UP, token, _make(MIXED_UP, f"{token}, read in {id}, {whose}", [reading])
            continue
        if count > 1:
            yield DOUBLED, token, _make(DOUBLED, f"{token} is there {count} times", [stored, reading], session.removed)
        yield from _leaked(session, stored, reading)
    yield from _disordered(session, reading)


def _make(kind: str, what: str, operations: list[Operation], wholes: Sequence[Operation] = ()) -> Callable[[], Anomaly]:
    return lambda: anomaly(kind, what, operations, wholes)


class _Lost:
    """The messages that the next reading must have, kept while readings are looked at in order."""

    def __init__(self, session: _OfSession) -> None:
        self._session = session
        acknowledged = [one for one in session.stored.values() if one.is_acknowledged]
        self._coming = sorted(acknowledged, key=lambda one: one.ended, reverse=True)
        self._required: dict[str, Operation] = {}
        self._until: dict[str, float] = {}

    def in_reading(self, reading: Operation) -> _Found:
        """Yield the messages that a reading should have and has not."""
        while self._coming and self._coming[-1].ended < reading.began:
            stored = self._coming.pop()
            self._required[stored.token] = stored
            self._until[stored.token] = self._excused_from(stored)
        for token in [token for token in self._required if self._until[token] <= reading.began]:
            del self._required[token]
        there = set(reading.found)
        for token, stored in self._required.items():
            if token not in there and self._until[token] > reading.ended:
                what = f"{token} was acknowledged and is not there"
                yield LOST, token, _make(LOST, what, [stored, reading], self._session.removed)

    def _excused_from(self, stored: Operation) -> float:
        """Return the moment from which on a message may be missing: a deletion or a redaction had begun."""
        begins = [one.began for one in self._session.removed if one.ended >= stored.began]
        begins += [one.began for one in self._session.redacted.get(stored.token, ())]
        return min(begins, default=math.inf)


def _leaked(session: _OfSession, stored: Operation, reading: Operation) -> _Found:
    begins = [one.began for one in session.removed]
    for one in session.removed[bisect_right(begins, stored.ended) :]:
        if one.ended >= reading.began:
            continue
        # A clean-up leaves alone what somebody has open: only a deletion promises that nothing is left.
        if one.name == DELETE and one.is_acknowledged:
            what = f"{stored.token} is there after its session was deleted"
            yield LEAKED, stored.token, _make(LEAKED, what, [stored, one, reading])
            break
    for one in session.redacted.get(stored.token, ()):
        if one.is_acknowledged and one.ended < reading.began:
            what = f"{stored.token} is there after it was redacted"
            yield UNREDACTED, stored.token, _make(UNREDACTED, what, [stored, one, reading])
            break


def _disordered(session: _OfSession, reading: Operation) -> _Found:
    last: dict[int, Operation] = {}
    for token in reading.found:
        stored = session.stored.get(token)
        if stored is None:
            continue
        before = last.get(stored.life)
        if before is not None and before.began > stored.began:
            what = f"{stored.token} stands behind {before.token}, which the same agent said after it"
            yield DISORDERED, token, _make(DISORDERED, what, [stored, before, reading])
        last[stored.life] = stored


def _damaged(session: _OfSession, reading: Operation, may_refuse: bool) -> _Found:
    """A session that cannot be read, although the reader's storage works and nobody is deleting the session."""
    if reading.faulty or any(one.ended >= reading.began and one.began <= reading.ended for one in session.removed):
        return
    if any(not one.is_acknowledged and one.began <= reading.began for one in session.removed):
        return  # a deletion that was killed may leave a session that only the next deletion removes
    others = (one for one in session.at_work if one.life != reading.life)
    if may_refuse and reading.clear and any(_overlap(one, reading) for one in others):
        return
    yield DAMAGED, reading.error, _make(DAMAGED, f"it cannot be read: {reading.error}", [reading], session.removed)


def _overlap(one: Operation, other: Operation) -> bool:
    return one.began <= other.ended and one.ended >= other.began
