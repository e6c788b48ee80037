"""Timelines: what did happen in a conversation, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import TypeVar

from .events import Event, HookCalled, event_from_json, event_to_json
from .plain_data import copied
from .reading import one_reading

E = TypeVar("E", bound=Event)


class Timeline:
    """The events of one conversation, in the order in which they happened.

    Iterating yields the events; :meth:`of` those of a kind.
    """

    def __init__(self, events: list[Event] | None = None) -> None:
        self._events: list[Event] = []
        self._listeners: list[Callable[[Event], object]] = []
        for event in events or []:
            self.record(event)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def record(self, event: E) -> E:
        """Append a copy of ``event`` that nothing can change any more, and return it."""
        given = {item.name: copied(getattr(event, item.name)) for item in fields(event) if item.init}
        recorded = replace(event, **{**given, "at": len(self._events)})
        self._events.append(recorded)
        for listener in self._listeners:
            listener(recorded)
        return recorded

    def listen(self, listener: Callable[[Event], object]) -> None:
        """Let ``listener`` be given each event after it was recorded, in the thread that recorded it."""
        self._listeners.append(listener)

    def extend(self, other: Timeline) -> None:
        """Append the events of a later process."""
        for event in other:
            self._events.append(replace(event, at=len(self._events)))

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self._events if isinstance(event, kind)]

    def hooks(self, event: str) -> list[HookCalled]:
        """Return the calls of users' hooks for one hook event, in order."""
        return [call for call in self.of(HookCalled) if call.event == event]

    def around(self, *places: int, before: int = 4, after: int = 2) -> str:
        """Draw the timeline around some events, one line an event, the events themselves marked with ``>``."""
        wanted = {at for place in places for at in range(place - before, place + after + 1)}
        lines: list[str] = []
        previous = -1
        for event in self._events:
            if event.at not in wanted:
                continue
            if event.at != previous + 1:
                lines.append("        ...")
            previous = event.at
            mark = ">" if event.at in places else " "
            lines.append(f"  {mark} {event.at:>3}  {event.summary}")
            stored = getattr(event, "stored", None)
            if stored is not None:
                lines.append(f"           stored: {one_reading(stored)}")
        if previous < len(self._events) - 1:
            lines.append("        ...")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.around(*(), before=0) if not self._events else "\n".join(
            f"    {event.at:>3}  {event.summary}" for event in self._events
        )  # fmt: skip

    def to_json(self) -> str:
        """Return the timeline as JSON text, from which :meth:`from_json` builds it again."""
        return json.dumps([event_to_json(event) for event in self._events])

    @classmethod
    def from_json(cls, text: str) -> Timeline:
        """Build a timeline from its JSON text."""
        timeline = cls()
        timeline._events.extend(map(event_from_json, json.loads(text)))
        return timeline
