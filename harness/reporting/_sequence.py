"""Sequence diagrams: where the events of a violation's timeline stand on a page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len, chop_cells

from ..timeline import LIFELINES
from ._printable import printable

MARGIN = 46
"""The width of the column of the events' numbers."""
SPACING = 124
"""From one lifeline to the next."""
SIDE = 52
"""From the numbers to the first lifeline, and from the last one to the edge."""
NARROWEST = 500
WIDEST = 900
"""A diagram is as wide as its longest label needs, up to this: what a screen has room for, and paper at 6 points."""
LEAST_ROOM = 240
"""What a label is given where the page ends soon after its lifeline: it then begins further left."""
TOP = 34
"""The height of the lifelines' heads."""
LINE = 15
CHARACTER = 6.7
"""The width of a character of a monospace font of 11 pixels."""
BESIDE = 7
"""From a lifeline to the labels that begin there."""
EDGE = 6
"""From the longest label to the edge."""
MOST_LINES = 4
"""Lines of text that an event is given at most: the whole text stands in the evidence."""

NAMES = {"user": "application"}


@dataclass(frozen=True)
class Text:
    """A line of text: where it begins, and its base line."""

    x: float
    y: float
    line: str


@dataclass(frozen=True)
class Arrow:
    """An arrow from one lifeline to another; from a lifeline to itself, it is drawn as a dot."""

    x1: float
    x2: float
    y: float

    @property
    def head(self) -> str:
        """The points of its head, for a polygon."""
        back = -7 if self.x2 > self.x1 else 7
        return f"{self.x2:g},{self.y:g} {self.x2 + back:g},{self.y - 4:g} {self.x2 + back:g},{self.y + 4:g}"


@dataclass(frozen=True)
class Row:
    """An event as it is drawn.

    Attributes:
        number: Its number in the timeline.
        kind: What kind of event it is.
        marked: Whether it shows the violation.
        top: Where it begins.
        height: How high it is.
        arrow: Who did it to whom.
        texts: What happened.
        look: Where a reader looked: from the storage to who was told.
        found: What it found stored.
    """

    number: int
    kind: str
    marked: bool
    top: float
    height: float
    arrow: Arrow
    texts: list[Text]
    look: Arrow | None = None
    found: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class Gap:
    """Events that are left out."""

    top: float
    text: str


@dataclass(frozen=True)
class Diagram:
    """A sequence diagram, in pixels."""

    width: int
    height: float
    lifelines: list[tuple[float, str]]
    rows: list[Row]
    gaps: list[Gap]


def diagram(events: Sequence[Mapping[str, Any]]) -> Diagram:
    """Lay out the events of a violation.

    Args:
        events: As :func:`~session_conformance.harness.timeline.excerpt` gives them.
    """
    taking_part = {end for event in events for end in (event["from"], event["to"])}
    if any(event["stored"] is not None for event in events):
        taking_part.add("storage")
    names = [name for name in LIFELINES if name in taking_part]
    gaps_between = max(len(names) - 1, 1)
    least = max(NARROWEST, MARGIN + 2 * SIDE + SPACING * gaps_between)
    spacing = (least - MARGIN - 2 * SIDE) / gaps_between
    places = {name: round(MARGIN + SIDE + spacing * index, 1) for index, name in enumerate(names)}
    needed = (x + BESIDE + cell_len(printable(text)) * CHARACTER + EDGE for text, x in _labels(events, places))
    width = min(max([least, *map(math.ceil, needed)]), WIDEST)
    rows: list[Row] = []
    gaps: list[Gap] = []
    y = float(TOP + 8)
    previous = -1
    for event in events:
        left_out = event["at"] - previous - 1
        if left_out:
            gaps.append(Gap(y, f"{left_out} event{'s' * (left_out > 1)} left out"))
            y += LINE + 6
        previous = event["at"]
        row = _row(event, places, y, width)
        rows.append(row)
        y += row.height
    lifelines = [(x, NAMES.get(name, name)) for name, x in places.items()]
    return Diagram(width, y + 8, lifelines, rows, gaps)


def _labels(events: Sequence[Mapping[str, Any]], places: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Yield the texts of all events, each with the lifeline at which it begins: the left one of its arrow."""
    for event in events:
        yield event["text"], min(places[event["from"]], places[event["to"]])
        if event["stored"] is not None:
            yield f"stored: {event['stored']}", min(places[event["to"]], places["storage"])


def _row(event: Mapping[str, Any], places: Mapping[str, float], top: float, width: int) -> Row:
    source, target = places[event["from"]], places[event["to"]]
    (text, begin), *stored = _labels([event], places)
    texts = list(_texts(text, begin, top + LINE - 1, width))
    y = top + LINE * len(texts) + 8
    arrow, look, found = Arrow(source, target, y), None, []
    for text, begin in stored:
        found = list(_texts(text, begin, y + LINE + 1, width))
        y += LINE * len(found) + 9
        look = Arrow(places["storage"], target, y)
    return Row(event["at"], event["kind"], event["marked"], top, y + 9 - top, arrow, texts, look, found)


def _texts(text: str, x: float, y: float, width: int) -> Iterator[Text]:
    """Yield the lines of a text that begins at a lifeline, or further left where there is not room enough."""
    room = int((width - max(MARGIN, min(x + BESIDE, width - EDGE - LEAST_ROOM)) - EDGE) / CHARACTER)
    lines = [part for line in textwrap.wrap(printable(text), room) or [""] for part in chop_cells(line, room) or [""]]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"{chop_cells(lines[MOST_LINES - 1], room - 2)[0]} …"]
    longest = max(cell_len(line) for line in lines) * CHARACTER
    begin = max(MARGIN, min(x + BESIDE, width - EDGE - longest))
    for index, line in enumerate(lines):
        yield Text(round(begin, 1), y + LINE * index, line)
