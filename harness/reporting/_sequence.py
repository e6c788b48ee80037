"""Sequence diagrams: between which lifelines each event of a violation's timeline stands, for a page to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..timeline import LIFELINES

NAMES = {"user": "application"}
"""What a lifeline is called, where its name does not say it."""

ROOM = 3
"""Columns that a text is given at least: where a lifeline stands further right, its texts begin further left."""


@dataclass(frozen=True)
class Arrow:
    """An arrow from one lifeline to another, counted from 0; from a lifeline to itself, it is drawn as a dot."""

    source: int
    target: int

    @property
    def left(self) -> int:
        """The lifeline at which it begins, or ends."""
        return min(self.source, self.target)

    @property
    def right(self) -> int:
        """The lifeline at which it ends, or begins."""
        return max(self.source, self.target)

    @property
    def look(self) -> str:
        """Which way it points: ``right``, ``left`` or ``dot``."""
        return "dot" if self.source == self.target else "right" if self.target > self.source else "left"


@dataclass(frozen=True)
class Row:
    """An event.

    Attributes:
        at: Its number in the timeline.
        left_out: How many events before it are not shown.
        marked: Whether it shows the violation.
        who: Who did it to whom.
        text: What happened.
        arrow: From whom to whom.
        begins: The lifeline at which the text begins.
        stored: What a reader found stored at that moment; None where none looked.
        look: From the storage to whom that was found, or None.
    """

    at: int
    left_out: int
    marked: bool
    who: str
    text: str
    arrow: Arrow
    begins: int
    stored: str | None = None
    look: Arrow | None = None
    look_begins: int = 0


@dataclass(frozen=True)
class Diagram:
    """A sequence diagram: its lifelines from the left to the right, its events from the top to the bottom."""

    lifelines: list[str]
    rows: list[Row]


def diagram(events: Sequence[Mapping[str, Any]]) -> Diagram:
    """Lay out the events of a violation.

    Args:
        events: As :func:`~session_conformance.harness.timeline.excerpt` gives them.
    """
    taking_part = {end for event in events for end in (event["from"], event["to"])}
    if any(event["stored"] is not None for event in events):
        taking_part.add("storage")
    names = [name for name in LIFELINES if name in taking_part]
    latest = max(len(names) - ROOM, 0)
    rows: list[Row] = []
    previous = -1
    for event in events:
        source, target = event["from"], event["to"]
        arrow = Arrow(names.index(source), names.index(target))
        look = None if event["stored"] is None else Arrow(names.index("storage"), names.index(target))
        rows.append(
            Row(
                event["at"],
                event["at"] - previous - 1,
                event["marked"],
                " → ".join(NAMES.get(name, name) for name in dict.fromkeys((source, target))),
                event["text"],
                arrow,
                min(arrow.left, latest),
                event["stored"],
                look,
                min(look.left, latest) if look else 0,
            )
        )
        previous = event["at"]
    return Diagram([NAMES.get(name, name) for name in names], rows)
