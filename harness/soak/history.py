"""The history of a soak: what every process began, and what it was told, in the order of one clock."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

INVOKED = "invoked"
OK = "ok"
FAILED = "failed"
LIFE = "life"
"""What a record says of an operation; ``life`` tells how a process ended."""


@dataclass(frozen=True)
class Record:
    """One line of a history.

    Attributes:
        time: In nanoseconds of the system's monotonic clock, which all processes share.
        life: The number of the life that says so.
        event: ``invoked``, ``ok``, ``failed`` or ``life``.
        index: Which operation of that life, counted from 0.
        operation: Its name; for ``life`` how the process ended.
        session: The session's id.
        token: What a message is known by: it stands in its text, and in no other.
        found: What a reading found: the tokens of its messages in order.
        error: What was raised, as type and text; "" where nothing was.
        clear: Whether what was raised is one of the SDK's exceptions.
        faulty: Whether this process's storage was made to fail at that moment.
    """

    time: int
    life: int
    event: str
    index: int
    operation: str
    session: str
    token: str = ""
    found: tuple[str, ...] = ()
    error: str = ""
    clear: bool = False
    faulty: bool = False

    def to_json(self) -> str:
        """Return the record as one line of JSON, without what is empty."""
        said = asdict(self).items()
        return json.dumps({name: value for name, value in said if value not in ("", ()) and value is not False})

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record that a line says."""
        data = json.loads(text)
        return cls(**{**data, "found": tuple(data.get("found", ()))})

    def __str__(self) -> str:
        shown = f"life {self.life}: {self.operation} {self.session}"
        if self.token:
            shown += f" {self.token}"
        if self.event == INVOKED:
            return f"{shown} begins"
        if self.event == LIFE:
            return f"life {self.life} {self.operation}"
        if self.event == FAILED:
            return f"{shown} fails: {self.error}"
        found = f": {len(self.found)} messages, the last {', '.join(self.found[-3:]) or 'none'}" if self.found else ""
        return f"{shown} is acknowledged{found}"


@dataclass(frozen=True)
class Operation:
    """An operation from its begin to its answer.

    Attributes:
        name: What was done: a name of :mod:`.plan`.
        life: The life that did it.
        session: The session's id.
        token: The message's token.
        began: When it was begun.
        ended: When it was answered, or its process ended. What a process began can have an effect until then.
        answer: ``ok``, ``failed``, or "" where the process was killed before an answer.
        found: What a reading found.
        error: What was raised.
        clear: Whether that is one of the SDK's exceptions.
        faulty: Whether the process's storage was made to fail meanwhile.
        records: The lines of the history that say so.
    """

    name: str
    life: int
    session: str
    token: str
    began: int
    ended: float
    answer: str
    found: tuple[str, ...]
    error: str
    clear: bool
    faulty: bool
    records: tuple[Record, ...]

    @property
    def is_acknowledged(self) -> bool:
        """Whether the process was told that it is done."""
        return self.answer == OK


@dataclass
class History:
    """All records of a soak.

    Attributes:
        records: In order of time.
    """

    records: list[Record] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record]) -> History:
        """Return the history of records that came in any order."""
        return cls(sorted(records, key=lambda record: record.time))

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> History:
        """Return the history that a log has, a record a line."""
        return cls.of(Record.from_json(line) for line in lines if line.strip())

    def operations(self) -> list[Operation]:
        """Return the operations in the order in which they were begun."""
        begun: dict[tuple[int, int], list[Record]] = {}
        ends: dict[int, int] = {}
        for record in self.records:
            if record.event == LIFE:
                ends[record.life] = record.time
            else:
                begun.setdefault((record.life, record.index), []).append(record)
        return [_operation(records, ends) for records in begun.values() if records[0].event == INVOKED]

    def count(self, event: str) -> int:
        """Return how many records say so."""
        return sum(record.event == event for record in self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)


def _operation(records: Sequence[Record], ends: dict[int, int]) -> Operation:
    first = records[0]
    answer = records[1] if len(records) > 1 else None
    return Operation(
        name=first.operation,
        life=first.life,
        session=first.session,
        token=first.token,
        began=first.time,
        ended=answer.time if answer else ends.get(first.life, math.inf),
        answer=answer.event if answer else "",
        found=answer.found if answer else (),
        error=answer.error if answer else "",
        clear=answer is not None and answer.clear,
        faulty=first.faulty or (answer is not None and answer.faulty),
        records=tuple(records),
    )
