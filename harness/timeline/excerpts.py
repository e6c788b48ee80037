"""Excerpts: the part of a timeline that shows something, as plain data that a sequence diagram can be drawn of."""

from __future__ import annotations

from typing import Any

from .events import (
    AgentAtRest,
    AgentStarted,
    AgentStopped,
    Asked,
    Event,
    Failed,
    Happened,
    HappenedElsewhere,
    HookCalled,
    ModelEmitted,
    ModelReceived,
    ModelStarted,
    ModelStopped,
    NodeRan,
    ProcessStarted,
    TeamEnded,
    ToolRan,
    UserSent,
)
from .reading import one_reading
from .timeline import Timeline

LIFELINES = ("user", "agent", "hooks", "model", "tools", "storage")
"""The participants of a conversation. The user stands for the application as well."""

LONGEST = 60
"""How many events an excerpt has at most: a diagram of more is not read."""

_LONGEST_TEXT = 400

_BETWEEN: dict[type[Event], tuple[str, str]] = {
    ProcessStarted: ("storage", "agent"),
    ModelStarted: ("agent", "model"),
    ModelStopped: ("agent", "model"),
    ModelReceived: ("agent", "model"),
    ModelEmitted: ("model", "agent"),
    UserSent: ("user", "agent"),
    HookCalled: ("agent", "hooks"),
    ToolRan: ("agent", "tools"),
    Failed: ("agent", "user"),
    AgentStarted: ("agent", "user"),
    AgentStopped: ("agent", "user"),
    Happened: ("user", "user"),
    Asked: ("agent", "user"),
    NodeRan: ("agent", "agent"),
    TeamEnded: ("agent", "user"),
    AgentAtRest: ("agent", "agent"),
}
"""Who did it to whom. What is not named here concerns the agent alone."""


def between(event: Event) -> tuple[str, str]:
    """Return who did it to whom, two of :data:`LIFELINES`; the same twice where it concerns one alone."""
    if isinstance(event, HappenedElsewhere):
        return between(event.event)
    source, target = next((_BETWEEN[kind] for kind in type(event).__mro__ if kind in _BETWEEN), ("agent", "agent"))
    if isinstance(event, ToolRan) and event.what != "begins":
        return target, source
    return source, target


def excerpt(timeline: Timeline, *places: int, before: int = 4, after: int = 2) -> list[dict[str, Any]]:
    """Return what :meth:`~.timeline.Timeline.around` draws as plain data, an object an event, up to :data:`LONGEST`.

    Each has ``at`` (int, its place in the timeline), ``kind`` (the event's class), ``from`` and ``to`` (two of
    :data:`LIFELINES`), ``text`` (one line), ``marked`` (bool) and ``stored`` (what a reader found stored at that
    moment, in one line, or None where none looked).

    Args:
        timeline: What happened.
        places: The numbers of the events that are marked.
        before: How many events before each of them are shown.
        after: How many after each.
    """
    wanted = {at for place in places for at in range(place - before, place + after + 1)}
    found = []
    for event in [event for event in timeline if event.at in wanted][:LONGEST]:
        stored = getattr(event, "stored", None)
        source, target = between(event)
        found.append(
            {
                "at": event.at,
                "kind": type(event).__name__,
                "from": source,
                "to": target,
                "text": _cut(event.summary),
                "marked": event.at in places,
                "stored": None if stored is None else _cut(one_reading(stored)),
            }
        )
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
