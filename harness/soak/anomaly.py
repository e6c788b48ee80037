"""Anomalies: what a history shows that no correct backend does, and the shortest stretch that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .history import Operation, Record

LOST = "lost"
DOUBLED = "doubled"
MIXED_UP = "mixed up"
DISORDERED = "out of order"
LEAKED = "leaked after a deletion"
UNREDACTED = "leaked after a redaction"
DAMAGED = "damaged"
HUNG = "hung"

KINDS = (LOST, DOUBLED, MIXED_UP, DISORDERED, LEAKED, UNREDACTED, DAMAGED, HUNG)


@dataclass(frozen=True)
class Anomaly:
    """One thing that went wrong.

    Attributes:
        kind: One of :data:`KINDS`.
        session: The session's id.
        what: What went wrong, in words.
        stretch: The shortest stretch of the history that shows it, in order of time.
    """

    kind: str
    session: str
    what: str
    stretch: tuple[Record, ...]

    def __str__(self) -> str:
        begin = self.stretch[0].time if self.stretch else 0
        lines = [f"  {(record.time - begin) / 1e6:10.3f} ms  {record}" for record in self.stretch]
        return "\n".join([f"{self.kind}: {self.what}", *lines])


def anomaly(kind: str, what: str, operations: Iterable[Operation], wholes: Sequence[Operation] = ()) -> Anomaly:
    """Return an anomaly that some operations show.

    Args:
        kind: One of :data:`KINDS`.
        what: What went wrong.
        operations: Those that show it; the last is the reading.
        wholes: What was done to the whole session; of these the ones between the others are part of the stretch.
    """
    shown = list(operations)
    begin, end = min(one.began for one in shown), max(one.ended for one in shown)
    shown += [one for one in wholes if one.ended >= begin and one.began <= end and one not in shown]
    records = sorted({record for one in shown for record in one.records}, key=lambda record: record.time)
    return Anomaly(kind, shown[0].session, what, tuple(records))
