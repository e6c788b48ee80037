"""Messages that hooks are told of: they are stored before."""

from __future__ import annotations

from collections.abc import Callable

from session_conformance.harness import Timeline, violated
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import HookCalled, difference

from .stored_history import expect_readable, expect_stored, find_same


def expect_stored_at_hooks(timeline: Timeline, event: str, about: Callable[[Message], bool], what: str) -> None:
    """Report a violation unless each message was stored when the earliest hook was told of it."""
    earliest = [
        call
        for call in timeline.hooks(event)
        if call.position == "early" and call.message is not None and about(call.message)
    ]
    if not earliest:
        violated(f"hooks are told of {what}", "no hook was told of any", timeline)
    for call in earliest:
        assert call.message is not None
        assert call.stored is not None
        expect_readable(call.stored, "when a hook runs", timeline, call)
        expect_stored(
            call.message,
            call.stored.messages,
            f"is stored before any hook on {event} runs",
            timeline,
            *_same_event(timeline, call),
        )


def _same_event(timeline: Timeline, call: HookCalled) -> list[HookCalled]:
    """Return the call and those of the same event after it, up to the first that found the message stored.

    Those that looked at nothing are left out: they show nothing.
    """
    calls = [call]
    for event in list(timeline)[call.at + 1 : call.at + 4]:
        if not (isinstance(event, HookCalled) and event.event == call.event and event.message == call.message):
            continue
        if event.stored is not None and event.message is not None:
            found = find_same(event.message, event.stored.messages)
            if found is not None and difference([event.message], [found]) is None:
                break
            calls.append(event)
    return calls
